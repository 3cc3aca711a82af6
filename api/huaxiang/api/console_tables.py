"""Tables of the console: how far a recording is, and views that people keep."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime


class ProgressRow(Base):
    """How much of its stage a recording has behind it; renewed at most each second while it lasts."""

    __tablename__ = "recording_progress"
    __table_args__ = (CheckConstraint("share >= 0 AND share <= 1", name="share"),)

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    stage: Mapped[str] = mapped_column(String(64))
    share: Mapped[float]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SavedViewRow(Base):
    """A list of recordings that somebody keeps under a name: the query of its address."""

    __tablename__ = "saved_views"
    __table_args__ = (Index("ix_saved_views_owner", "owner"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100))
    owner_name: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(2000))
    shared: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
