"""What the overview shows: figures that open their lists, charts, and what to hear first. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from huaxiang.api.overview.period import Since
from huaxiang.api.overview.reading import WINDOW_DAYS, Group, Overview, Veto
from huaxiang.console.charts import Cell, Chart, Series, heat_map, line_chart
from huaxiang.console.list_query import PATH
from huaxiang.console.present_list import item_title
from huaxiang.console.texts import Texts
from huaxiang.profile.coaching.statistics import Estimate

SELLERS_SHOWN = 24
ITEMS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class FigureView:
    """A tile; ``low`` and ``high`` are the ends of an interval."""

    label: str
    value: str
    url: str
    note: str = ""
    tone: str = ""
    unit: str = ""
    n: int | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class VetoView:
    """A call that failed as a whole: which item, whose call, and the words."""

    url: str
    title: str
    item: str
    seller: str
    recording: str
    start_ms: int | None
    end_ms: int | None
    quote: str


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Everything that ``overview.html`` shows."""

    start: str
    since: tuple[tuple[str, str, bool], ...]
    figures: tuple[FigureView, ...]
    vetoes: tuple[VetoView, ...]
    trend: Chart | None
    failures: Chart | None
    by: tuple[tuple[str, str, bool], ...]


def overview_page(
    overview: Overview, text: Texts, zone: ZoneInfo, by: str, served: Collection[str]
) -> OverviewPage:
    """Return the page; ``by`` is ``team`` or ``seller``, ``served`` the paths that there are."""
    start = overview.start.astimezone(zone)
    groups = overview.teams if by == "team" else overview.sellers
    return OverviewPage(
        start=start.strftime("%Y-%m-%d %H:%M"),
        since=tuple(
            (text(f"since.{one.value}"), _own(since=one.value, by=by), one is overview.since) for one in Since
        ),
        figures=tuple(_figures(overview, text, start.strftime("%Y-%m-%dT%H:%M"), served)),
        vetoes=tuple(_veto(one, text) for one in overview.vetoes),
        trend=_trend(overview, text),
        failures=_failures(overview, groups, text, by),
        by=tuple(
            (text(f"by.{one}"), _own(since=overview.since.value, by=one), one == by)
            for one in ("team", "seller")
        ),
    )


def _figures(overview: Overview, text: Texts, inspected: str, served: Collection[str]) -> list[FigureView]:
    counts, score = overview.counts, overview.score

    def share(count: int) -> str:
        return f"{100 * count / counts.inspected:.0f}%" if counts.inspected else ""

    return [
        FigureView(text("overview.inspected"), str(counts.inspected), _list(inspected=inspected)),
        FigureView(
            text("overview.score"),
            "–" if score is None else f"{100 * score.value:.0f}",
            _list(inspected=inspected, sort="score"),
            n=None if score is None else score.n,
            low=_end(score.low) if score else None,
            high=_end(score.high) if score else None,
        ),
        FigureView(
            text("scorecard.auto_fail"),
            str(counts.vetoed),
            _list(inspected=inspected, veto="true"),
            share(counts.vetoed),
            "bad" if counts.vetoed else "",
        ),
        FigureView(
            text("overview.doubtful"),
            str(counts.doubtful),
            _list(inspected=inspected, doubtful="true"),
            share(counts.doubtful),
        ),
        FigureView(
            text("overview.appealed"),
            str(counts.appealed),
            "/appeals" if "/appeals" in served else _list(review="appealed"),
            tone="warn" if counts.appealed else "",
        ),
        FigureView(
            text("overview.to_review"),
            str(counts.to_review),
            "/review" if "/review" in served else _list(review="to_review"),
        ),
        FigureView(
            text("overview.failed"),
            str(counts.failed),
            _list(status="failed"),
            tone="bad" if counts.failed else "",
        ),
        FigureView(
            text("status.processing"),
            str(counts.processing),
            _list(status="processing"),
            text("overview.waiting", count=counts.received) if counts.received else "",
        ),
    ]


