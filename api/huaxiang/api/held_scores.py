"""The scores that hold of one recording, by each of its scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from huaxiang.core.errors import NotFound
from huaxiang.core.types import Scorecard
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.review.final_score import FinalScore, as_scored, automatic_score, final_score
from huaxiang.quality.review.outcomes import outcome_of
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
    cases = ReviewStore(lambda session, reference: definition_of(rules, session, reference))
    held: dict[str, FinalScore] = {}
    for scorecard in scorecards:
        reference = scorecard.definition
        stored = cases.of_recording(session, recording_id, reference)
        form = corrected.get((recording_id, reference))
        if stored is None and form is None:
            held[reference] = automatic_score(recording_id, scorecard)
            continue
        try:
            definition = definition_of(rules, session, reference)
        except NotFound:
            continue
        judged = stored.case.items if stored else ()
        told = [(one.automatic.id, one.automatic.title, one.automatic.outcome) for one in judged]
        held[reference] = final_score(
            recording_id,
            as_scored(definition, {item.id for item in scorecard.items if item.suggest_only}),
            told or [(item.id, item.title, outcome_of(item.passed)) for item in scorecard.items],
            case_id=stored.id if stored else None,
            case=stored.case if stored else None,
            corrected=form,
        )
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
    identifier, _, version = reference.rpartition(" @ ")
    found = rules.definition(session, identifier, int(version)) if version.isdigit() else None
    if not isinstance(found, ScorecardDefinition):
        raise NotFound("there is no such scorecard")
    return found
