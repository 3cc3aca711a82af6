"""Insights are kept whole, and saving them again changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.tables import TranscriptRow
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Evidence, Finding, FindingKind, Insights, RecordingStatus, Skipped
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.nlp.tables import FindingRow

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
STORE = InsightsStore()


@pytest.fixture
def recording(sessions: sessionmaker[Session]) -> str:
    """A transcribed recording."""
    with sessions.begin() as session:
        session.add(
            RecordingRow(
                id="r", source="cli", sha256="0" * 64, size_bytes=1, filename="a.wav", blob_key="a",
                received_at=WHEN, status=RecordingStatus.PROCESSING, metadata_={},
            )
        )  # fmt: skip
        session.flush()
        session.add(
            TranscriptRow(
                recording_id="r", duration_ms=1, channels=1, recogniser="x", lock_digest="x", quality={},
                skipped=[], created_at=WHEN,
            )
        )  # fmt: skip
    return "r"


def _finding(turn: int, value: object = None) -> Finding:
    evidence = Evidence("r", turn, 0, 3, 100, 900, "多少钱")
    return Finding(
        FindingKind.INTENT,
        "inquire_price",
        0.8125,
        "nlp-heads @ 1",
        (evidence, replace(evidence, turn=turn + 1)),
        value={"due_at": None, "agreed": True} if value is None else 3000,
        for_review=turn == 2,
    )


INSIGHTS = Insights(
    findings=(_finding(0), _finding(2, value=1)),
    metrics={"talk_ratio": 0.5, "talk_time_ms": {"agent": 1, "customer": 1}},
    skipped=(Skipped("talk_ratio", "untimed", "no times"),),
    model="nlp-heads @ 1",
)


def test_what_was_saved_is_loaded(sessions: sessionmaker[Session], recording: str) -> None:
    with sessions.begin() as session:
        STORE.save(session, recording, INSIGHTS, "digest")
    with sessions.begin() as session:
        assert STORE.load(session, recording) == INSIGHTS


def test_saving_twice_leaves_the_same_rows(sessions: sessionmaker[Session], recording: str) -> None:
    for _ in range(2):
        with sessions.begin() as session:
            STORE.save(session, recording, INSIGHTS, "digest")
    with sessions.begin() as session:
        assert session.scalar(select(func.count()).select_from(FindingRow)) == 2
        assert STORE.load(session, recording) == INSIGHTS


def test_saving_replaces_what_was_there(sessions: sessionmaker[Session], recording: str) -> None:
    with sessions.begin() as session:
        STORE.save(session, recording, INSIGHTS, "digest")
        STORE.save(session, recording, replace(INSIGHTS, findings=(_finding(5),)), "digest")
    with sessions.begin() as session:
        assert [finding.turn for finding in STORE.load(session, recording).findings] == [5]


def test_findings_that_share_a_turn_keep_their_order(sessions: sessionmaker[Session], recording: str) -> None:
    many = replace(INSIGHTS, findings=tuple(_finding(7) for _ in range(20)))
    with sessions.begin() as session:
        STORE.save(session, recording, many, "digest")
    with sessions.begin() as session:
        assert STORE.load(session, recording).findings == many.findings


def test_a_recording_that_was_not_understood_is_not_found(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session, pytest.raises(NotFound, match="no insights"):
        STORE.load(session, "nobody")
