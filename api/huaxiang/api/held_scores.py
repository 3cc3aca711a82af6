"""The scores that hold of one recording, by each of its scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from huaxiang.core.errors import NotFound
from huaxiang.core.types import Scorecard
from huaxiang.quality.review.final_score import FinalScore
from huaxiang.quality.review.review_store import DefinitionFor, ReviewStore


def held_scores(
    cases: ReviewStore, session: Session, recording_id: str, scorecards: Sequence[Scorecard]
) -> Mapping[str, FinalScore]:
    """Return what holds after corrections, reviews and appeals, by definition.

    ``scorecards`` are the automatic ones. One whose definition is not there any more (an earlier package
    shipped it) cannot be added up again and is left out: its automatic score stands.
    """
    held: dict[str, FinalScore] = {}
    for scorecard in scorecards:
        try:
            held |= cases.final_by_scorecard(session, recording_id, [scorecard])
        except NotFound:
            continue
    return held


def grade_names(
    definition_for: DefinitionFor, session: Session, held: Mapping[str, FinalScore]
) -> Mapping[str, tuple[str, str]]:
    """Return the grade that holds in Chinese and English, by definition, where people changed a score."""
    names: dict[str, tuple[str, str]] = {}
    for reference, final in held.items():
        if not final.changed or final.grade is None:
            continue
        for threshold in definition_for(session, reference).thresholds:
            if threshold.id == final.grade:
                names[reference] = (threshold.title_zh, threshold.title_en)
    return names
