"""Tables of the receiving stage: devices, uploads, recordings and the quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime, string_enum
from huaxiang.core.types import RecordingStatus


class DeviceRow(Base):
    """A recorder that may upload. Only the hash of its key is kept."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UploadRow(Base):
    """A resumable upload; its parts are immutable blobs ``uploads/{id}.…``.

    ``lease`` names the one request that may write until ``lease_until``. ``recording_id`` is set in
    the transaction that takes the last byte.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("received_bytes >= 0 AND received_bytes <= length_bytes", name="offset"),
        Index("ix_uploads_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    source: Mapped[str] = mapped_column(String(200))
    length_bytes: Mapped[int] = mapped_column(BigInteger)
    received_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recording_id: Mapped[str | None] = mapped_column(String(36))
    duplicate: Mapped[bool] = mapped_column(Boolean, default=False)


class RecordingRow(Base):
    """One recording. ``source`` is a device id, or ``cli``, ``watch:…``, ``api:…``.

    An empty file is a recording too: it fails at once and lies in the quarantine.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("source", "sha256"),
        CheckConstraint("size_bytes >= 0", name="size"),
        Index("ix_recordings_received_at_id", "received_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    source: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    filename: Mapped[str] = mapped_column(String(500))
    blob_key: Mapped[str] = mapped_column(String(500))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[RecordingStatus] = mapped_column(string_enum(RecordingStatus, "status"))
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(String(1000))
    seller: Mapped[str | None] = mapped_column(String(200), index=True)
    customer_ref: Mapped[str | None] = mapped_column(String(200))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    audio: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    decoded_key: Mapped[str | None] = mapped_column(String(500))


HELD_AT = func.coalesce(RecordingRow.started_at, RecordingRow.received_at, type_=UtcDateTime())
"""When a conversation was held, for queries; when it was received, where nobody told."""


class QuarantineRow(Base):
    """Bytes that were received but cannot be used; kept, with the reason."""

    __tablename__ = "quarantine"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), unique=True)
    code: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(String(1000))
    quarantined_at: Mapped[datetime] = mapped_column(UtcDateTime)
