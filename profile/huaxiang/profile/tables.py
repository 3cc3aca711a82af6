"""Tables of the profile stage: customers, identities, field values, tags, conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime
from huaxiang.profile.coaching import tables as coaching_tables

__all__ = (
    "ConversationRow",
    "CustomerRow",
    "FieldValueRow",
    "IdentityConflictRow",
    "IdentityRow",
    "TagRow",
    "coaching_tables",
)


class CustomerRow(Base):
    """A customer. Fields, tags and identities hang on it; ``version`` counts its changes."""

    __tablename__ = "customers"
    __table_args__ = (Index("ix_customers_updated_at_id", "updated_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)


class IdentityRow(Base):
    """One way to recognise a customer: ``crm_id`` or ``phone`` (E.164). Unique over all."""

    __tablename__ = "customer_identities"
    __table_args__ = (
        UniqueConstraint("kind", "value"),
        CheckConstraint("kind IN ('crm_id', 'phone')", name="kind"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class IdentityConflictRow(Base):
    """A crm_id and a phone number that arrived together and belong to two customers.

    Nothing is merged: the crm_id's customer was used, the phone stays with the other one.
    ``kind`` and ``value`` are the identity that stayed with ``other_customer_id``.
    """

    __tablename__ = "customer_identity_conflicts"
    __table_args__ = (
        UniqueConstraint("customer_id", "other_customer_id", "kind", "value", name="uq_customer_conflicts"),
        CheckConstraint("kind IN ('crm_id', 'phone')", name="kind"),
        CheckConstraint("customer_id <> other_customer_id", name="two_customers"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    other_customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(200))
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FieldValueRow(Base):
    """One value of one field as one source told it. All are kept; the merge rule picks at reading.

    A source's present value has no ``superseded_at``; a JSON null says that the source cleared the
    field. ``first_observed_at`` to ``observed_at`` is how long the source is known to have said so.
    What was heard carries its recording, its evidence and in ``rule`` what heard it, and the database
    refuses it without.
    """

    __tablename__ = "customer_field_values"
    __table_args__ = (
        UniqueConstraint(
            "customer_id",
            "name",
            "source",
            "source_id",
            "value_hash",
            "observed_at",
            name="uq_customer_field_values_observation",
        ),
        CheckConstraint("source IN ('crm', 'conversation', 'event')", name="source"),
        CheckConstraint("source <> 'conversation' OR json_array_length(evidence) > 0", name="has_evidence"),
        CheckConstraint("source <> 'conversation' OR recording_id IS NOT NULL", name="has_recording"),
        CheckConstraint("first_observed_at <= observed_at", name="interval"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    recording_id: Mapped[str | None] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(64))
    value: Mapped[Any] = mapped_column(JSON)
    value_hash: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(32))
    source_id: Mapped[str] = mapped_column(String(200))
    rule: Mapped[str] = mapped_column(String(200), default="")
    confidence: Mapped[float]
    first_observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class TagRow(Base):
    """A tag of a customer from one recording. The database refuses one without evidence."""

    __tablename__ = "customer_tags"
    __table_args__ = (
        CheckConstraint("json_array_length(evidence) > 0", name="has_evidence"),
        Index("ix_customer_tags_customer_id_key", "customer_id", "key"),
        Index("ix_customer_tags_recording_id", "recording_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    value: Mapped[Any] = mapped_column(JSON)
    confidence: Mapped[float]
    source: Mapped[str] = mapped_column(String(200))
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class ConversationRow(Base):
    """A recording as part of a customer's history, with what the profile page shows of it."""

    __tablename__ = "customer_conversations"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    held_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seller: Mapped[str | None] = mapped_column(String(200))
    setting: Mapped[str | None] = mapped_column(String(32))
    duration_ms: Mapped[int]
    score: Mapped[float | None]
    possible: Mapped[float | None]
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