def _trend(overview: Overview, text: Texts) -> Chart | None:
    """Return scores by day, of all with their intervals and of each team; days without calls are gaps."""
    if not any(overview.by_day):
        return None
    days = overview.days
    every = _series(text("overview.all"), overview.by_day, days, bands=True)
    by_team = [
        _series(team, found, days, bands=False, team=team)
        for team, found in overview.by_team.items()
        if any(found)
    ]
    return line_chart(
        "score-trend",
        text("overview.trend"),
        [f"{day:%m-%d}" for day in days],
        [every, *by_team],
        axis=text("overview.day"),
        format="score",
        from_zero=False,
        note=text("overview.trend.note"),
    )


def _series(
    name: str, found: Sequence[Estimate | None], days: Sequence[date], *, bands: bool, **where: str
) -> Series:
    return Series(
        name,
        [None if one is None else 100 * one.value for one in found],
        [_percent(one.low if one else None) for one in found] if bands else (),
        [_percent(one.high if one else None) for one in found] if bands else (),
        [_week(day, **where) if one else None for day, one in zip(days, found, strict=True)],
    )


def _week(day: date, **where: str) -> str:
    """Return the list of the week that ends with a day."""
    first = day - timedelta(days=WINDOW_DAYS - 1)
    return _list(**where, **{"from": first.isoformat(), "to": day.isoformat()})


def _failures(overview: Overview, groups: Sequence[Group], text: Texts, by: str) -> Chart | None:
    """Return how often each item failed, by who spoke: those with most calls, the weakest items first."""
    shown = sorted(groups, key=lambda one: -(one.score.n if one.score else 0))[:SELLERS_SHOWN]
    shown = sorted((one for one in shown if one.failed), key=lambda one: (one.team or "", one.name))
    weight = {item.id: _failed_of(item.id, shown) for item in overview.items}
    applied = [item for item in overview.items if weight[item.id] is not None]
    items = sorted(applied, key=lambda item: (-(weight[item.id] or 0), item.id))[:ITEMS_SHOWN]
    if not shown or not items:
        return None
    period = {"from": overview.days[0].isoformat(), "to": overview.days[-1].isoformat()}
    cells = [
        Cell(x, y, one.failed[item.id].value, _list(**{by: one.key}, item=item.id, **period))
        for y, one in enumerate(shown)
        for x, item in enumerate(items)
        if item.id in one.failed
    ]
    return heat_map(
        "failures",
        text("overview.failures"),
        [item_title(item, text) for item in items],
        [one.name for one in shown],
        cells,
        axis=text(f"by.{by}"),
        format="percent",
        note=text("overview.failures.note"),
        size="large" if len(shown) > 6 else "",
    )


def _failed_of(item: str, groups: Sequence[Group]) -> float | None:
    """Return the share of conversations in which an item failed, over all groups."""
    found = [one.failed[item] for one in groups if item in one.failed]
    n = sum(one.n for one in found)
    return sum(one.value * one.n for one in found) / n if n else None


def _veto(veto: Veto, text: Texts) -> VetoView:
    evidence = veto.evidence
    return VetoView(
        url=f"/recordings/{veto.recording_id}#item-{veto.item.id}",
        title=veto.title,
        item=item_title(veto.item, text),
        seller=veto.seller or "",
        recording=veto.recording_id,
        start_ms=evidence.start_ms if evidence else None,
        end_ms=evidence.end_ms if evidence else None,
        quote=evidence.quote if evidence else "",
    )


def _percent(share: float | None) -> float | None:
    """Return a share as a score of 0 to 100: an interval of a mean may reach past both ends."""
    return None if share is None else min(max(100 * share, 0.0), 100.0)


def _end(share: float | None) -> str | None:
    value = _percent(share)
    return None if value is None else f"{value:.0f}"


def _list(**parameters: str) -> str:
    return f"{PATH}?{urlencode(parameters)}"


def _own(**parameters: str) -> str:
    return f"/overview?{urlencode(parameters)}"
