"""``huaxiang eval calls``: labels of recognised turns against the truth, matched by time.

A recogniser cuts speech into turns differently from the people who wrote the truth. Each recognised
turn is matched with the true turn of the same party whose time it shares most (of either party where
none of the same is near), and what was found in all recognised turns of a true turn is judged as if
it had been found there. What was found in a turn that matches nothing is a false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from huaxiang.core.types import Finding, FindingKind, Insights, Role, Transcript
from huaxiang.nlp.conversation_file import TurnTruth, parse_turn_truth
from huaxiang.nlp.evaluate import NlpScores, add_turn

LEAST_SHARE = 0.25
"""A recognised turn belongs to a true one where at least this share of it lies within."""


class Timed(Protocol):
    """Somebody's turn from ``start_ms`` to ``end_ms``."""

    @property
    def role(self) -> Role:
        """Who speaks."""

    @property
    def start_ms(self) -> int:
        """When it begins."""

    @property
    def end_ms(self) -> int:
        """When it ends."""


@dataclass(frozen=True, slots=True)
class TimedTruth:
    """A true turn: who speaks from when to when, and its labels."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    truth: TurnTruth


@dataclass(frozen=True, slots=True)
class Alignment:
    """For each recognised turn, in order, the place of its true turn, or ``None``."""

    true_turn: tuple[int | None, ...]

    def recognised(self, true_turn: int) -> tuple[int, ...]:
        """Return the places of the recognised turns that make up a true one."""
        return tuple(place for place, match in enumerate(self.true_turn) if match == true_turn)


def read_timed_truth(document: Mapping[str, Any]) -> tuple[TimedTruth, ...]:
    """Return the true turns of a call's JSON. Raises InvalidConversation for unknown labels."""
    return tuple(
        TimedTruth(
            role=Role(turn["role"]),
            start_ms=int(turn["start_ms"]),
            end_ms=int(turn["end_ms"]),
            text=turn["text"],
            truth=parse_turn_truth(turn, f"turn {place}"),
        )
        for place, turn in enumerate(document["turns"])
    )


def align_calls(truth_turns: Sequence[TimedTruth], transcript: Transcript) -> Alignment:
    """Match recognised turns with true ones by the time they share."""
    return Alignment(tuple(best_match(truth_turns, turn) for turn in transcript.turns))


def best_match(turns: Sequence[Timed], turn: Timed) -> int | None:
    """Return the place of the turn that ``turn`` shares most time with, of its own party where one is near.

    None where no turn holds ``LEAST_SHARE`` of it.
    """
    end_ms = max(turn.end_ms, turn.start_ms + 1)
    best: tuple[bool, int, int] | None = None
    for place, other in enumerate(turns):
        shared = min(end_ms, other.end_ms) - max(turn.start_ms, other.start_ms)
        if shared < LEAST_SHARE * (end_ms - turn.start_ms):
            continue
        candidate = (other.role is turn.role, shared, -place)
        best = candidate if best is None or candidate > best else best
    return None if best is None else -best[2]


def score_aligned(
    truth_turns: Sequence[TimedTruth],
    transcript: Transcript,
    insights: Insights,
    scores: NlpScores | None = None,
) -> NlpScores:
    """Count a recognised call's findings against its true turns, onto ``scores`` where given."""
    counted = scores or NlpScores()
    alignment = align_calls(truth_turns, transcript)
    place_of = {turn.index: place for place, turn in enumerate(transcript.turns)}
    by_truth: dict[int | None, list[Finding]] = {}
    for finding in insights.findings:
        match = alignment.true_turn[place_of[finding.turn]]
        by_truth.setdefault(match, []).append(finding)
    for place, true in enumerate(truth_turns):
        add_turn(counted, _strongest_mood(by_truth.get(place, [])), true.truth)
    if by_truth.get(None):
        add_turn(counted, _strongest_mood(by_truth[None]), TurnTruth())
    return counted


def _strongest_mood(findings: list[Finding]) -> list[Finding]:
    """Keep one mood and one objection a true turn: the surest."""
    kept = []
    for kind in (FindingKind.SENTIMENT, FindingKind.OBJECTION):
        of_kind = [finding for finding in findings if finding.kind is kind]
        if of_kind:
            kept.append(max(of_kind, key=lambda finding: finding.confidence))
    return kept + [f for f in findings if f.kind not in (FindingKind.SENTIMENT, FindingKind.OBJECTION)]
