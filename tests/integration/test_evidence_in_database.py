"""The database itself refuses what has no evidence, whoever writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.tables import TranscriptRow
from huaxiang.core.database import Base
from huaxiang.core.types import FindingKind, RecordingStatus
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.tables import FindingRow, InsightsRow, ScorecardItemRow, ScorecardRow
from huaxiang.profile.tables import CustomerRow, FieldValueRow, TagRow

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
EVIDENCE = [{"turn": 0, "char_start": 0, "char_end": 1, "quote": "好"}]


@pytest.fixture
def recording(sessions: sessionmaker[Session]) -> str:
    """A recording with insights, a scorecard and a customer to hang claims on."""
    rows: list[Base] = [
        RecordingRow(
            id="r", source="cli", sha256="0" * 64, size_bytes=1, filename="a.wav", blob_key="a",
            received_at=WHEN, status=RecordingStatus.DONE, metadata_={},
        ),
        TranscriptRow(
            recording_id="r", duration_ms=1, channels=1, recogniser="x", lock_digest="x", quality={},
            skipped=[], created_at=WHEN,
        ),
        InsightsRow(recording_id="r", metrics={}, skipped=[], model="x", lock_digest="x", created_at=WHEN),
        ScorecardRow(
            recording_id="r", definition="d", score=0, possible=0, auto_failed=False, skipped=[],
            created_at=WHEN,
        ),
        CustomerRow(id="c", created_at=WHEN, updated_at=WHEN),
    ]  # fmt: skip
    with sessions.begin() as session:
        for row in rows:
            session.add(row)
            session.flush()
    return "r"


def _finding(**changed: Any) -> FindingRow:
    fields: dict[str, Any] = {
        "id": "f", "recording_id": "r", "turn_index": 0, "kind": FindingKind.INTENT, "label": "l",
        "value": None, "confidence": 0.5, "for_review": False, "source": "s", "evidence": EVIDENCE,
    }  # fmt: skip
    return FindingRow(**(fields | changed))


def _item(**changed: Any) -> ScorecardItemRow:
    fields: dict[str, Any] = {
        "recording_id": "r", "definition": "d", "item_id": "i", "position": 0, "title": "t", "passed": True,
        "points": 1, "possible": 1, "confidence": 1, "auto_fail": False, "for_review": False, "reason": "",
        "evidence": EVIDENCE, "window": None,
    }  # fmt: skip
    return ScorecardItemRow(**(fields | changed))


def _tag(**changed: Any) -> TagRow:
    fields: dict[str, Any] = {
        "id": "t", "customer_id": "c", "recording_id": "r", "key": "k", "value": "v", "confidence": 1,
        "source": "s", "observed_at": WHEN, "evidence": EVIDENCE,
    }  # fmt: skip
    return TagRow(**(fields | changed))


def _field(**changed: Any) -> FieldValueRow:
    fields: dict[str, Any] = {
        "id": "v", "customer_id": "c", "recording_id": "r", "name": "n", "value": 1, "value_hash": "h",
        "source": "conversation", "source_id": "r", "confidence": 1, "first_observed_at": WHEN,
        "observed_at": WHEN, "evidence": EVIDENCE,
    }  # fmt: skip
    return FieldValueRow(**(fields | changed))


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize("nothing", [[], None, {}], ids=["empty list", "null", "object"])
@pytest.mark.parametrize("claim", [_finding, _tag, _item, _field])
def test_a_claim_without_evidence_is_refused(
    sessions: sessionmaker[Session], claim: Any, nothing: Any
) -> None:
    with pytest.raises(DBAPIError), sessions.begin() as session:
        session.add(claim(evidence=nothing))


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize(
    "claim",
    [
        _finding(),
        _tag(),
        _item(),
        _item(passed=None, evidence=[]),
        _item(passed=False, evidence=[], window={"start_ms": 0, "end_ms": 30_000}),
        _field(),
        _field(source="crm", recording_id=None, evidence=[]),
    ],
    ids=["finding", "tag", "item", "not applicable", "searched window", "said", "from the CRM"],
)
def test_a_claim_with_grounds_is_stored(sessions: sessionmaker[Session], claim: Base) -> None:
    with sessions.begin() as session:
        session.merge(claim)


@pytest.mark.usefixtures("recording")
def test_a_recording_takes_everything_claimed_from_it_along(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.add_all([_finding(), _item(), _tag()])
    with sessions.begin() as session:
        session.delete(session.get_one(RecordingRow, "r"))
    with sessions.begin() as session:
        assert [session.query(row).count() for row in (FindingRow, ScorecardItemRow, TagRow)] == [0, 0, 0]
