"""Turns what the lab found into what the rules pages show. Pure functions, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from huaxiang.console.charts import Chart, Series, interval_chart, line_chart
from huaxiang.console.texts import Texts
from huaxiang.quality.definition import Item, ScorecardDefinition, Scoring
from huaxiang.quality.history.lab import DEFAULT_FLOOR, ENOUGH_REVIEWS, ItemFigures, Week
from huaxiang.quality.history.lab_run import Floors
from huaxiang.quality.history.lab_store import Found
from huaxiang.quality.history.proportions import Proportion, wilson
from huaxiang.quality.references import id_of

Findings = Mapping[tuple[str, str], Found]
FILTERS = ("suggests", "never", "alike", "drift", "unreviewed")
SORTED_SHARES = ("fires", "precision", "recall")
_MOST_IN_CHART = 30


@dataclass(frozen=True, slots=True)
class ShareView:
    """A share with its interval: ``72%``, of ``n``; ``percent`` is for a bar, ``value`` for sorting."""

    text: str
    low: str
    high: str
    n: int
    percent: int
    value: float
    ends: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about an item that is worth a look; ``hint`` says why."""

    name: str
    text: str
    tone: str
    hint: str


@dataclass(frozen=True, slots=True)
class TwinView:
    """An item that says nearly the same as another."""

    title: str
    url: str
    told: str


@dataclass(frozen=True, slots=True)
class LabRow:
    """One item with what the lab found: how often it fails calls, and how often people agree."""

    id: str
    title: str
    url: str
    scorecard: str
    scorecard_url: str
    section: str
    worth: str
    vetoes: bool
    fires: ShareView | None
    precision: ShareView | None
    recall: ShareView | None
    flags: tuple[Flag, ...]
    floor: int
    twins: tuple[TwinView, ...]

    def has(self, flag: str) -> bool:
        """Tell whether it carries a flag."""
        return any(one.name == flag for one in self.flags)


def title_of(thing: ScorecardDefinition | Item, text: Texts) -> str:
    """Return the title of a scorecard or item in the page's language."""
    return thing.title_zh if text.language == "zh" else thing.title_en


def lab_rows(
    definitions: Sequence[ScorecardDefinition], found: Findings, floors: Floors, text: Texts
) -> list[LabRow]:
    """Return all items of the scorecards in their order, each with what the lab last found of it."""
    titles = {
        (definition.reference, item.id): f"{title_of(definition, text)} · {title_of(item, text)}"
        for definition in definitions
        for item in definition.items
    }
    return [
        _row(definition, item, found.get((definition.reference, item.id)), floors, titles, text)
        for definition in definitions
        for item in definition.items
    ]


def narrowed(rows: Iterable[LabRow], flag: str) -> list[LabRow]:
    """Return the rows with a flag; all for an unknown one."""
    return [row for row in rows if flag not in FILTERS or row.has(flag)]


