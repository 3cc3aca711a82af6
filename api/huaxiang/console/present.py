"""Turns stored results into what the recording page shows. Pure functions, no database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from huaxiang.console.clips import Clip as Clip
from huaxiang.console.clips import clip_of as clip_of
from huaxiang.console.clips import clock as clock
from huaxiang.console.present_doubt import Doubt
from huaxiang.console.texts import Texts
from huaxiang.core.types import (
    Finding,
    FindingKind,
    Insights,
    Json,
    Role,
    Transcript,
    Turn,
)

# The kind that shows where findings of several kinds quote the same words.
MARKED = (
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
class Segment:
    """A run of a turn's text; ``mark`` is the kind of the finding that quotes it, or empty.

    ``clip`` plays that finding's words; ``doubt`` is the recogniser's confidence in percent where it is low.
    """

    text: str
    mark: str = ""
    title: str = ""
    tone: str = ""
    clip: Clip | None = None
    doubt: int | None = None


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
    is_corrected: bool = False


def number(value: float) -> str:
    """Return a number without needless zeros, with thousands apart."""
    value = value or 0  # what rounds to nothing from below keeps a minus
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0")


def signed(value: float, places: int = 1) -> str:
    """Return a difference with its sign and a minus of full width; ``±0`` where it rounds to nothing."""
    told = f"{value:+.{places}f}"
    return "±0" if float(told) == 0 else told.replace("-", "−")


def turn_views(
    transcript: Transcript,
    insights: Insights | None,
    text: Texts,
    doubts: Mapping[int, Sequence[Doubt]] | None = None,
) -> list[TurnView]:
    """Return all turns in order, each with the findings whose first evidence lies in it.

    ``doubts`` are the places that were heard badly, by turn.
    """
    by_turn: dict[int, list[Finding]] = {}
    for finding in insights.findings if insights else ():
        by_turn.setdefault(finding.turn, []).append(finding)
    badly = doubts or {}
    return [
        _turn_view(turn, by_turn.get(turn.index, []), badly.get(turn.index, ()), text)
        for turn in transcript.turns
    ]


def moments(turns: Iterable[TurnView], duration_ms: int) -> Sequence[tuple[int, int, str]]:
    """Return the good and bad findings of a recording as (start, width, tone) in ms, cut to it."""
    found = []
    for turn in turns:
        for finding in turn.findings:
            if finding.clip is None or finding.tone == "plain":
                continue
            start, end = min(finding.clip.start_ms, duration_ms), min(finding.clip.end_ms, duration_ms)
            found.append((start, max(end - start, 1), finding.tone))
    return found


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


def _turn_view(turn: Turn, findings: list[Finding], doubts: Sequence[Doubt], text: Texts) -> TurnView:
    # What is drawn from several turns is no part of any one of them.
    of_turns = [finding for finding in findings if finding.kind in MARKED]
    ordered = sorted(of_turns, key=lambda finding: MARKED.index(finding.kind))
    views = tuple(_finding_view(finding, text) for finding in ordered)
    return TurnView(
        index=turn.index,
        role=turn.role.value,
        role_text=text(f"role.{turn.role.value}"),
        role_percent=round(100 * turn.role_confidence),
        start_ms=turn.start_ms,
        end_ms=turn.end_ms,
        clock=clock(turn.start_ms),
        segments=_segments(turn, ordered, doubts, text),
        findings=views,
    )


def _finding_view(finding: Finding, text: Texts) -> FindingView:
    first = finding.evidence[0]
    return FindingView(
        id=finding.id,
        kind=finding.kind.value,
        kind_text=text(f"kind.{finding.kind.value}"),
        text=_label(finding, text),
        value=_value(finding, text),
        percent=round(100 * finding.confidence),
        source=finding.source,
        for_review=finding.for_review,
        tone=_tone(finding),
        clip=clip_of(first),
        quote=first.quote,
    )


def _value(finding: Finding, text: Texts) -> str:
    """Return a finding's value in words: of a next step when it is due, and whether it is agreed."""
    value = finding.value
    if finding.kind is not FindingKind.NEXT_STEP or not isinstance(value, Mapping):
        return value_text(finding.label, value)
    due = value_text("time", value.get("due_at")) or value_text("", value.get("due_text"))
    agreed = text("step.agreed" if value.get("agreed") else "step.proposed")
    return " · ".join(part for part in (due, agreed) if part)


def finding_words(kind: FindingKind, label: str, text: Texts, *, with_kind: bool = True) -> str:
    """Return what a finding says in words: its label, with the kind before it."""
    group = "step" if kind is FindingKind.NEXT_STEP else kind.value
    words = "" if label == kind.value else text.label(group, label)
    return f"{text('kind.' + kind.value)} {words}".strip() if with_kind else words


def _label(finding: Finding, text: Texts) -> str:
    """Return the label in words; nothing where it only repeats the kind."""
    return finding_words(finding.kind, finding.label, text, with_kind=False)


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


def _segments(
    turn: Turn, findings: Sequence[Finding], doubts: Sequence[Doubt], text: Texts
) -> tuple[Segment, ...]:
    """Cut a turn's text at its quotes and doubts.

    A quote of the whole turn marks nothing: its chip says it.
    """
    spans = [
        (item.char_start, item.char_end, finding)
        for finding in findings
        for item in finding.evidence
        if item.turn == turn.index and item.char_end - item.char_start < len(turn.text)
    ]
    badly = [(one.char_start, one.char_end, one) for one in doubts if one.char_end <= len(turn.text)]
    edges = [(start, end) for start, end, _ in spans] + [(start, end) for start, end, _ in badly]
    cuts = sorted({0, len(turn.text), *(cut for edge in edges for cut in edge)})
    return tuple(
        _segment(
            turn.text[start:end],
            [finding for first, last, finding in spans if first <= start and end <= last],
            next((one for first, last, one in badly if first <= start and end <= last), None),
            text,
        )
        for start, end in pairwise(cuts)
    )


def _segment(words: str, over: Sequence[Finding], doubt: Doubt | None, text: Texts) -> Segment:
    titles = [finding_words(finding.kind, finding.label, text) for finding in over]
    percent = None if doubt is None else round(100 * doubt.confidence)
    if percent is not None:
        titles.append(text("doubt.word", percent=percent))
    return Segment(
        text=words,
        mark=over[0].kind.value if over else "",
        title=" / ".join(titles),
        tone=_tone(over[0]) if over else "",
        clip=clip_of(over[0].evidence[0]) if over else None,
        doubt=percent,
    )
