"""Keeps the scorecards of recordings."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Evidence, Scorecard, ScorecardItem, Skipped, Window
from huaxiang.nlp.tables import ScorecardItemRow, ScorecardRow


class ScorecardStore:
    """Saves and loads scorecards by recording; flushes, and leaves the commit to the caller."""

    def save(self, session: Session, recording_id: str, scorecard: Scorecard) -> None:
        """Store a scorecard, in place of an earlier one of the same definition and version."""
        key = (recording_id, scorecard.definition)
        session.execute(
            delete(ScorecardItemRow).where(
                ScorecardItemRow.recording_id == recording_id,
                ScorecardItemRow.definition == scorecard.definition,
            )
        )
        row = session.get(ScorecardRow, key) or ScorecardRow(recording_id=key[0], definition=key[1])
        row.score = scorecard.score
        row.possible = scorecard.possible
        row.auto_failed = scorecard.auto_failed
        row.skipped = [asdict(skipped) for skipped in scorecard.skipped]
        row.created_at = now()
        session.add(row)
        session.flush()
        session.add_all(
            _item_row(recording_id, scorecard.definition, position, item)
            for position, item in enumerate(scorecard.items)
        )
        session.flush()

    def latest(self, session: Session, recording_id: str) -> Scorecard:
        """Return the scorecard stored last for a recording. Raises NotFound."""
        row = session.scalar(
            select(ScorecardRow)
            .where(ScorecardRow.recording_id == recording_id)
            .order_by(ScorecardRow.created_at.desc(), ScorecardRow.definition.desc())
            .limit(1)
        )
        if row is None:
            raise NotFound(f"no scorecard is stored for recording {recording_id}")
        items = session.scalars(
            select(ScorecardItemRow)
            .where(
                ScorecardItemRow.recording_id == recording_id, ScorecardItemRow.definition == row.definition
            )
            .order_by(ScorecardItemRow.position)
        )
        return Scorecard(
            definition=row.definition,
            score=row.score,
            possible=row.possible,
            items=tuple(_item(item) for item in items),
            auto_failed=row.auto_failed,
            skipped=tuple(Skipped(**skipped) for skipped in row.skipped),
        )


def _item_row(recording_id: str, definition: str, position: int, item: ScorecardItem) -> ScorecardItemRow:
    return ScorecardItemRow(
        recording_id=recording_id,
        definition=definition,
        item_id=item.id,
        position=position,
        title=item.title,
        passed=item.passed,
        points=item.points,
        possible=item.possible,
        confidence=item.confidence,
        auto_fail=item.auto_fail,
        for_review=item.for_review,
        reason=item.reason,
        evidence=[asdict(evidence) for evidence in item.evidence],
        window=asdict(item.window) if item.window else None,
    )


def _item(row: ScorecardItemRow) -> ScorecardItem:
    return ScorecardItem(
        id=row.item_id,
        title=row.title,
        passed=row.passed,
        points=row.points,
        possible=row.possible,
        confidence=row.confidence,
        evidence=tuple(Evidence(**evidence) for evidence in row.evidence),
        window=Window(**row.window) if row.window else None,
        auto_fail=row.auto_fail,
        for_review=row.for_review,
        reason=row.reason,
    )