def ordered(rows: Iterable[LabRow], column: str, descending: bool) -> list[LabRow]:
    """Return the rows by a column; those without a value come last either way."""
    kept = list(rows)
    if column == "title":
        return sorted(kept, key=lambda row: row.title, reverse=descending)
    if column not in SORTED_SHARES:
        return kept
    known = [(share.value, row) for row in kept if (share := _share_of(row, column)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in known] + [row for row in kept if _share_of(row, column) is None]


def precision_chart(rows: Sequence[LabRow], text: Texts) -> Chart | None:
    """Return the precision of every reviewed item with its interval; None where none was reviewed."""
    known = [row for row in rows if row.precision is not None][:_MOST_IN_CHART]
    if not known:
        return None
    shares = [row.precision for row in known if row.precision is not None]
    return interval_chart(
        "precision",
        text("rules.chart.precision"),
        [f"{row.title} · {row.scorecard}" for row in known],
        Series(
            text("rules.precision"),
            [share.value for share in shares],
            [share.ends[0] for share in shares],
            [share.ends[1] for share in shares],
            [row.url for row in known],
        ),
        axis=text("rules.item"),
        format="percent",
        reference=DEFAULT_FLOOR,
        note=text("rules.chart.precision.note", percent=round(100 * DEFAULT_FLOOR)),
    )


def weeks_chart(weeks: Sequence[Week], text: Texts) -> Chart | None:
    """Return the share of applicable calls that an item fails, week by week; None without a week."""
    rates: list[float | None] = []
    low: list[float | None] = []
    high: list[float | None] = []
    for week in weeks:
        rate = week.hits / week.applicable if week.applicable else None
        ends = wilson(rate, week.applicable) if rate is not None else (None, None)
        rates.append(rate)
        low.append(ends[0])
        high.append(ends[1])
    if not any(rate is not None for rate in rates):
        return None
    return line_chart(
        "weeks",
        text("rules.chart.weeks"),
        [week.monday.isoformat() for week in weeks],
        [Series(text("rules.fires"), rates, low, high)],
        axis=text("rules.week"),
        format="percent",
    )


def share_view(share: Proportion | None) -> ShareView | None:
    """Return a proportion for the page."""
    return None if share is None else _share(share.estimate, share.low, share.high, share.n)


def fires_view(figures: ItemFigures) -> ShareView | None:
    """Return how often an item fails the calls that it applies to."""
    rate = figures.hit_rate
    return None if rate is None else _share(*rate, figures.applicable)


def flags_of(found: Found | None, text: Texts) -> tuple[Flag, ...]:
    """Return what is worth a look about an item."""
    if found is None:
        return (Flag("new", text("rules.flag.new"), "", text("rules.flag.new.hint")),)
    figures, flags = found.figures, []
    if found.suggests:
        hint = text("rules.flag.suggests.hint", percent=round(100 * found.floor))
        flags.append(Flag("suggests", text("rules.flag.suggests"), "warn", hint))
    if figures.never_fires:
        hint = text("rules.flag.never.hint", count=figures.applicable)
        flags.append(Flag("never", text("rules.flag.never"), "warn", hint))
    if figures.always_fires:
        hint = text("rules.flag.always.hint", count=figures.applicable)
        flags.append(Flag("never", text("rules.flag.always"), "warn", hint))
    if found.alike:
        hint = text("rules.flag.alike.hint", count=len(found.alike))
        flags.append(Flag("alike", text("rules.flag.alike"), "accent", hint))
    if found.drifts and figures.recent_rate is not None and figures.earlier_rate is not None:
        hint = text(
            "rules.flag.drift.hint",
            recent=_percent(figures.recent_rate),
            earlier=_percent(figures.earlier_rate),
        )
        flags.append(Flag("drift", text("rules.flag.drift"), "accent", hint))
    if figures.reviewed_hits < min(figures.hits, ENOUGH_REVIEWS):
        hint = text("rules.flag.unreviewed.hint", count=figures.reviewed_hits, enough=ENOUGH_REVIEWS)
        flags.append(Flag("unreviewed", text("rules.flag.unreviewed"), "", hint))
    return tuple(flags)


def worth_of(item: Item, text: Texts) -> str:
    """Return what an item counts, as ``+5`` or ``−20``."""
    points = f"{item.points:g}"
    if item.suggest_only:
        return text("rules.worth.nothing")
    return {Scoring.TAKE: f"−{points}", Scoring.ADD: f"+{points}"}.get(item.counts_as, points)


def _share_of(row: LabRow, column: str) -> ShareView | None:
    return {"fires": row.fires, "precision": row.precision}.get(column, row.recall)


def _row(
    definition: ScorecardDefinition,
    item: Item,
    found: Found | None,
    floors: Floors,
    titles: Mapping[tuple[str, str], str],
    text: Texts,
) -> LabRow:
    figures = found.figures if found else None
    sections = {
        section.id: section.title_zh if text.language == "zh" else section.title_en
        for section in definition.sections
    }
    return LabRow(
        id=item.id,
        title=title_of(item, text),
        url=item_url(definition.id, item.id),
        scorecard=title_of(definition, text),
        scorecard_url=f"/rules/{definition.id}",
        section=sections.get(item.section, ""),
        worth=worth_of(item, text),
        vetoes=item.auto_fail,
        fires=fires_view(figures) if figures else None,
        precision=share_view(figures.precision) if figures else None,
        recall=share_view(figures.recall) if figures else None,
        flags=flags_of(found, text),
        floor=round(100 * floors.get((definition.id, item.id), DEFAULT_FLOOR)),
        twins=_twins(found, titles, text),
    )


def _twins(found: Found | None, titles: Mapping[tuple[str, str], str], text: Texts) -> tuple[TwinView, ...]:
    if found is None:
        return ()
    return tuple(
        TwinView(
            titles.get((twin.definition, twin.item), f"{twin.definition} · {twin.item}"),
            item_url(id_of(twin.definition), twin.item),
            text("rules.alike.written")
            if twin.same_definition
            else text("rules.alike.told", share=_percent(twin.jaccard), count=twin.both),
        )
        for twin in found.alike
    )


def item_url(scorecard: str, item: str) -> str:
    """Return the address of an item's page."""
    return f"/rules/{scorecard}/items/{item}"


def _share(share: float, low: float, high: float, n: int) -> ShareView:
    return ShareView(
        _percent(share), _percent(low), _percent(high), n, round(100 * share), share, (low, high)
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
