"""Reads the automatic scores of many calls, and the scores of their corrected forms, in few queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.types import Scorecard
from huaxiang.nlp.tables import ScorecardItemRow, ScorecardRow
from huaxiang.quality.review.final_score import CorrectedScore
from huaxiang.quality.review.outcomes import outcome_of
from huaxiang.quality.review.tables import CorrectedScoreRow
from huaxiang.quality.scorecard_store import scorecard_of_rows

BATCH = 400


@dataclass(frozen=True, slots=True)
class AutomaticScore:
    """A stored automatic score with its items in order."""

    row: ScorecardRow
    items: tuple[ScorecardItemRow, ...]

    @property
    def definition(self) -> str:
        """The scorecard's ``id @ version``."""
        return self.row.definition

    def scorecard(self) -> Scorecard:
        """Return the score as the rules gave it."""
        return scorecard_of_rows(self.row, self.items)


def automatic_items(
    session: Session, recording_ids: Collection[str], wanted: Mapping[str, str] | None = None
) -> dict[str, AutomaticScore]:
    """Return the main automatic score of each recording, or that of the definition in ``wanted``.

    Where the wanted one is not stored any more, the main one stands in its place.
    """
    chosen: dict[str, ScorecardRow] = {}
    for batch in batches(recording_ids):
        rows = session.scalars(
            select(ScorecardRow)
            .where(ScorecardRow.recording_id.in_(batch))
            # The one that ``ScorecardStore.current`` names first comes last, and so is the one that stays.
            .order_by(
                ScorecardRow.is_current,
                ScorecardRow.position.desc(),
                ScorecardRow.created_at,
                ScorecardRow.definition.desc(),
            )
        )
        for row in rows:
            known = chosen.get(row.recording_id)
            if known is None or known.definition != (wanted or {}).get(row.recording_id):
                chosen[row.recording_id] = row
    items: dict[str, list[ScorecardItemRow]] = {}
    for batch in batches(chosen):
        keys = [(key, chosen[key].definition) for key in batch]
        for item in session.scalars(
            select(ScorecardItemRow)
            .where(tuple_(ScorecardItemRow.recording_id, ScorecardItemRow.definition).in_(keys))
            .order_by(ScorecardItemRow.recording_id, ScorecardItemRow.position)
        ):
            items.setdefault(item.recording_id, []).append(item)
    return {key: AutomaticScore(row, tuple(items.get(key, ()))) for key, row in chosen.items()}


def newest_corrected(
    session: Session, recording_ids: Collection[str]
) -> dict[tuple[str, str], CorrectedScore]:
    """Return the newest score of the corrected form by recording and definition."""
    return {
        key: CorrectedScore(
            definition=row.definition,
            score=row.score,
            possible=row.possible,
            auto_failed=row.auto_failed,
            outcomes={item["id"]: outcome_of(item["passed"]) for item in row.items},
        )
        for key, row in newest_corrected_rows(session, recording_ids).items()
    }


def newest_corrected_rows(
    session: Session, recording_ids: Collection[str]
) -> dict[tuple[str, str], CorrectedScoreRow]:
    """Return the row in force of the corrected form by recording and definition."""
    row = CorrectedScoreRow
    found = {}
    for batch in batches(recording_ids):
        last = (
            select(row.recording_id, row.definition, func.max(row.sequence).label("sequence"))
            .where(row.recording_id.in_(batch))
            .group_by(row.recording_id, row.definition)
            .subquery()
        )
        in_force = (
            (row.recording_id == last.c.recording_id)
            & (row.definition == last.c.definition)
            & (row.sequence == last.c.sequence)
        )
        for one in session.scalars(select(row).join(last, in_force)):
            found[one.recording_id, one.definition] = one
    return found


def save_corrected(session: Session, recording_id: str, scorecard: Scorecard) -> None:
    """Add what the rules say of the corrected form; earlier results stay."""
    last = session.scalar(
        select(func.max(CorrectedScoreRow.sequence)).where(
            CorrectedScoreRow.recording_id == recording_id,
            CorrectedScoreRow.definition == scorecard.definition,
        )
    )
    session.add(
        CorrectedScoreRow(
            recording_id=recording_id,
            definition=scorecard.definition,
            sequence=(last or 0) + 1,
            score=scorecard.score,
            possible=scorecard.possible,
            auto_failed=scorecard.auto_failed,
            items=[asdict(item) for item in scorecard.items],
            sections=[asdict(section) for section in scorecard.sections],
            grade_id=scorecard.grade_id,
            grade=scorecard.grade,
            grade_en=scorecard.grade_en,
            created_at=now(),
        )
    )
    session.flush()


def batches(keys: Collection[str]) -> list[list[str]]:
    """Cut keys into lists that a database takes as parameters."""
    listed = list(keys)
    return [listed[start : start + BATCH] for start in range(0, len(listed), BATCH)]
