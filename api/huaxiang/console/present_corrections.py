"""Shows the corrections of a call, and the form by which a turn is corrected. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from difflib import SequenceMatcher

from huaxiang.console.present import MARKED, clock, finding_words
from huaxiang.console.texts import Texts
from huaxiang.core.types import Finding, FindingKind, Insights, Role, Transcript, Turn
from huaxiang.quality.review.corrections import (
    ABOUT_CORRECTIONS,
    LABELS,
    Change,
    Correction,
    CorrectionKind,
    standing,
    state_of,
)

KEPT_CHARS = 6
"""So many unchanged characters are shown around what was changed in a text."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A run of a changed text: ``how`` is kept, taken or added."""

    how: str
    text: str


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A correction in the list: ``state`` is in_force, waiting, undone or declined.

    ``undo`` names the row that a further row would undo: this one, or its undoing. ``decides`` tells
    whether the reader may accept or decline it.
    """

    id: str
    turn: int | None
    clock: str
    what: str
    differences: tuple[Difference, ...]
    who: str
    when: str
    reason: str
    state: str
    undo: str | None
    decides: bool


@dataclass(frozen=True, slots=True)
class FindingChoice:
    """A finding of the turn in the form, with what may be said of it."""

    name: str
    words: str
    options: tuple[tuple[str, str], ...]
    value: str = ""


@dataclass(frozen=True, slots=True)
class TurnForm:
    """The form of one turn. ``heard`` is the automatic text where it was corrected before.

    ``wrong`` are mistakes in what was sent, by field.
    """

    index: int
    text: str
    heard: str
    role: str
    findings: tuple[FindingChoice, ...]
    missed: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    seen: int
    missed_label: str = ""
    quote: str = ""
    reason: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)


def correction_views(
    log: Sequence[Correction],
    transcript: Transcript,
    text: Texts,
    zone: tzinfo,
    reader: str,
    *,
    decides: bool,
) -> tuple[CorrectionView, ...]:
    """Return a call's corrections, the newest first.

    ``reader`` is the key of who looks: without ``decides`` they may take back only what they proposed.
    """
    now = standing(log)
    turns = {turn.index: turn for turn in transcript.turns}
    undoings = {
        one.change.target: one.id
        for one in log
        if one.change.kind is CorrectionKind.UNDO and one.id not in now.undone
    }
    return tuple(
        CorrectionView(
            id=one.id,
            turn=one.change.turn if one.change.turn is not None else _turn_of(one.change),
            clock=_clock(one.change, turns, timed=transcript.timed),
            what=_what(one.change, text),
            differences=_differences(one),
            who=one.actor.name,
            when=one.at.astimezone(zone).strftime("%m-%d %H:%M"),
            reason=one.reason,
            state=(state := state_of(one, now) or ""),
            undo=_undo(one, state, undoings) if _may_undo(one, state, reader, decides=decides) else None,
            decides=decides and state == "waiting",
        )
        for one in reversed(log)
        if one.change.kind not in ABOUT_CORRECTIONS
    )


def turn_form(
    turn: Turn, automatic: Turn | None, findings: Sequence[Finding], seen: int, text: Texts
) -> TurnForm:
    """Return the form for a turn in its corrected form; ``seen`` is the last correction that is known."""
    heard = automatic.text if automatic is not None and automatic.text != turn.text else ""
    return TurnForm(
        index=turn.index,
        text=turn.text,
        heard=heard,
        role=turn.role.value,
        findings=tuple(_choice(finding, text) for finding in findings if finding.kind in MARKED),
        missed=tuple(_missed(turn.role, text)),
        seen=seen,
    )


def findings_of(insights: Insights, turn: int) -> list[Finding]:
    """Return the findings that stand at a turn, those of single turns alone."""
    return [one for one in insights.findings if one.turn == turn and one.kind in MARKED]


def differences(before: str, after: str) -> tuple[Difference, ...]:
    """Return what was changed in a text, with a few characters around each change."""
    parts: list[Difference] = []
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for place, (kind, first, last, begins, ends) in enumerate(blocks):
        if kind == "equal":
            kept = _shortened(before[first:last], is_first=place == 0, is_last=place == len(blocks) - 1)
            parts.append(Difference("kept", kept))
            continue
        if first < last:
            parts.append(Difference("taken", before[first:last]))
        if begins < ends:
            parts.append(Difference("added", after[begins:ends]))
    return tuple(parts)


def _shortened(words: str, *, is_first: bool, is_last: bool) -> str:
    if len(words) <= 2 * KEPT_CHARS:
        return words
    if is_first:
        return f"…{words[-KEPT_CHARS:]}"
    if is_last:
        return f"{words[:KEPT_CHARS]}…"
    return f"{words[:KEPT_CHARS]}…{words[-KEPT_CHARS:]}"


def _may_undo(one: Correction, state: str, reader: str, *, decides: bool) -> bool:
    """Tell whether a reader may undo a correction: their own, and a manager whatever is no open proposal."""
    return one.actor.key == reader or (decides and state != "waiting")


def _undo(one: Correction, state: str, undoings: Mapping[str | None, str]) -> str | None:
    if state == "declined":
        return None
    return undoings.get(one.id) if state == "undone" else one.id


def _turn_of(change: Change) -> int | None:
    return change.finding.turn if change.finding is not None else change.turn


def _clock(change: Change, turns: Mapping[int, Turn], *, timed: bool) -> str:
    turn = turns.get(index) if (index := _turn_of(change)) is not None else None
    return clock(turn.start_ms) if timed and turn is not None else ""


def _what(change: Change, text: Texts) -> str:
    kind = text(f"correction.kind.{change.kind.value}")
    if change.role is not None:
        return f"{kind} {text(f'role.{change.role.value}')}"
    finding = change.finding
    words = finding_words(finding.kind, finding.label, text) if finding is not None else ""
    if change.kind is CorrectionKind.FINDING_LABEL and finding is not None and change.label is not None:
        return f"{kind} {words} → {finding_words(finding.kind, change.label, text)}"
    if change.finding_kind is not None and change.label is not None:
        words = finding_words(change.finding_kind, change.label, text)
    return f"{kind} {words}".strip()


def _differences(one: Correction) -> tuple[Difference, ...]:
    change = one.change
    if change.kind is CorrectionKind.TURN_TEXT and change.text is not None:
        return differences(str(one.before.get("text", "")), change.text)
    if change.heard is not None and change.char_start is not None and change.char_end is not None:
        return (Difference("added", change.heard[change.char_start : change.char_end]),)
    return ()


def _choice(finding: Finding, text: Texts) -> FindingChoice:
    words = finding_words(finding.kind, finding.label, text)
    options = [("", text("correct.finding.keep")), ("right", text("correct.finding.right"))]
    options.append(("wrong", text("correct.finding.wrong")))
    for label in LABELS.get(finding.kind, ()):
        if label != finding.label and label != "none":
            name = finding_words(finding.kind, label, text, with_kind=False)
            options.append((f"label:{label}", text("correct.finding.label", label=name)))
    quote = finding.evidence[0].quote
    return FindingChoice(f"finding.{finding.id}", f"{words} 「{quote}」", tuple(options))


def _missed(role: Role, text: Texts) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Give what may be added to a turn, by kind; what only the other party can say is not offered."""
    only = {
        FindingKind.ACT: Role.AGENT,
        FindingKind.INTENT: Role.CUSTOMER,
        FindingKind.OBJECTION: Role.CUSTOMER,
    }
    for kind, labels in LABELS.items():
        if role is not Role.UNKNOWN and only.get(kind, role) is not role:
            continue
        names = [(f"{kind.value}:{label}", _name(kind, label, text)) for label in labels if label != "none"]
        yield text(f"kind.{kind.value}"), tuple(names)


def _name(kind: FindingKind, label: str, text: Texts) -> str:
    return finding_words(kind, label, text, with_kind=False)
