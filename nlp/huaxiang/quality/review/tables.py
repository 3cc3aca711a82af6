"""Tables of review. Logs (``…_acts``, ``corrections``, ``corrected_scores``) are only ever added to.

The database refuses an UPDATE of a log (triggers of revision 0005); what hangs on a recording goes
when the recording is erased.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime, string_enum
from huaxiang.quality.review.outcomes import ActKind, CaseState, Outcome

APPEND_ONLY = (
    "sampling_plans",
    "sampling_draws",
    "sampled_recordings",
    "review_cases",
    "review_acts",
    "corrections",
    "corrected_scores",
    "calibrations",
    "calibration_calls",
    "calibration_acts",
)


class SamplingPlanRow(Base):
    """One version of a sampling plan (抽检计划); the newest version of a name holds."""

    __tablename__ = "sampling_plans"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(20_000))
    active: Mapped[bool]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SamplingDrawRow(Base):
    """One drawing by a plan over a period; a period is drawn once."""

    __tablename__ = "sampling_draws"
    __table_args__ = (UniqueConstraint("plan", "period_from", name="uq_sampling_draws_plan_period"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    plan: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    period_from: Mapped[datetime] = mapped_column(UtcDateTime)
    period_to: Mapped[datetime] = mapped_column(UtcDateTime)
    population: Mapped[int]
    drawn: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReviewCaseRow(Base):
    """A call whose score by one scorecard is under review; what became of it is in its acts."""

    __tablename__ = "review_cases"
    __table_args__ = (UniqueConstraint("recording_id", "definition"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    definition: Mapped[str] = mapped_column(String(200))
    seller: Mapped[str | None] = mapped_column(String(200), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SampledRecordingRow(Base):
    """A call that a drawing took, with the probability with which it would be taken."""

    __tablename__ = "sampled_recordings"
    __table_args__ = (
        CheckConstraint("probability > 0 AND probability <= 1", name="probability"),
        Index("ix_sampled_recordings_recording_id", "recording_id"),
    )

    draw_id: Mapped[str] = mapped_column(
        ForeignKey("sampling_draws.id", ondelete="CASCADE"), primary_key=True
    )
    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    case_id: Mapped[str] = mapped_column(ForeignKey("review_cases.id", ondelete="CASCADE"))
    probability: Mapped[float]
    parts: Mapped[list[int]] = mapped_column(JSON)


class ReviewActRow(Base):
    """One act of a case. ``state`` and ``assignee`` are those after it."""

    __tablename__ = "review_acts"
    __table_args__ = (Index("ix_review_acts_state", "state"),)

    case_id: Mapped[str] = mapped_column(ForeignKey("review_cases.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ActKind] = mapped_column(string_enum(ActKind, "kind"))
    actor: Mapped[str] = mapped_column(String(200))
    actor_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    item: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[Outcome | None] = mapped_column(string_enum(Outcome, "outcome"))
    reason: Mapped[str] = mapped_column(String(1000))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[CaseState] = mapped_column(string_enum(CaseState, "state"))
    assignee: Mapped[str | None] = mapped_column(String(200))


class CorrectionRow(Base):
    """One correction of what was heard, or an undoing, accepting or declining of one."""

    __tablename__ = "corrections"
    __table_args__ = (UniqueConstraint("recording_id", "sequence"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    target: Mapped[str | None] = mapped_column(String(36))
    turn: Mapped[int | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    proposed: Mapped[bool]
    actor: Mapped[str] = mapped_column(String(200))
    actor_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(1000))


class CorrectedScoreRow(Base):
    """What the rules say of the corrected form: a further result beside the automatic one."""

    __tablename__ = "corrected_scores"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    definition: Mapped[str] = mapped_column(String(200), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[float]
    possible: Mapped[float]
    auto_failed: Mapped[bool]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    sections: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    grade_id: Mapped[str | None] = mapped_column(String(64))
    grade: Mapped[str | None] = mapped_column(String(200))
    grade_en: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalibrationRow(Base):
    """A session in which several reviewers score the same calls, blind to each other."""

    __tablename__ = "calibrations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    definition: Mapped[str] = mapped_column(String(200))
    reviewers: Mapped[list[str]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalibrationCallRow(Base):
    """A call of a calibration, with the automatic outcomes at the time."""

    __tablename__ = "calibration_calls"

    calibration_id: Mapped[str] = mapped_column(
        ForeignKey("calibrations.id", ondelete="CASCADE"), primary_key=True
    )
    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int]
    automatic: Mapped[dict[str, Any]] = mapped_column(JSON)


class CalibrationActRow(Base):
    """What a reviewer says of a call's items in a calibration, or the closing of the session.

    A closing has no recording. A reviewer's later row about a call goes before an earlier one.
    """

    __tablename__ = "calibration_acts"
    __table_args__ = (UniqueConstraint("calibration_id", "sequence"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    calibration_id: Mapped[str] = mapped_column(ForeignKey("calibrations.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    recording_id: Mapped[str | None] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    reviewer: Mapped[str] = mapped_column(String(200))
    outcomes: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
