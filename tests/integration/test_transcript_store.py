"""Transcripts come back from either database as they were saved, and a second save replaces the first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.tables import TranscriptRow, TurnRow
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.types import (
    RecordingStatus,
    Role,
    Skipped,
    Transcript,
    TranscriptQuality,
    Turn,
    Word,
)
from huaxiang.ingest.tables import RecordingRow

DIGEST = "d" * 64
TRANSCRIPT = Transcript(
    recording_id="0190-t",
    turns=(
        Turn(
            0,
            Role.AGENT,
            400,
            3120,
            "您好，我是小何。",
            "您好 我是小何",
            0.98,
            0,
            (Word(400, 620, "您好", 0.97), Word(700, 3120, "我是小何", 0.5)),
        ),
        Turn(
            1,
            Role.UNKNOWN,
            3500,
            3500,
            "嗯。",
            "嗯",
            0.0,
            1,
            (Word(3500, 3500, "嗯", 0.1),),
            "speaker-2",
            True,
        ),
    ),
    duration_ms=4000,
    channels=2,
    recogniser="whisper-base@ebe41f7",
    quality=TranscriptQuality(-0.31, 0.2, 3, {"known_phrase": 2}),
    skipped=(Skipped("roles", "no_cue", "nothing said shows which channel is the seller"),),
)


@pytest.fixture
def recorded(sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    with transaction(sessions) as session:
        session.add(
            RecordingRow(
                id=TRANSCRIPT.recording_id,
                source="cli",
                sha256="0" * 64,
                size_bytes=1,
                filename="a.wav",
                blob_key="recordings/t",
                received_at=now(),
                status=RecordingStatus.PROCESSING,
                metadata_={},
            )
        )
    return sessions


def saved(sessions: sessionmaker[Session], transcript: Transcript) -> Transcript:
    store = TranscriptStore()
    with transaction(sessions) as session:
        store.save(session, transcript, DIGEST)
    with transaction(sessions) as session:
        return store.load(session, transcript.recording_id)


def test_a_transcript_comes_back_as_it_was_saved(recorded: sessionmaker[Session]) -> None:
    assert saved(recorded, TRANSCRIPT) == TRANSCRIPT


def test_a_transcript_without_turns_or_figures_comes_back(recorded: sessionmaker[Session]) -> None:
    empty = replace(TRANSCRIPT, turns=(), quality=TranscriptQuality(), skipped=())
    assert saved(recorded, empty) == empty


def test_saving_again_replaces_turns_and_quality(recorded: sessionmaker[Session]) -> None:
    saved(recorded, TRANSCRIPT)
    shorter = replace(
        TRANSCRIPT, turns=TRANSCRIPT.turns[:1], quality=TranscriptQuality(), recogniser="other@1"
    )
    assert saved(recorded, shorter) == shorter
    with transaction(recorded) as session:
        assert session.scalar(select(func.count()).select_from(TurnRow)) == 1
        assert session.scalar(select(func.count()).select_from(TranscriptRow)) == 1


def test_the_digest_of_the_lock_is_kept(recorded: sessionmaker[Session]) -> None:
    saved(recorded, TRANSCRIPT)
    with transaction(recorded) as session:
        assert session.scalars(select(TranscriptRow.lock_digest)).one() == DIGEST


def test_a_save_that_is_rolled_back_leaves_the_old_transcript(recorded: sessionmaker[Session]) -> None:
    saved(recorded, TRANSCRIPT)
    store = TranscriptStore()
    with recorded() as session:
        store.save(session, replace(TRANSCRIPT, turns=()), DIGEST)
        session.rollback()
    with transaction(recorded) as session:
        assert store.load(session, TRANSCRIPT.recording_id) == TRANSCRIPT


def test_a_recording_without_transcript_is_not_found(recorded: sessionmaker[Session]) -> None:
    with transaction(recorded) as session, pytest.raises(NotFound, match="no transcript"):
        TranscriptStore().load(session, TRANSCRIPT.recording_id)
