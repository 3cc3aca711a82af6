"""Tables of published rules: versions that never change, and when a file was taken out of use."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from huaxiang.core.database import Base, UtcDateTime, string_enum


class RuleFileKind(StrEnum):
    """What a rule file holds."""

    SCORECARD = "scorecard"
    RULESET = "ruleset"


class RuleVersionRow(Base):
    """One published version of a scorecard or rule set, as it was written.

    ``pins`` has the rules of other files that it refers to, each with the reference of the file that
    held it when this version was published. ``is_shipped`` marks a copy of a file of the package, kept
    because a published version refers to it: nobody published it, and it is not in use by itself.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (Index("ix_rule_versions_published_at", "published_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RuleFileKind] = mapped_column(string_enum(RuleFileKind, "kind"))
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    pins: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(2000))
    published_by: Mapped[str] = mapped_column(String(200))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_shipped: Mapped[bool] = mapped_column(default=False)


class RuleRetirementRow(Base):
    """A scorecard or rule set taken out of use, until a version is published after it."""

    __tablename__ = "rule_retirements"
    __table_args__ = (Index("ix_rule_retirements_rule_id_retired_at", "rule_id", "retired_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(2000))
    retired_by: Mapped[str] = mapped_column(String(200))
    retired_at: Mapped[datetime] = mapped_column(UtcDateTime)
