"""Reads what the rules said of the corrected form of a call, with the grounds of every item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from huaxiang.core.types import Evidence, Scorecard, ScorecardItem, ScorecardSection, Window
from huaxiang.quality.review.scores import newest_corrected_rows
from huaxiang.quality.review.tables import CorrectedScoreRow


def with_corrected(
    session: Session, recording_id: str, scorecards: Sequence[Scorecard]
) -> tuple[Scorecard, ...]:
    """Return the scorecards of a call as its corrected form scores; one without that stays as it is.

    Sections and grade are those of the corrected form too.
    """
    newest = newest_corrected_rows(session, [recording_id])
    return tuple(
        _corrected(scorecard, row) if (row := newest.get((recording_id, scorecard.definition))) else scorecard
        for scorecard in scorecards
    )


def _corrected(scorecard: Scorecard, row: CorrectedScoreRow) -> Scorecard:
    return replace(
        scorecard,
        score=row.score,
        possible=row.possible,
        auto_failed=row.auto_failed,
        items=tuple(_item(item) for item in row.items),
        sections=tuple(ScorecardSection(**section) for section in row.sections or ()),
        grade_id=row.grade_id or "",
        grade=row.grade or "",
        grade_en=row.grade_en or "",
    )


def _item(stored: Mapping[str, Any]) -> ScorecardItem:
    window = stored["window"]
    return ScorecardItem(
        **{
            **stored,
            "evidence": tuple(Evidence(**evidence) for evidence in stored["evidence"]),
            "window": Window(**window) if window else None,
        }
    )
