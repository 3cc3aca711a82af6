"""The scores that hold of one recording, by each of its scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy.orm import Session

from huaxiang.core.errors import NotFound
from huaxiang.core.types import Scorecard
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.references import parts_of
from huaxiang.quality.review.final_score import FinalScore, held_score
from huaxiang.quality.review.review_store import ReviewStore
from huaxiang.quality.review.scores import newest_corrected
from huaxiang.quality.rule_store import RuleStore


def held_scores(
    rules: RuleStore, session: Session, recording_id: str, scorecards: Sequence[Scorecard]
) -> Mapping[str, FinalScore]:
    """Return what holds after corrections, reviews and appeals, by definition.

    ``scorecards`` are the automatic ones. One whose definition is not there any more (an earlier package
    shipped it) cannot be added up again and is left out: its automatic score stands.
    """
    corrected = newest_corrected(session, [recording_id])
    cases = ReviewStore(partial(definition_of, rules))
    held: dict[str, FinalScore] = {}
    for scorecard in scorecards:
        reference = scorecard.definition
        stored = cases.of_recording(session, recording_id, reference)
        try:
            held[reference] = held_score(
                recording_id,
                scorecard,
                partial(definition_of, rules, session),
                case_id=stored.id if stored else None,
                case=stored.case if stored else None,
                corrected=corrected.get((recording_id, reference)),
            )
        except NotFound:
            continue
    return held


def grade_names(
    rules: RuleStore, session: Session, held: Mapping[str, FinalScore]
) -> Mapping[str, tuple[str, str]]:
    """Return the grade that holds in Chinese and English, by definition, where people changed a score."""
    names: dict[str, tuple[str, str]] = {}
    for reference, final in held.items():
        if not final.changed or final.grade is None:
            continue
        for threshold in definition_of(rules, session, reference).thresholds:
            if threshold.id == final.grade:
                names[reference] = (threshold.title_zh, threshold.title_en)
    return names


def definition_of(rules: RuleStore, session: Session, reference: str) -> ScorecardDefinition:
    """Return the scorecard of a reference ``id @ version``. Raises NotFound."""
    found = rules.definition(session, *parts_of(reference))
    if not isinstance(found, ScorecardDefinition):
        raise NotFound("there is no such scorecard")
    return found
