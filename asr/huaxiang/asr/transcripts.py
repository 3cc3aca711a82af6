"""Keeps transcripts in the database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from huaxiang.asr.tables import TranscriptRow, TurnRow
from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Skipped, Transcript, TranscriptQuality, Turn, Word


class TranscriptStore:
    """Saves and loads transcripts, one a recording, in the caller's transaction."""

    def save(self, session: Session, transcript: Transcript, lock_digest: str) -> None:
        """Store a transcript in place of the one that the recording had, if any.

        ``lock_digest`` is the sha256 of the models.lock it was made with. What was found in the old
        transcript must be removed or replaced by its owners: quotes of it would point astray.
        """
        existing = session.get(TranscriptRow, transcript.recording_id)
        row = existing or TranscriptRow(recording_id=transcript.recording_id)
        row.duration_ms = transcript.duration_ms
        row.channels = transcript.channels
        row.recogniser = transcript.recogniser
        row.lock_digest = lock_digest
        row.quality = _quality_json(transcript.quality)
        row.skipped = [asdict(skipped) for skipped in transcript.skipped]
        row.created_at = now()
        session.add(row)
        session.flush()
        session.execute(delete(TurnRow).where(TurnRow.recording_id == transcript.recording_id))
        session.add_all(_turn_row(transcript.recording_id, turn) for turn in transcript.turns)
        session.flush()

    def load(self, session: Session, recording_id: str) -> Transcript:
        """Return the transcript of a recording; raises NotFound where it has none."""
        row = session.get(TranscriptRow, recording_id)
        if row is None:
            raise NotFound("the recording has no transcript", recording_id=recording_id)
        turns = session.scalars(
            select(TurnRow).where(TurnRow.recording_id == recording_id).order_by(TurnRow.turn_index)
        )
        return Transcript(
            recording_id=recording_id,
            turns=tuple(_turn(turn) for turn in turns),
            duration_ms=row.duration_ms,
            channels=row.channels,
            recogniser=row.recogniser,
            quality=TranscriptQuality(**row.quality),
            skipped=tuple(Skipped(**skipped) for skipped in row.skipped),
        )


def _quality_json(quality: TranscriptQuality) -> dict[str, Any]:
    return {
        "mean_log_probability": quality.mean_log_probability,
        "no_speech_share": quality.no_speech_share,
        "damaged_frames": quality.damaged_frames,
        "dropped": dict(quality.dropped),
        "repaired": quality.repaired,
    }


def _turn_row(recording_id: str, turn: Turn) -> TurnRow:
    return TurnRow(
        recording_id=recording_id,
        turn_index=turn.index,
        role=turn.role,
        role_confidence=turn.role_confidence,
        channel=turn.channel,
        speaker=turn.speaker,
        overlap=turn.overlap,
        start_ms=turn.start_ms,
        end_ms=turn.end_ms,
        text=turn.text,
        raw_text=turn.raw_text,
        words=[[word.start_ms, word.end_ms, word.text, word.confidence] for word in turn.words],
    )


def _turn(row: TurnRow) -> Turn:
    return Turn(
        index=row.turn_index,
        role=row.role,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        text=row.text,
        raw_text=row.raw_text,
        role_confidence=row.role_confidence,
        channel=row.channel,
        words=tuple(Word(*word) for word in row.words),
        speaker=row.speaker,
        overlap=row.overlap,
    )
