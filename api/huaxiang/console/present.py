"""Turns stored results into what the recording page shows. Pure functions, no database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from huaxiang.console.texts import Texts
from huaxiang.core.types import (
    Evidence,
    Finding,
    FindingKind,
    Insights,
    Json,
    Role,
    Scorecard,
    ScorecardItem,
    Transcript,
    Turn,
)

# The kind that shows where findings of several kinds quote the same words.
_MARK_ORDER = (
    FindingKind.OBJECTION,
    FindingKind.INTENT,
    FindingKind.NEXT_STEP,
    FindingKind.NEED,
    FindingKind.COMPETITOR,
    FindingKind.PRODUCT,
    FindingKind.ENTITY,
    FindingKind.SENTIMENT,
    FindingKind.ACT,
)
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$")
FORBIDDEN_ACTS = frozenset({"overpromise", "pressure", "rude", "disparage"})


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of audio to hear, in ms; ``label`` is its start as a clock."""

    start_ms: int
    end_ms: int
    label: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of a turn's text; ``mark`` is the kind of the finding that quotes it, or empty."""

    text: str
    mark: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding as a chip beside its turn. ``tone`` colours it: bad, good, warn or plain."""

    id: str
    kind: str
    kind_text: str
    text: str
    value: str
    percent: int
    source: str
    for_review: bool
    tone: str
    clip: Clip | None
    quote: str


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn with its text cut at the quotes and its findings beside it."""

    index: int
    role: str
    role_text: str
    role_percent: int
    start_ms: int
    end_ms: int
    clock: str
    segments: tuple[Segment, ...]
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One judged item: ``state`` is passed, failed or na."""

    id: str
    title: str
    state: str
    points: str
    percent: int
    auto_fail: bool
    for_review: bool
    reason: str
    clips: tuple[tuple[Clip, str], ...]
    window: Clip | None


@dataclass(frozen=True, slots=True)
class ScorecardView:
    """A scorecard: ``share`` is score of possible in percent; None where nothing applied."""

    definition: str
    score: str
    possible: str
    share: int | None
    auto_failed: bool
    items: tuple[ItemView, ...]


def clock(position_ms: int) -> str:
    """Return a position as ``m:ss``, from one hour on as ``h:mm:ss``."""
    seconds = position_ms // 1000
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def number(value: float) -> str:
    """Return a number without needless zeros, with thousands apart."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0")


def turn_views(transcript: Transcript, insights: Insights | None, text: Texts) -> list[TurnView]:
    """Return all turns in order, each with the findings whose first evidence lies in it."""
    by_turn: dict[int, list[Finding]] = {}
    for finding in insights.findings if insights else ():
        by_turn.setdefault(finding.turn, []).append(finding)
    return [_turn_view(turn, by_turn.get(turn.index, []), text) for turn in transcript.turns]


def scorecard_view(scorecard: Scorecard, text: Texts) -> ScorecardView:
    """Return a scorecard for the page."""
    return ScorecardView(
        definition=scorecard.definition,
        score=number(scorecard.score),
        possible=number(scorecard.possible),
        share=round(100 * scorecard.score / scorecard.possible) if scorecard.possible else None,
        auto_failed=scorecard.auto_failed,
        items=tuple(_item_view(item, text) for item in scorecard.items),
    )


def lanes(turns: Iterable[TurnView], duration_ms: int) -> Mapping[str, Sequence[tuple[int, int]]]:
    """Return for each role its stretches as (start, width) in ms, cut to the recording."""
    found: dict[str, list[tuple[int, int]]] = {}
    for turn in turns:
        start, end = min(turn.start_ms, duration_ms), min(turn.end_ms, duration_ms)
        found.setdefault(turn.role, []).append((start, max(end - start, 1)))
    return {role.value: found[role.value] for role in Role if role.value in found}


def page_data(turns: Iterable[TurnView]) -> Json:
    """Return what the player's script needs of the turns: index, start and end in ms."""
    return [[turn.index, turn.start_ms, turn.end_ms] for turn in turns]


def clip_of(evidence: Evidence) -> Clip | None:
    """Return the stretch of audio under a quote; None for a typed conversation."""
    if evidence.start_ms is None or evidence.end_ms is None:
        return None
    return Clip(evidence.start_ms, max(evidence.end_ms, evidence.start_ms + 1), clock(evidence.start_ms))


