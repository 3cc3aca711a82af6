"""Claims about the customer, gathered from the findings of one conversation.

What several turns say alike is one claim: the strongest evidence comes first, and the confidences of
the turns are combined (``huaxiang.profile.confidence``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """The findings of one conversation that a tag may stand on; those for review are left out.

    An intent, an objection and a need are the customer's by their kind, an act is the agent's: their
    confidence already holds the doubt about who speaks. Entities and sentiment are whoever's turn
    they are in, so their confidence is lowered by the doubt about the turn's speaker here.
    """

    def __init__(self, transcript: Transcript, insights: Insights) -> None:
        self._turns = {turn.index: turn for turn in transcript.turns}
        self._findings = [finding for finding in insights.findings if not finding.for_review]

    def of_kind(self, kind: FindingKind, label: str | None = None) -> Iterator[Said]:
        """Give findings whose kind says whose they are, or that are about the whole conversation."""
        for finding in self._findings:
            if finding.kind is kind and label in (None, finding.label):
                yield Said(finding, self._turns[finding.turn], finding.confidence)

    def from_role(self, role: Role, kind: FindingKind, label: str | None = None) -> Iterator[Said]:
        """Give findings in the turns of one speaker; a turn of unknown speaker is nobody's."""
        for said in self.of_kind(kind, label):
            if said.turn.role is role:
                yield Said(said.finding, said.turn, said.confidence * said.turn.role_confidence)

    def agreed_steps(self) -> Iterator[Said]:
        """Give the next steps that were agreed, not those that one side only proposed."""
        for said in self.of_kind(FindingKind.NEXT_STEP):
            value = said.finding.value
            proposed = isinstance(value, Mapping) and value.get("agreed") is False
            if said.finding.label != "none" and not proposed:
                yield said


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
