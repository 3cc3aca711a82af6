"""Tables of the language stage: insights, findings with their evidence, scorecards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime, string_enum
from huaxiang.core.types import FindingKind


class InsightsRow(Base):
    """What was understood of one recording as a whole."""

    __tablename__ = "insights"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("transcripts.recording_id", ondelete="CASCADE"), primary_key=True
    )
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    skipped: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    model: Mapped[str] = mapped_column(String(200))
    lock_digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FindingRow(Base):
    """One finding. The database refuses one without evidence."""

    __tablename__ = "findings"
    __table_args__ = (
        CheckConstraint("json_array_length(evidence) > 0", name="has_evidence"),
        CheckConstraint("confidence >= 0 AND confidence <= 1", name="confidence"),
        Index("ix_findings_recording_id_turn_index", "recording_id", "turn_index"),
        Index("ix_findings_kind_label", "kind", "label"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("insights.recording_id", ondelete="CASCADE"))
    turn_index: Mapped[int]
    kind: Mapped[FindingKind] = mapped_column(string_enum(FindingKind, "kind"))
    label: Mapped[str] = mapped_column(String(64))
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    confidence: Mapped[float]
    for_review: Mapped[bool]
    source: Mapped[str] = mapped_column(String(200))
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class ScorecardRow(Base):
    """The automatic score of one recording by one version of a scorecard.

    ``is_current`` are those that the recording has now, in the order of ``position``, the first of
    which is its main one; earlier ones stay as they were.
    """

    __tablename__ = "scorecards"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("insights.recording_id", ondelete="CASCADE"), primary_key=True
    )
    definition: Mapped[str] = mapped_column(String(200), primary_key=True)
    score: Mapped[float]
    possible: Mapped[float]
    auto_failed: Mapped[bool]
    skipped: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    is_current: Mapped[bool] = mapped_column(server_default=text("true"))
    title: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    title_en: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    sections: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    grade_id: Mapped[str] = mapped_column(String(64), server_default=text("''"))
    grade: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    grade_en: Mapped[str] = mapped_column(String(200), server_default=text("''"))


class ScorecardItemRow(Base):
    """One judged item. The database refuses a judgement without evidence or searched window."""

    __tablename__ = "scorecard_items"
    __table_args__ = (
        CheckConstraint(
            'passed IS NULL OR json_array_length(evidence) > 0 OR "window" IS NOT NULL', name="has_grounds"
        ),
        ForeignKeyConstraint(
            ["recording_id", "definition"],
            ["scorecards.recording_id", "scorecards.definition"],
            ondelete="CASCADE",
        ),
    )

    recording_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    definition: Mapped[str] = mapped_column(String(200), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    passed: Mapped[bool | None]
    points: Mapped[float]
    possible: Mapped[float]
    confidence: Mapped[float]
    auto_fail: Mapped[bool]
    for_review: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(500))
    title_en: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    section: Mapped[str] = mapped_column(String(64), server_default=text("''"))
    reason_code: Mapped[str] = mapped_column(String(64), server_default=text("''"))
    reason_detail: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    suggest_only: Mapped[bool] = mapped_column(server_default=text("false"))
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    window: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
