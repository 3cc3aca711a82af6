"""Corrections of what was heard: of a turn's text or speaker, and of findings. Rows are only added.

A correction is undone by a further row, which may itself be undone. What a seller proposes counts when
a manager accepts it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huaxiang.core.errors import IllegalTransition, InvalidInput, NotFound
from huaxiang.core.types import Finding, FindingKind, Json, Role
from huaxiang.nlp.labels import ACTS, ENTITY_TYPES, INTENTS, NEXT_STEPS, OBJECTIONS, SENTIMENTS
from huaxiang.quality.review.outcomes import Actor

MAX_TEXT = 4000
LABELS: Mapping[FindingKind, Collection[str]] = {
    FindingKind.INTENT: INTENTS,
    FindingKind.OBJECTION: OBJECTIONS,
    FindingKind.SENTIMENT: SENTIMENTS,
    FindingKind.ACT: ACTS,
    FindingKind.ENTITY: ENTITY_TYPES,
    FindingKind.NEXT_STEP: NEXT_STEPS,
}
"""The kinds of finding that people may add or call otherwise, with their labels."""


class CorrectionKind(StrEnum):
    """What is corrected, or what is said of another correction."""

    TURN_TEXT = "turn_text"
    TURN_ROLE = "turn_role"
    FINDING_WRONG = "finding_wrong"
    FINDING_RIGHT = "finding_right"
    FINDING_LABEL = "finding_label"
    FINDING_MISSED = "finding_missed"
    UNDO = "undo"
    ACCEPT = "accept"
    DECLINE = "decline"


ABOUT_CORRECTIONS = frozenset({CorrectionKind.UNDO, CorrectionKind.ACCEPT, CorrectionKind.DECLINE})
ABOUT_FINDINGS = frozenset(
    {CorrectionKind.FINDING_WRONG, CorrectionKind.FINDING_RIGHT, CorrectionKind.FINDING_LABEL}
)


@dataclass(frozen=True, slots=True)
class Target:
    """The finding that a correction is about: its id, and what it said, as ids change when a call is
    processed again."""

    id: str
    kind: FindingKind
    label: str
    turn: int

    def matches(self, finding: Finding) -> bool:
        """Tell whether a finding is the one that was meant."""
        if finding.id == self.id:
            return True
        return (finding.kind, finding.label, finding.turn) == (self.kind, self.label, self.turn)


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to correct; which fields are needed depends on the kind.

    ``turn`` with ``text`` or ``role``; ``finding`` (with ``label`` to call it otherwise);
    ``finding_kind``, ``label`` and the quoted span of ``turn`` for one that was missed; ``target``
    for an undo or a decision on a proposal. ``heard`` is the turn's text that a span was marked in.
    """

    kind: CorrectionKind
    turn: int | None = None
    text: str | None = None
    role: Role | None = None
    finding: Target | None = None
    finding_kind: FindingKind | None = None
    label: str | None = None
    char_start: int | None = None
    char_end: int | None = None
    value: Json = None
    target: str | None = None
    heard: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """One row of the log of a call's corrections; ``sequence`` counts from 1.

    ``before`` has the automatic ``text`` of the turn, by which it is seen whether the call was
    recognised anew since.
    """

    id: str
    sequence: int
    change: Change
    actor: Actor
    at: datetime
    proposed: bool = False
    reason: str = ""
    before: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force, in order, and what still waits for a decision."""

    in_force: tuple[Correction, ...]
    waiting: tuple[Correction, ...]
    undone: frozenset[str]
    declined: frozenset[str]


def standing(corrections: Sequence[Correction]) -> Standing:
    """Return what holds of a log of corrections, in the order of ``sequence``."""
    undone: set[str] = set()
    decided: dict[str, CorrectionKind] = {}
    for one in reversed(corrections):
        if one.id in undone or one.change.target is None:
            continue
        if one.change.kind is CorrectionKind.UNDO:
            undone.add(one.change.target)
        else:
            decided.setdefault(one.change.target, one.change.kind)
    changes = [one for one in corrections if one.change.kind not in ABOUT_CORRECTIONS]
    open_ones = [one for one in changes if one.id not in undone]
    accepted = CorrectionKind.ACCEPT
    return Standing(
        in_force=tuple(one for one in open_ones if not one.proposed or decided.get(one.id) is accepted),
        waiting=tuple(one for one in open_ones if one.proposed and one.id not in decided),
        undone=frozenset(undone),
        declined=frozenset(key for key, kind in decided.items() if kind is CorrectionKind.DECLINE),
    )


def state_of(one: Correction, now: Standing) -> str | None:
    """Return in_force, waiting, undone or declined; None for a row that is about another."""
    if one.change.kind in ABOUT_CORRECTIONS:
        return None
    if one.id in now.undone:
        return "undone"
    if one.id in now.declined:
        return "declined"
    return "waiting" if one in now.waiting else "in_force"


def touched_turns(corrections: Sequence[Correction]) -> frozenset[int]:
    """Return the turns whose text, speaker or findings people have put right, by what is in force."""
    changes = (one.change for one in standing(corrections).in_force)
    turns = (change.finding.turn if change.finding else change.turn for change in changes)
    return frozenset(turn for turn in turns if turn is not None)


def check_form(change: Change) -> None:
    """Refuse a change that lacks what its kind needs. Raises InvalidInput naming the field."""
    match change.kind:
        case CorrectionKind.TURN_TEXT:
            _need(change.turn is not None, "turn")
            _need(bool(change.text and change.text.strip()), "text")
            _need(len(change.text or "") <= MAX_TEXT, "text")
        case CorrectionKind.TURN_ROLE:
            _need(change.turn is not None, "turn")
            _need(change.role in (Role.AGENT, Role.CUSTOMER), "role")
        case CorrectionKind.FINDING_WRONG | CorrectionKind.FINDING_RIGHT:
            _need(change.finding is not None, "finding")
        case CorrectionKind.FINDING_LABEL:
            _need(change.finding is not None, "finding")
            _known_label(change.finding.kind if change.finding else None, change.label)
        case CorrectionKind.FINDING_MISSED:
            _need(change.turn is not None, "turn")
            _known_label(change.finding_kind, change.label)
            start, end = change.char_start, change.char_end
            _need(start is not None and end is not None and 0 <= start < end, "char_start")
        case _:
            _need(change.target is not None, "target")


def check_target(change: Change, corrections: Sequence[Correction]) -> None:
    """Refuse an undo or decision that finds nothing to undo or decide.

    Raises NotFound for a correction that is not there, and IllegalTransition for one that is undone
    or decided already.
    """
    if change.kind not in ABOUT_CORRECTIONS:
        return
    if change.target not in {one.id for one in corrections}:
        raise NotFound("this recording has no such correction")
    now = standing(corrections)
    if change.target in now.undone:
        raise IllegalTransition("this correction is undone already")
    if change.kind is not CorrectionKind.UNDO and change.target not in {one.id for one in now.waiting}:
        raise IllegalTransition("this correction is no proposal that waits for a decision")


def _known_label(kind: FindingKind | None, label: str | None) -> None:
    labels = LABELS.get(kind) if kind else None
    _need(labels is not None, "finding_kind")
    _need(labels is not None and label in labels, "label")


def _need(holds: bool, name: str) -> None:
    if not holds:
        raise InvalidInput(f"this correction needs a usable {name}", fields=name)
