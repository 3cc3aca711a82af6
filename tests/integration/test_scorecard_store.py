"""Scorecards are kept as they were made, once a definition."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.tables import TranscriptRow
from huaxiang.core.database import now, transaction
from huaxiang.core.types import Evidence, RecordingStatus, Scorecard, ScorecardItem, Skipped, Window
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.tables import InsightsRow, ScorecardItemRow
from huaxiang.quality.scorecard_store import ScorecardStore

RECORDING = "0190-a"
SCORECARD = Scorecard(
    definition="general-sales @ 1",
    score=70.0,
    possible=80.0,
    items=(
        ScorecardItem("greeting", "问候", True, 5, 5, 0.9, (Evidence(RECORDING, 0, 0, 2, 0, 400, "您好"),)),
        ScorecardItem("permission", "征求方便", False, 0, 10, 1.0, (), Window(0, 9000, 0, 4)),
        ScorecardItem("objection_handled", "异议", None, 0, 0, reason="no objection came up"),
    ),
    skipped=(Skipped("scorecard", "roles_unknown", "who speaks is not known"),),
)


def analysed_recording(session: Session) -> None:
    session.add(
        RecordingRow(
            id=RECORDING,
            source="cli",
            sha256="0" * 64,
            size_bytes=1,
            filename="a.wav",
            blob_key="recordings/a",
            received_at=now(),
            status=RecordingStatus.PROCESSING,
            metadata_={},
        )
    )
    session.flush()
    session.add(
        TranscriptRow(
            recording_id=RECORDING,
            duration_ms=1,
            channels=1,
            recogniser="r",
            lock_digest="0" * 64,
            quality={},
            skipped=[],
            created_at=now(),
        )
    )
    session.flush()
    session.add(
        InsightsRow(
            recording_id=RECORDING, metrics={}, skipped=[], model="m", lock_digest="0" * 64, created_at=now()
        )
    )
    session.flush()


def test_a_scorecard_is_read_as_it_was_written(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        analysed_recording(session)
        ScorecardStore().save(session, RECORDING, SCORECARD)
    with transaction(sessions) as session:
        assert ScorecardStore().latest(session, RECORDING) == SCORECARD


def test_saving_again_replaces_and_a_new_version_stands_beside(sessions: sessionmaker[Session]) -> None:
    newer = replace(SCORECARD, definition="general-sales @ 2", score=60.0)
    with transaction(sessions) as session:
        analysed_recording(session)
        for scorecard in (SCORECARD, SCORECARD, newer):
            ScorecardStore().save(session, RECORDING, scorecard)
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(ScorecardItemRow)) == 6
        assert ScorecardStore().latest(session, RECORDING).score == 60.0
