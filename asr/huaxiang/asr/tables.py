"""Tables of the speech stage: transcripts and their turns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime, string_enum
from huaxiang.core.types import Role


class TranscriptRow(Base):
    """A recording's transcript: how it was made and how far to trust it."""

    __tablename__ = "transcripts"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    duration_ms: Mapped[int]
    channels: Mapped[int]
    recogniser: Mapped[str] = mapped_column(String(200))
    lock_digest: Mapped[str] = mapped_column(String(64))
    quality: Mapped[dict[str, Any]] = mapped_column(JSON)
    skipped: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TurnRow(Base):
    """One turn; ``words`` is a list of ``[start_ms, end_ms, text, confidence]``."""

    __tablename__ = "turns"
    __table_args__ = (CheckConstraint("end_ms >= start_ms AND start_ms >= 0", name="span"),)

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("transcripts.recording_id", ondelete="CASCADE"), primary_key=True
    )
    turn_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[Role] = mapped_column(string_enum(Role, "role"))
    role_confidence: Mapped[float]
    channel: Mapped[int]
    speaker: Mapped[str | None] = mapped_column(String(40))
    overlap: Mapped[bool]
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    raw_text: Mapped[str] = mapped_column(Text)
    words: Mapped[list[list[Any]]] = mapped_column(JSON)


class VoiceprintRow(Base):
    """A seller's voice, sealed; kept because the seller agreed, and until it is erased.

    ``key_id`` tells which key it was sealed under, without telling the key.
    """

    __tablename__ = "voiceprints"
    __table_args__ = (UniqueConstraint("seller", "encoder"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    seller: Mapped[str] = mapped_column(String(200))
    encoder: Mapped[str] = mapped_column(String(200))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(16))
    speech_ms: Mapped[int]
    consent_by: Mapped[str] = mapped_column(String(200))
    consent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
