"""Invented calls for the tests of the profile: turns, what was found in them, and who was called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from huaxiang.core.evidence import quote
from huaxiang.core.types import (
    CallMetadata,
    Finding,
    FindingKind,
    Insights,
    Json,
    Recording,
    RecordingStatus,
    Role,
    Transcript,
    Turn,
)
from huaxiang.ingest.tables import RecordingRow

NOON = datetime(2026, 11, 10, 4, tzinfo=UTC)
SECOND_MS = 1000
A, C, U = Role.AGENT, Role.CUSTOMER, Role.UNKNOWN


@dataclass
class Call:
    """A call under construction; each method adds one finding and returns the call."""

    id: str
    turns: Sequence[tuple[Role, str]]
    customer_ref: str | None = "C-1"
    started_at: datetime | None = NOON
    role_confidence: float = 1.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def transcript(self) -> Transcript:
        turns = tuple(
            Turn(i, role, i * SECOND_MS, (i + 1) * SECOND_MS, text, role_confidence=self.role_confidence)
            for i, (role, text) in enumerate(self.turns)
        )
        return Transcript(self.id, turns, len(turns) * SECOND_MS)

    @property
    def recording(self) -> Recording:
        return Recording(
            id=self.id,
            sha256=self.id.rjust(64, "0"),
            size_bytes=1,
            filename="call.wav",
            blob_key=f"recordings/{self.id}",
            source="cli",
            received_at=datetime(2026, 11, 12, tzinfo=UTC),
            metadata=CallMetadata(started_at=self.started_at, customer_ref=self.customer_ref, seller="s1"),
        )

    @property
    def insights(self) -> Insights:
        return Insights(tuple(self.findings), {})

    def found(
        self,
        kind: FindingKind,
        label: str,
        turn: int,
        words: str | None = None,
        value: Json = None,
        confidence: float = 0.9,
        *,
        for_review: bool = False,
    ) -> Call:
        """Add a finding that quotes ``words`` of a turn, or all of it."""
        text = self.turns[turn][1]
        start = text.index(words) if words else 0
        evidence = quote(self.transcript, turn, start, start + len(words or text))
        self.findings.append(
            Finding(kind, label, confidence, "test @ 1", (evidence,), value, for_review=for_review)
        )
        return self

    def intent(self, label: str, turn: int, confidence: float = 0.9) -> Call:
        return self.found(FindingKind.INTENT, label, turn, confidence=confidence)

    def objection(self, label: str, turn: int, confidence: float = 0.9) -> Call:
        return self.found(FindingKind.OBJECTION, label, turn, confidence=confidence)

    def entity(self, label: str, turn: int, words: str, value: Json = None) -> Call:
        return self.found(FindingKind.ENTITY, label, turn, words, value)

    def arguments(self) -> tuple[Recording, Transcript, Insights]:
        """Return what the functions of the profile take."""
        return self.recording, self.transcript, self.insights

    def without_findings(self) -> Call:
        return replace(self, findings=[])


def receive(session: Session, *calls: Call) -> None:
    """Store the recordings of some calls, as ingest does before anything else happens."""
    for call in calls:
        recording = call.recording
        session.add(
            RecordingRow(
                id=recording.id,
                source=recording.source,
                sha256=recording.sha256,
                size_bytes=recording.size_bytes,
                filename=recording.filename,
                blob_key=recording.blob_key,
                received_at=recording.received_at,
                status=RecordingStatus.DONE,
                metadata_={},
            )
        )
    session.flush()
