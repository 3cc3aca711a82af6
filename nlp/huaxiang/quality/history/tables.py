"""Tables of the stored history: features, comparisons of scorecards, and what the lab found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime


class FeaturesRow(Base):
    """What rules look at of one recording, packed; it holds what was said, and goes with the recording."""

    __tablename__ = "features"
    __table_args__ = (Index("ix_features_started_at_recording_id", "started_at", "recording_id"),)

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("insights.recording_id", ondelete="CASCADE"), primary_key=True
    )
    encoding: Mapped[int]
    seller: Mapped[str | None] = mapped_column(String(200), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class TurnVectorsRow(Base):
    """The sentence vectors of a recording's turns: int8, turn after turn, one scale for each."""

    __tablename__ = "turn_vectors"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("features.recording_id", ondelete="CASCADE"), primary_key=True
    )
    encoder: Mapped[str] = mapped_column(String(200))
    dimension: Mapped[int]
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class ComparisonRow(Base):
    """A scorecard that was tried on the history before it was published: what it would change.

    ``text`` is the YAML as it was tried, ``against`` empty for a scorecard that is new. ``result`` has
    figures alone. ``updated_at`` moves while it runs: one that stands still was broken off.
    """

    __tablename__ = "rule_comparisons"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
        Index("ix_rule_comparisons_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    definition: Mapped[str] = mapped_column(String(200))
    against: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    done_share: Mapped[float]
    error: Mapped[str | None] = mapped_column(String(500))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ComparisonChangeRow(Base):
    """One conversation whose score a tried scorecard would change; ``position`` ranks by how much.

    ``items`` are those that come to something else: their id, and what they came to before and after.
    """

    __tablename__ = "rule_comparison_changes"

    comparison_id: Mapped[str] = mapped_column(
        ForeignKey("rule_comparisons.id", ondelete="CASCADE"), primary_key=True
    )
    recording_id: Mapped[str] = mapped_column(
        ForeignKey("insights.recording_id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int]
    seller: Mapped[str | None] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    items: Mapped[list[list[str]]] = mapped_column(JSON)


class LabRow(Base):
    """What the lab found of one item at one time; the newest of an item is in force, none is changed.

    ``suggests`` tells that the item is under its floor, and only suggests.
    """

    __tablename__ = "rule_lab"
    __table_args__ = (
        Index("ix_rule_lab_definition_item_id_computed_at", "definition", "item_id", "computed_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    definition: Mapped[str] = mapped_column(String(200))
    item_id: Mapped[str] = mapped_column(String(64))
    computed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    suggests: Mapped[bool]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)


class FloorRow(Base):
    """The precision under which an item only suggests, as somebody set it; the newest is in force.

    It belongs to the scorecard and the item whatever the version.
    """

    __tablename__ = "rule_floors"
    __table_args__ = (
        CheckConstraint("floor >= 0 AND floor <= 1", name="floor"),
        Index("ix_rule_floors_scorecard_item_id_set_at", "scorecard", "item_id", "set_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    scorecard: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[str] = mapped_column(String(64))
    floor: Mapped[float]
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
