"""Turns calibrations into what their pages show: progress while they are open, agreement when closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from huaxiang.console.charts import Chart, Series, interval_chart
from huaxiang.console.present import number
from huaxiang.console.present_review import MARKS, call_title
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.core.types import Recording
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.review.agreement import Agreement
from huaxiang.quality.review.calibration import Calibration, CalibrationResult

GOOD, FAIR = 0.8, 0.667
"""Krippendorff (2004, p. 241): rely on 0.8 and more, draw tentative conclusions from 0.667 on."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A calibration in the list; ``mine`` is how many calls are left for who looks."""

    id: str
    title: str
    when: str
    reviewers: str
    calls: int
    scored: int
    wanted: int
    left: int
    closed: bool


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call of a calibration; ``scored`` is whether who looks has scored it."""

    recording_id: str
    title: str
    when: str
    scored: bool


@dataclass(frozen=True, slots=True)
class AgreementView:
    """Alpha in words and figures; ``tone`` is good, warn or bad."""

    alpha: str
    interval: str
    units: int
    unanimous: str
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """How far reviewers agree on an item, and what they said of each call where they did not."""

    title: str
    agreement: AgreementView
    differences: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ReviewerRow:
    """A reviewer against the others, and against the rules."""

    name: str
    difference: str
    interval: str
    drift: str
    calls: int
    with_rules: AgreementView


@dataclass(frozen=True, slots=True)
class ResultView:
    """The agreement of a closed calibration."""

    overall: AgreementView
    totals: AgreementView
    items: tuple[ItemRow, ...]
    reviewers: tuple[ReviewerRow, ...]
    chart: Chart


def session_row(session: Calibration, me: str, text: Texts, zone: tzinfo) -> SessionRow:
    """Return a calibration for the list."""
    mine = len(session.scored_by(me)) if me in session.reviewers else len(session.calls)
    return SessionRow(
        id=session.id,
        title=session.title,
        when=local_time(session.created_at, zone),
        reviewers=text("list.comma").join(session.reviewers),
        calls=len(session.calls),
        scored=len(session.scores),
        wanted=len(session.calls) * len(session.reviewers),
        left=0 if session.open_to_all else len(session.calls) - mine,
        closed=session.open_to_all,
    )


def call_rows(
    session: Calibration, recordings: Mapping[str, Recording], me: str, zone: tzinfo
) -> tuple[CallRow, ...]:
    """Return the calls of a calibration in order."""
    scored = session.scored_by(me)
    rows = []
    for call in session.calls:
        recording = recordings.get(call.recording_id)
        held_at = (recording.metadata.started_at or recording.received_at) if recording else None
        title = call_title(recording) if recording else call.recording_id
        rows.append(CallRow(call.recording_id, title, local_time(held_at, zone), call.recording_id in scored))
    return tuple(rows)


def result_view(
    session: Calibration,
    found: CalibrationResult,
    definition: ScorecardDefinition,
    calls: tuple[CallRow, ...],
    text: Texts,
) -> ResultView:
    """Return the agreement of a closed calibration for the page."""
    titles = {
        item.id: (item.title_en if text.language == "en" else item.title_zh) or item.title_zh or item.id
        for item in definition.items
    }
    items = tuple(
        ItemRow(titles[item], agreement_view(agreed, text), _differences(session, item, calls, text))
        for item, agreed in found.items.items()
    )
    reviewers = tuple(
        ReviewerRow(
            name=one.reviewer,
            difference=_signed(one.difference),
            interval=f"{_signed(one.low)} … {_signed(one.high)}" if one.low is not None else "",
            drift=f"{_signed(one.first_half)} → {_signed(one.second_half)}",
            calls=one.calls,
            with_rules=agreement_view(found.with_rules[one.reviewer], text),
        )
        for one in found.leniency
    )
    return ResultView(
        overall=agreement_view(found.overall, text),
        totals=agreement_view(found.totals, text),
        items=items,
        reviewers=reviewers,
        chart=_chart(found, titles, text),
    )


def agreement_view(agreed: Agreement, text: Texts) -> AgreementView:
    """Return alpha with what it means; where it is not defined, why."""
    if agreed.alpha is None:
        words = text("calibration.all_same") if agreed.unanimous == 1 else text("calibration.too_thin")
        tone = "good" if agreed.unanimous == 1 else ""
    elif agreed.alpha >= GOOD:
        words, tone = text("calibration.good"), "good"
    elif agreed.alpha >= FAIR:
        words, tone = text("calibration.fair"), "warn"
    elif agreed.high is not None and agreed.high >= GOOD:
        words, tone = text("calibration.uncertain"), ""
    else:
        words, tone = text("calibration.poor"), "bad"
    return AgreementView(
        alpha="–" if agreed.alpha is None else f"{agreed.alpha:.2f}",
        interval=_interval(agreed.low, agreed.high),
        units=agreed.units,
        unanimous="–" if agreed.unanimous is None else f"{agreed.unanimous:.0%}",
        tone=tone,
        words=words,
    )


def _differences(
    session: Calibration, item: str, calls: tuple[CallRow, ...], text: Texts
) -> tuple[tuple[str, str, str], ...]:
    """Return the calls in which reviewers said different things of an item: id, title, who said what."""
    found = []
    for call in calls:
        said = {
            one.reviewer: one.outcomes[item]
            for one in session.scores
            if one.recording_id == call.recording_id and item in one.outcomes
        }
        if len(set(said.values())) > 1:
            words = " · ".join(
                f"{name} {MARKS[outcome]} {text(f'verdict.{outcome.value}')}"
                for name, outcome in sorted(said.items())
            )
            found.append((call.recording_id, call.title, words))
    return tuple(found)


def _chart(found: CalibrationResult, titles: Mapping[str, str], text: Texts) -> Chart:
    items = list(found.items)
    agreed = [found.items[item] for item in items]
    series = Series(
        name=text("calibration.alpha"),
        values=[one.alpha for one in agreed],
        low=[one.low for one in agreed],
        high=[one.high for one in agreed],
    )
    return interval_chart(
        "alpha",
        text("calibration.by_item"),
        [titles[item] for item in items],
        series,
        axis=text("calibration.item"),
        reference=GOOD,
        most=1.0,
        note=text("calibration.chart_note"),
        size="large" if len(items) > 8 else "",
    )


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f} – {high:.2f}"


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    shown = number(round(abs(value), 1))
    return shown if shown == "0" else f"{'+' if value > 0 else '−'}{shown}"
