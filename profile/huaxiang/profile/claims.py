"""Claims about the customer, gathered from the findings of one conversation.

What several turns say alike is one claim: the strongest evidence comes first, and the confidences of
the turns are combined (``huaxiang.profile.confidence``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from huaxiang.core.types import (
    Evidence,
    Finding,
    FindingKind,
    Insights,
    Json,
    Recording,
    Role,
    Transcript,
    Turn,
)
from huaxiang.profile.confidence import combined
from huaxiang.profile.values import value_hash


@dataclass(frozen=True, slots=True)
class Claim:
    """A key and a value, how sure it is, what said so, and where it was said."""

    key: str
    value: Json
    confidence: float
    source: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A finding with its turn and the confidence that it is about the customer."""

    finding: Finding
    turn: Turn
    confidence: float

    @property
    def text(self) -> str:
        """The finding's value where it is a text, else the words that were quoted."""
        value = self.finding.value
        return value if isinstance(value, str) and value else self.finding.evidence[0].quote

    def claim(self, key: str, value: Json) -> Claim:
        """Return this finding as a claim."""
        return Claim(key, value, self.confidence, self.finding.source, self.finding.evidence)


class Conversation:
    """The findings of one conversation that a tag may stand on, by kind, label and speaker.

    Findings for review are left out. A finding in a turn that is the customer's with a probability
    counts with that probability; one in a turn of unknown speaker keeps its own confidence, because
    the classifier that made it did without the speaker.
    """

    def __init__(self, transcript: Transcript, insights: Insights) -> None:
        self._turns = {turn.index: turn for turn in transcript.turns}
        self._findings = [finding for finding in insights.findings if not finding.for_review]

    def from_customer(
        self, kind: FindingKind, label: str | None = None, *, certain: bool = False
    ) -> Iterator[Said]:
        """Give findings in turns that are not the agent's; ``certain`` leaves out unknown speakers."""
        for finding in self._of(kind, label):
            turn = self._turns[finding.turn]
            if turn.role is Role.CUSTOMER:
                yield Said(finding, turn, finding.confidence * turn.role_confidence)
            elif turn.role is Role.UNKNOWN and not certain:
                yield Said(finding, turn, finding.confidence)

    def from_agent(self, kind: FindingKind, label: str | None = None) -> Iterator[Said]:
        """Give findings in the agent's turns."""
        for finding in self._of(kind, label):
            turn = self._turns[finding.turn]
            if turn.role is Role.AGENT:
                yield Said(finding, turn, finding.confidence * turn.role_confidence)

    def from_anyone(self, kind: FindingKind, label: str | None = None) -> Iterator[Said]:
        """Give findings about the conversation as a whole, whoever said the words."""
        for finding in self._of(kind, label):
            yield Said(finding, self._turns[finding.turn], finding.confidence)

    def turn(self, index: int) -> Turn:
        """Return a turn by its index; raises KeyError for one that does not exist."""
        return self._turns[index]

    def _of(self, kind: FindingKind, label: str | None) -> Iterator[Finding]:
        return (f for f in self._findings if f.kind is kind and (label is None or f.label == label))


def gathered(claims: Iterable[Claim]) -> list[Claim]:
    """Return one claim for each key and value; the order of what comes in plays no part."""
    alike: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        alike[claim.key, value_hash(claim.value)].append(claim)
    return [_one(alike[key]) for key in sorted(alike)]


def observed_at(recording: Recording) -> datetime:
    """Return when the conversation was held: its start, or its arrival where the start is unknown."""
    return recording.metadata.started_at or recording.received_at


def _one(claims: Sequence[Claim]) -> Claim:
    ranked = sorted(claims, key=_strength)
    by_turn: dict[int, float] = {}
    for claim in ranked:
        by_turn.setdefault(claim.evidence[0].turn, claim.confidence)
    evidence = dict.fromkeys(evidence for claim in ranked for evidence in claim.evidence)
    strongest = ranked[0]
    return Claim(
        strongest.key, strongest.value, combined(by_turn.values()), strongest.source, tuple(evidence)
    )


def _strength(claim: Claim) -> tuple[float, int, int, str]:
    first = claim.evidence[0]
    return -claim.confidence, first.turn, first.char_start, claim.source
