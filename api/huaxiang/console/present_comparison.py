"""Turns a comparison into what the pages show: figures, charts, items, and the conversations that change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from huaxiang.console.charts import Chart, Series, bar_chart
from huaxiang.console.present import number, signed
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.quality.definition import Threshold
from huaxiang.quality.history.compare import BIN_PERCENT, UNKNOWN, Comparison, Group, ItemChange
from huaxiang.quality.history.comparison_store import StoredChange

MOST_SELLERS = 24
OUTCOMES = ("passed", "failed", "not_applicable")


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure before and after; ``tone`` says whether the change is one to be glad of."""

    label: str
    value: str
    delta: str
    tone: str
    n: int | None
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A seller or team: calls, how many change, and the mean score before and after."""

    name: str
    url: str
    conversations: int
    changed: int
    changed_percent: int
    before: str
    after: str
    difference: str
    tone: str
    vetoes: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item: what became of it, its counts before and after, and which calls come to something else."""

    id: str
    title: str
    url: str
    status: str
    status_text: str
    tone: str
    passed: str
    failed: str
    not_applicable: str
    flips: int


@dataclass(frozen=True, slots=True)
class FlipView:
    """What an item comes to in one conversation, before and after."""

    title: str
    before: str
    after: str
    tone: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A conversation whose result changes."""

    recording_id: str
    url: str
    why_url: str
    when: str
    seller: str
    before: str
    after: str
    difference: str
    tone: str
    veto: str
    flips: tuple[FlipView, ...]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A finished comparison as the page shows it."""

    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    teams: tuple[GroupRow, ...]
    sellers: tuple[GroupRow, ...]
    moved: tuple[ItemRow, ...]
    unmoved: tuple[ItemRow, ...]
    changed: int


def comparison_view(
    comparison: Comparison, base_url: str, names: Mapping[str, str], text: Texts
) -> ComparisonView:
    """Return a comparison for the page at ``base_url``; ``names`` has the sellers' names by key."""
    items = [_item(item, base_url, text) for item in comparison.items]
    sellers = sorted(comparison.sellers, key=lambda group: -abs(group.difference or 0.0))
    return ComparisonView(
        tiles=_tiles(comparison, base_url, text),
        charts=tuple(_charts(comparison, sellers, base_url, names, text)),
        teams=tuple(
            _group(group, f"{base_url}?team={quote(group.key)}", {}, text) for group in comparison.teams
        ),
        sellers=tuple(
            _group(group, f"{base_url}?seller={quote(group.key)}", names, text) for group in sellers
        ),
        moved=tuple(row for row in items if row.flips or row.status != "same"),
        unmoved=tuple(row for row in items if not row.flips and row.status == "same"),
        changed=comparison.whole.changed,
    )


def grade_chart(comparison: Comparison, thresholds: Sequence[Threshold], text: Texts) -> Chart | None:
    """Return how many conversations get each grade before and after; None where nothing is graded.

    ``thresholds`` are those of the changed scorecard, the best first; a grade that it gave up comes last.
    """
    before, after = comparison.whole.before.grades, comparison.whole.after.grades
    titles = {one.id: one.title_zh if text.language == "zh" else one.title_en for one in thresholds}
    known = [grade for grade in dict.fromkeys((*titles, *before, *after)) if grade]
    if not known:
        return None
    series = [
        Series(text("rules.before"), [float(before.get(grade, 0)) for grade in known], colour="--c6"),
        Series(text("rules.after"), [float(after.get(grade, 0)) for grade in known], colour="--c1"),
    ]
    return bar_chart(
        "grades",
        text("rules.chart.grades"),
        [titles.get(grade, grade) for grade in known],
        series if comparison.before else series[1:],
        axis=text("rules.grade"),
        size="small",
    )


def change_rows(
    changes: Sequence[StoredChange],
    items: Sequence[ItemChange],
    base_url: str,
    names: Mapping[str, str],
    zone: ZoneInfo,
    text: Texts,
) -> list[ChangeRow]:
    """Return the conversations that change, with the items that come to something else."""
    titles = {item.id: item.title_zh if text.language == "zh" else item.title_en for item in items}
    return [_change(change, titles, base_url, names, zone, text) for change in changes]


def outcome_text(outcome: str, text: Texts) -> str:
    """Return what an item came to, in words."""
    known = {
        "passed": text("scorecard.state.passed"),
        "failed": text("scorecard.state.failed"),
        "not_applicable": text("scorecard.state.na"),
    }
    return known.get(outcome, text("rules.absent"))


def name_of(key: str, names: Mapping[str, str], text: Texts) -> str:
    """Return the name of a seller or team; those of nobody known have a word too."""
    return text("rules.nobody") if key == UNKNOWN else names.get(key, key)


def _tiles(comparison: Comparison, base_url: str, text: Texts) -> tuple[Tile, ...]:
    whole = comparison.whole
    before, after = whole.before, whole.after
    share = 100 * whole.changed / whole.conversations if whole.conversations else 0.0
    vetoes = after.auto_failed - before.auto_failed
    new = not comparison.before
    return (
        Tile(
            text("rules.tile.changed"),
            number(whole.changed),
            "",
            "",
            whole.conversations,
            f"{share:.0f}%",
            f"{base_url}#changes",
        ),
        Tile(
            text("rules.tile.mean"),
            _mean(after.mean_percent),
            "" if new else _difference(whole.difference),
            _tone(whole.difference),
            after.scored,
            "" if new else text("rules.tile.before", value=_mean(before.mean_percent)),
            "",
        ),
        Tile(
            text("scorecard.auto_fail"),
            number(after.auto_failed),
            "" if new else signed(vetoes, places=0),
            _tone(-float(vetoes)),
            after.scored,
            "" if new else text("rules.tile.before", value=number(before.auto_failed)),
            "",
        ),
    )


