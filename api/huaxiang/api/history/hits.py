"""The calls that an item fails, by the scores in force: what a figure of the lab counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from huaxiang.core.types import Evidence, Window
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.nlp.tables import ScorecardItemRow, ScorecardRow


@dataclass(frozen=True, slots=True)
class Hit:
    """A call that an item fails, with what it stands on: quotes, or the window that was searched."""

    recording_id: str
    seller: str | None
    at: datetime
    evidence: tuple[Evidence, ...]
    window: Window | None
    for_review: bool


def newest_hits(
    session: Session, definition: str, item: str, *, offset: int = 0, limit: int = 20
) -> Sequence[Hit]:
    """Return the calls that an item of a version (``id @ version``) fails, the newest first.

    Calls that this version was once meant for and is no more are left out, as ``scored_by`` does.
    """
    rows = session.execute(
        select(ScorecardItemRow, RecordingRow.seller, HELD_AT.label("held_at"))
        .join(RecordingRow, RecordingRow.id == ScorecardItemRow.recording_id)
        .join(
            ScorecardRow,
            (ScorecardRow.recording_id == ScorecardItemRow.recording_id)
            & (ScorecardRow.definition == ScorecardItemRow.definition),
        )
        .where(
            ScorecardRow.is_current,
            ScorecardItemRow.definition == definition,
            ScorecardItemRow.item_id == item,
            ScorecardItemRow.passed.is_(False),
        )
        .order_by(HELD_AT.desc(), RecordingRow.id)
        .offset(offset)
        .limit(limit)
    )
    return [
        Hit(
            recording_id=row.recording_id,
            seller=seller,
            at=held_at,
            evidence=tuple(Evidence(**evidence) for evidence in row.evidence),
            window=Window(**row.window) if row.window else None,
            for_review=row.for_review,
        )
        for row, seller, held_at in rows
    ]


def scored_by(session: Session, definition: str) -> int:
    """Return how many conversations have their present score by a version."""
    return (
        session.scalar(
            select(func.count())
            .select_from(ScorecardRow)
            .where(ScorecardRow.definition == definition, ScorecardRow.is_current)
        )
        or 0
    )