def value_text(label: str, value: Json) -> str:
    """Return a finding's normalised value for people: yuan with its sign, lists joined."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, int | float):
        return f"¥{number(value)}" if label == "money" else number(value)
    if isinstance(value, str):
        return _TIME.sub(r"\1 \2", value) if label == "time" else value
    if isinstance(value, Mapping):
        return " · ".join(f"{key} {value_text('', part)}" for key, part in value.items() if part is not None)
    return "、".join(value_text(label, part) for part in value)


def _turn_view(turn: Turn, findings: list[Finding], text: Texts) -> TurnView:
    # What is drawn from several turns is no part of any one of them.
    of_turns = [finding for finding in findings if finding.kind in _MARK_ORDER]
    ordered = sorted(of_turns, key=lambda finding: _MARK_ORDER.index(finding.kind))
    views = tuple(_finding_view(finding, text) for finding in ordered)
    return TurnView(
        index=turn.index,
        role=turn.role.value,
        role_text=text(f"role.{turn.role.value}"),
        role_percent=round(100 * turn.role_confidence),
        start_ms=turn.start_ms,
        end_ms=turn.end_ms,
        clock=clock(turn.start_ms),
        segments=_segments(turn, ordered, text),
        findings=views,
    )


def _finding_view(finding: Finding, text: Texts) -> FindingView:
    first = finding.evidence[0]
    return FindingView(
        id=finding.id,
        kind=finding.kind.value,
        kind_text=text(f"kind.{finding.kind.value}"),
        text=_label(finding, text),
        value=value_text(finding.label, finding.value),
        percent=round(100 * finding.confidence),
        source=finding.source,
        for_review=finding.for_review,
        tone=_tone(finding),
        clip=clip_of(first),
        quote=first.quote,
    )


def _label(finding: Finding, text: Texts) -> str:
    """Return the label in words; nothing where it only repeats the kind."""
    if finding.label == finding.kind.value:
        return ""
    group = "step" if finding.kind is FindingKind.NEXT_STEP else finding.kind.value
    return text.label(group, finding.label)


def _tone(finding: Finding) -> str:
    if finding.kind is FindingKind.OBJECTION or finding.label in FORBIDDEN_ACTS | {
        "negative",
        "reject",
        "complain",
    }:
        return "bad"
    if finding.label in {"positive", "purchase_intent", "agree_next_step"}:
        return "good"
    return "plain"


def _segments(turn: Turn, findings: Sequence[Finding], text: Texts) -> tuple[Segment, ...]:
    """Cut a turn's text at its quotes. A quote of the whole turn marks nothing: its chip says it."""
    spans = [
        (item.char_start, item.char_end, finding)
        for finding in findings
        for item in finding.evidence
        if item.turn == turn.index and item.char_end - item.char_start < len(turn.text)
    ]
    cuts = sorted({0, len(turn.text), *(cut for start, end, _ in spans for cut in (start, end))})
    segments = []
    for start, end in pairwise(cuts):
        over = [finding for first, last, finding in spans if first <= start and end <= last]
        if over:
            titles = [f"{text('kind.' + f.kind.value)} {_label(f, text)}".strip() for f in over]
            segments.append(Segment(turn.text[start:end], over[0].kind.value, " / ".join(titles)))
        else:
            segments.append(Segment(turn.text[start:end]))
    return tuple(segments)


def _item_view(item: ScorecardItem, text: Texts) -> ItemView:
    window = item.window
    searched = None
    if window is not None and window.start_ms is not None and window.end_ms is not None:
        label = f"{clock(window.start_ms)}–{clock(window.end_ms)}"
        searched = Clip(window.start_ms, max(window.end_ms, window.start_ms + 1), label)
    clips = ((clip_of(evidence), evidence.quote) for evidence in item.evidence)
    return ItemView(
        id=item.id,
        title=text.words.get(f"item.{item.id}", item.title),
        state="na" if item.passed is None else "passed" if item.passed else "failed",
        points="–" if item.passed is None else f"{number(item.points)}/{number(item.possible)}",
        percent=round(100 * item.confidence),
        auto_fail=item.auto_fail,
        for_review=item.for_review,
        reason=item.reason,
        clips=tuple((clip, quote) for clip, quote in clips if clip is not None),
        window=searched,
    )
