"""Tables of coaching: sellers, their consent, the library of answers, and what is practised."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime


class SellerRow(Base):
    """A seller as at present. ``key`` is what recordings name; ``user_name`` is who signs in as them."""

    __tablename__ = "sellers"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    team: Mapped[str | None] = mapped_column(String(100), index=True)
    active: Mapped[bool]
    user_name: Mapped[str | None] = mapped_column(String(100), unique=True)
    library_consent: Mapped[bool]
    library_consent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SellerChangeRow(Base):
    """One change of one thing about a seller; rows are only ever added."""

    __tablename__ = "seller_changes"
    __table_args__ = (Index("ix_seller_changes_seller_key_changed_at", "seller_key", "changed_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    seller_key: Mapped[str] = mapped_column(ForeignKey("sellers.key", ondelete="CASCADE"))
    field: Mapped[str] = mapped_column(String(32))
    value: Mapped[Any] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(200))


class LibraryEntryRow(Base):
    """A passage that others learn from; it goes with its recording. What became of it are its events.

    ``topic`` is ``objection.<type>`` or ``item.<id of a scorecard's item>``; ``turn`` is the turn of the
    objection, or the first turn quoted.
    """

    __tablename__ = "library_entries"
    __table_args__ = (
        UniqueConstraint("recording_id", "topic", "turn"),
        CheckConstraint("json_array_length(evidence) > 0", name="has_evidence"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    seller_key: Mapped[str] = mapped_column(ForeignKey("sellers.key"), index=True)
    topic: Mapped[str] = mapped_column(String(100))
    answer: Mapped[str | None] = mapped_column(String(32))
    turn: Mapped[int]
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LibraryEventRow(Base):
    """What somebody did to an entry of the library; rows are only ever added."""

    __tablename__ = "library_events"
    __table_args__ = (
        CheckConstraint("kind IN ('adopted', 'edited', 'withdrawn')", name="kind"),
        CheckConstraint("kind = 'withdrawn' OR title IS NOT NULL", name="has_title"),
        Index("ix_library_events_entry_id_id", "entry_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("library_entries.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str | None] = mapped_column(String(200))
    tags: Mapped[list[str]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(500))
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_by: Mapped[str] = mapped_column(String(200))


class PracticeRow(Base):
    """Something that a seller practises, with the figures it began from. What follows are its events."""

    __tablename__ = "practices"
    __table_args__ = (Index("ix_practices_seller_key_opened_at", "seller_key", "opened_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    seller_key: Mapped[str] = mapped_column(String(200))
    topic: Mapped[str] = mapped_column(String(100))
    baseline: Mapped[dict[str, Any]] = mapped_column(JSON)
    follow_up_on: Mapped[date] = mapped_column(Date)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_by: Mapped[str] = mapped_column(String(200))


class PracticeEventRow(Base):
    """What happened to a practice; rows are only ever added."""

    __tablename__ = "practice_events"
    __table_args__ = (
        CheckConstraint("kind IN ('assigned', 'acknowledged', 'followed_up', 'closed')", name="kind"),
        Index("ix_practice_events_practice_id_id", "practice_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    practice_id: Mapped[str] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(String(1000))
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_by: Mapped[str] = mapped_column(String(200))
