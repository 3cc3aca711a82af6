"""Tables that belong to no stage: jobs and the workers that do them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime


class WorkerRow(Base):
    """One worker process, by its stable executor id, and when it was last seen alive."""

    __tablename__ = "workers"

    executor_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JobRow(Base):
    """One run of a recording through the stages, beside the workflow of the same id in DBOS's tables.

    What DBOS cannot tell is here: the stage being done, and how often a worker began it.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_created_at_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    recording_id: Mapped[str] = mapped_column(String(36), index=True)
    stage: Mapped[str | None] = mapped_column(String(64))
    stage_attempts: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
