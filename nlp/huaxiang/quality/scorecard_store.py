"""Keeps the scorecards of recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Evidence, Scorecard, ScorecardItem, ScorecardSection, Skipped, Window
from huaxiang.nlp.tables import ScorecardItemRow, ScorecardRow
from huaxiang.quality.references import id_of, refers_to


class ScorecardStore:
    """Saves and loads scorecards by recording; flushes, and leaves the commit to the caller."""

    def save(self, session: Session, recording_id: str, scorecard: Scorecard, position: int = 0) -> None:
        """Store a scorecard, in place of an earlier one of the same definition and version.

        It is then the recording's current one by its definition: those of other versions are kept, and
        are current no more. ``position`` orders it among the recording's scorecards.
        """
        self._write(session, recording_id, scorecard, position)
        session.execute(
            update(ScorecardRow)
            .where(
                ScorecardRow.recording_id == recording_id,
                refers_to(ScorecardRow.definition, id_of(scorecard.definition)),
                ScorecardRow.definition != scorecard.definition,
            )
            .values(is_current=False)
        )

    def save_all(self, session: Session, recording_id: str, scorecards: Sequence[Scorecard]) -> None:
        """Store the scorecards that a recording has now, the main one first; others are current no more."""
        for position, scorecard in enumerate(scorecards):
            self._write(session, recording_id, scorecard, position)
        session.execute(
            update(ScorecardRow)
            .where(
                ScorecardRow.recording_id == recording_id,
                ScorecardRow.definition.not_in([scorecard.definition for scorecard in scorecards]),
            )
            .values(is_current=False)
        )

    def latest(self, session: Session, recording_id: str) -> Scorecard:
        """Return the main scorecard of a recording. Raises NotFound."""
        found = self.current(session, recording_id)
        if not found:
            raise NotFound(f"no scorecard is stored for recording {recording_id}")
        return found[0]

    def current(self, session: Session, recording_id: str) -> tuple[Scorecard, ...]:
        """Return the scorecards that a recording has now, the main one first; empty where it has none."""
        rows = session.scalars(
            select(ScorecardRow)
            .where(ScorecardRow.recording_id == recording_id, ScorecardRow.is_current)
            .order_by(ScorecardRow.position, ScorecardRow.created_at.desc(), ScorecardRow.definition)
        )
        return tuple(self._scorecard(session, row) for row in rows)

    def load(self, session: Session, recording_id: str, definition: str) -> Scorecard:
        """Return the scorecard by one version of a definition (``id @ version``). Raises NotFound."""
        row = session.get(ScorecardRow, (recording_id, definition))
        if row is None:
            raise NotFound(f"no scorecard by {definition} is stored for recording {recording_id}")
        return self._scorecard(session, row)

    def _write(self, session: Session, recording_id: str, scorecard: Scorecard, position: int) -> None:
        session.execute(
            delete(ScorecardItemRow).where(
                ScorecardItemRow.recording_id == recording_id,
                ScorecardItemRow.definition == scorecard.definition,
            )
        )
        key = (recording_id, scorecard.definition)
        row = session.get(ScorecardRow, key) or ScorecardRow(recording_id=key[0], definition=key[1])
        row.score = scorecard.score
        row.possible = scorecard.possible
        row.auto_failed = scorecard.auto_failed
        row.skipped = [asdict(skipped) for skipped in scorecard.skipped]
        row.created_at = now()
        row.position = position
        row.is_current = True
        row.title, row.title_en = scorecard.title, scorecard.title_en
        row.sections = [asdict(section) for section in scorecard.sections]
        row.grade_id, row.grade, row.grade_en = scorecard.grade_id, scorecard.grade, scorecard.grade_en
        session.add(row)
        session.flush()
        session.add_all(
            _item_row(recording_id, scorecard.definition, place, item)
            for place, item in enumerate(scorecard.items)
        )
        session.flush()

    def _scorecard(self, session: Session, row: ScorecardRow) -> Scorecard:
        items = session.scalars(
            select(ScorecardItemRow)
            .where(
                ScorecardItemRow.recording_id == row.recording_id,
                ScorecardItemRow.definition == row.definition,
            )
            .order_by(ScorecardItemRow.position)
        )
        return scorecard_of_rows(row, items)


def scorecard_of_rows(row: ScorecardRow, items: Iterable[ScorecardItemRow]) -> Scorecard:
    """Return a stored scorecard; ``items`` are its rows in order."""
    return Scorecard(
        definition=row.definition,
        score=row.score,
        possible=row.possible,
        items=tuple(_item(item) for item in items),
        auto_failed=row.auto_failed,
        skipped=tuple(Skipped(**skipped) for skipped in row.skipped),
        title=row.title,
        title_en=row.title_en,
        sections=tuple(ScorecardSection(**section) for section in row.sections or ()),
        grade=row.grade,
        grade_en=row.grade_en,
        grade_id=row.grade_id,
    )


def _item_row(recording_id: str, definition: str, position: int, item: ScorecardItem) -> ScorecardItemRow:
    return ScorecardItemRow(
        recording_id=recording_id,
        definition=definition,
        item_id=item.id,
        position=position,
        title=item.title,
        title_en=item.title_en,
        section=item.section,
        passed=item.passed,
        points=item.points,
        possible=item.possible,
        confidence=item.confidence,
        auto_fail=item.auto_fail,
        for_review=item.for_review,
        reason=item.reason,
        reason_code=item.reason_code,
        reason_detail=item.reason_detail[:200],
        suggest_only=item.suggest_only,
        evidence=[asdict(evidence) for evidence in item.evidence],
        window=asdict(item.window) if item.window else None,
    )


def _item(row: ScorecardItemRow) -> ScorecardItem:
    return ScorecardItem(
        id=row.item_id,
        title=row.title,
        title_en=row.title_en,
        section=row.section,
        passed=row.passed,
        points=row.points,
        possible=row.possible,
        confidence=row.confidence,
        evidence=tuple(Evidence(**evidence) for evidence in row.evidence),
        window=Window(**row.window) if row.window else None,
        auto_fail=row.auto_fail,
        for_review=row.for_review,
        reason=row.reason,
        reason_code=row.reason_code,
        reason_detail=row.reason_detail,
        suggest_only=row.suggest_only,
    )
