"""Reads from the reviews what coaching needs: the scores that hold, and the appeals of a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.coaching.reading import FinalItem, FinalScore
from huaxiang.profile.coaching.digest import Appeal
from huaxiang.quality.review.outcomes import ActKind, CaseState
from huaxiang.quality.review.review_store import ReviewStore, StoredCase, load_cases
from huaxiang.quality.review.tables import CorrectedScoreRow, ReviewActRow, ReviewCaseRow


class ReviewedScores:
    """The scores that people, or corrections of what was heard, have changed or confirmed."""

    def __init__(self, reviews: ReviewStore) -> None:
        self._reviews = reviews

    def final(self, session: Session, recording_ids: Sequence[str]) -> Mapping[str, FinalScore]:
        """Return the final score of those recordings that were reviewed or corrected."""
        # Few of many conversations are: only these are added up anew.
        handed_in = (
            select(ReviewCaseRow.recording_id)
            .join(ReviewActRow, ReviewActRow.case_id == ReviewCaseRow.id)
            .where(ReviewActRow.kind == ActKind.REVIEWED)
        )
        touched = set(session.scalars(handed_in)) | set(
            session.scalars(select(CorrectedScoreRow.recording_id))
        )
        wanted = [recording_id for recording_id in recording_ids if recording_id in touched]
        return {
            recording_id: FinalScore(
                score=found.score,
                possible=found.possible,
                items={
                    item.id: FinalItem(item.final.passed, item.final_points, None) for item in found.items
                },
                reviewed=found.state not in (None, CaseState.TO_REVIEW),
            )
            for recording_id, found in self._reviews.final(session, wanted).items()
        }


class ReviewAppeals:
    """The appeals that sellers made."""

    def of_period(self, session: Session, first: datetime, after: datetime) -> Sequence[Appeal]:
        """Return the appeals that were made from ``first`` until before ``after``, the latest first."""
        made = session.execute(
            select(ReviewActRow.case_id, ReviewActRow.at)
            .where(ReviewActRow.kind == ActKind.APPEALED, ReviewActRow.at >= first, ReviewActRow.at < after)
            .order_by(ReviewActRow.at.desc())
        ).all()
        cases = {stored.id: stored for stored in load_cases(session, [row.case_id for row in made])}
        return [_appeal(cases[row.case_id], row.at) for row in made]


def _appeal(stored: StoredCase, appealed_at: datetime) -> Appeal:
    case = stored.case
    return Appeal(
        recording_id=stored.recording_id,
        seller=case.seller,
        items=case.appeal.items if case.appeal else (),
        state=case.state.value,
        appealed_at=appealed_at,
    )