def _charts(
    comparison: Comparison,
    sellers: Sequence[Group],
    base_url: str,
    names: Mapping[str, str],
    text: Texts,
) -> list[Chart]:
    charts = []
    many = [group for group in sellers if group.conversations][:MOST_SELLERS]
    if comparison.before:
        charts.append(
            _means("teams", text("rules.chart.teams"), comparison.teams, {}, "team", base_url, text)
        )
        charts.append(_means("sellers", text("rules.chart.sellers"), many, names, "seller", base_url, text))
        if comparison.histogram:
            charts.append(_spread(comparison.histogram, text))
    else:
        charts.append(_means("sellers", text("rules.chart.new"), many, names, "seller", base_url, text))
    return charts


def _means(
    identifier: str,
    title: str,
    groups: Sequence[Group],
    names: Mapping[str, str],
    parameter: str,
    base_url: str,
    text: Texts,
) -> Chart:
    urls = [f"{base_url}?{urlencode({parameter: group.key})}#changes" for group in groups]
    after = Series(
        text("rules.after"), [group.after.mean_percent for group in groups], urls=urls, colour="--c1"
    )
    before = Series(
        text("rules.before"),
        [group.before.mean_percent for group in groups],
        urls=urls,
        colour="--c6",
    )
    has_before = any(value is not None for value in before.values)
    return bar_chart(
        identifier,
        title,
        [name_of(group.key, names, text) for group in groups],
        [before, after] if has_before else [after],
        axis=text("rules.who"),
        format="score",
        across=True,
        size="large" if len(groups) > 8 else "",
    )


def _spread(histogram: Mapping[int, int], text: Texts) -> Chart:
    """Return how many conversations change by how much; what falls between is drawn empty."""
    edges = range(min(histogram), max(histogram) + BIN_PERCENT, BIN_PERCENT)
    return bar_chart(
        "spread",
        text("rules.chart.spread"),
        [f"{edge:+d} … {edge + BIN_PERCENT:+d}" for edge in edges],
        [Series(text("rules.conversations"), [float(histogram.get(edge, 0)) for edge in edges])],
        axis=text("rules.points"),
        size="small",
    )


def _group(group: Group, url: str, names: Mapping[str, str], text: Texts) -> GroupRow:
    return GroupRow(
        name=name_of(group.key, names, text),
        url=f"{url}#changes",
        conversations=group.conversations,
        changed=group.changed,
        changed_percent=round(100 * group.changed / group.conversations) if group.conversations else 0,
        before=_mean(group.before.mean_percent),
        after=_mean(group.after.mean_percent),
        difference=_difference(group.difference),
        tone=_tone(group.difference),
        vetoes=_moved(group.before.auto_failed, group.after.auto_failed),
    )


def _item(item: ItemChange, base_url: str, text: Texts) -> ItemRow:
    statuses = {
        "added": (text("rules.status.added"), "good"),
        "removed": (text("rules.status.removed"), "bad"),
        "changed": (text("rules.status.changed"), "accent"),
    }
    words, tone = statuses.get(item.status, (text("rules.status.same"), ""))
    passed, failed, not_applicable = (
        _moved(item.before.get(outcome, 0), item.after.get(outcome, 0)) for outcome in OUTCOMES
    )
    return ItemRow(
        id=item.id,
        title=item.title_zh if text.language == "zh" else item.title_en,
        url=f"{base_url}?{urlencode({'item': item.id})}#changes",
        status=item.status,
        status_text=words,
        tone=tone,
        passed=passed,
        failed=failed,
        not_applicable=not_applicable,
        flips=sum(item.flips.values()),
    )


def _change(
    change: StoredChange,
    titles: Mapping[str, str],
    base_url: str,
    names: Mapping[str, str],
    zone: ZoneInfo,
    text: Texts,
) -> ChangeRow:
    before, after = change.before, change.after
    difference = None
    if before and after and before["percent"] is not None and after["percent"] is not None:
        difference = after["percent"] - before["percent"]
    vetoes = (bool(before and before["auto_failed"]), bool(after and after["auto_failed"]))
    veto = {(False, True): text("rules.veto.new"), (True, False): text("rules.veto.gone")}.get(vetoes, "")
    return ChangeRow(
        recording_id=change.recording_id,
        url=f"/recordings/{change.recording_id}",
        why_url=f"{base_url}/changes/{change.recording_id}",
        when=local_time(change.started_at, zone),
        seller=name_of(change.seller or UNKNOWN, names, text),
        before=_score(before, text),
        after=_score(after, text),
        difference=_difference(difference),
        tone=_tone(difference),
        veto=veto,
        flips=tuple(
            FlipView(
                titles.get(flip.item, flip.item),
                outcome_text(flip.before, text),
                outcome_text(flip.after, text),
                {"failed": "bad", "passed": "good"}.get(flip.after, ""),
            )
            for flip in change.items
        ),
    )


def _score(marks: Mapping[str, Any] | None, text: Texts) -> str:
    if marks is None:
        return text("rules.absent")
    return f"{number(round(marks['score'], 2))}/{number(round(marks['possible'], 2))}"


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _difference(value: float | None) -> str:
    return "" if value is None else signed(value)


def _tone(value: float | None) -> str:
    if value is None or abs(value) < 0.05:
        return ""
    return "good" if value > 0 else "bad"


def _moved(before: int, after: int) -> str:
    return number(after) if before == after else f"{number(before)} → {number(after)}"
