"""The score that holds of a call: automatic, reviewed and final outcome and points of every item, apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from huaxiang.core.types import Scorecard
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.review.case import Case, CaseItem
from huaxiang.quality.review.outcomes import CaseState, Outcome, outcome_of
from huaxiang.quality.totals import points_of, total


@dataclass(frozen=True, slots=True)
class FinalItem:
    """An item's outcomes and points side by side; ``reviewed`` and ``corrected`` are None where not there.

    ``corrected`` is what the rules say of the corrected form. What holds is the settled judgement,
    else the reviewed one, else the corrected, else the automatic one.
    """

    id: str
    title: str
    automatic: Outcome
    automatic_points: float
    reviewed: Outcome | None
    reviewed_points: float | None
    final: Outcome
    final_points: float
    corrected: Outcome | None = None
    settled: Outcome | None = None


@dataclass(frozen=True, slots=True)
class FinalScore:
    """The score of a call before and after people looked at it.

    ``state`` is None where nobody was asked to. ``score`` of ``possible`` is what holds.
    """

    recording_id: str
    definition: str
    automatic_score: float
    automatic_possible: float
    score: float
    possible: float
    auto_failed: bool
    items: tuple[FinalItem, ...]
    case_id: str | None = None
    state: CaseState | None = None
    grade: str | None = None

    @property
    def changed(self) -> bool:
        """Tell whether people or corrections changed the outcome of an item."""
        return any(item.final is not item.automatic for item in self.items)


@dataclass(frozen=True, slots=True)
class CorrectedScore:
    """What the rules say of the corrected form of a call."""

    definition: str
    score: float
    possible: float
    auto_failed: bool
    outcomes: Mapping[str, Outcome]


def automatic_score(recording_id: str, scorecard: Scorecard) -> FinalScore:
    """Return the score of a call that nobody looked at: the automatic one."""
    return FinalScore(
        recording_id=recording_id,
        definition=scorecard.definition,
        automatic_score=scorecard.score,
        automatic_possible=scorecard.possible,
        score=scorecard.score,
        possible=scorecard.possible,
        auto_failed=scorecard.auto_failed,
        items=tuple(
            FinalItem(
                id=item.id,
                title=item.title,
                automatic=outcome_of(item.passed),
                automatic_points=item.points,
                reviewed=None,
                reviewed_points=None,
                final=outcome_of(item.passed),
                final_points=item.points,
            )
            for item in scorecard.items
        ),
    )


def held_score(
    recording_id: str,
    scorecard: Scorecard,
    find: Callable[[str], ScorecardDefinition],
    *,
    case_id: str | None = None,
    case: Case | None = None,
    corrected: CorrectedScore | None = None,
) -> FinalScore:
    """Return the score that holds of a stored one, after what people corrected and judged of it.

    ``find`` gives the definition of a reference, and is asked only where something has to be added up
    anew. Raises what it raises.
    """
    if case is None and corrected is None:
        return automatic_score(recording_id, scorecard)
    heard = (
        as_opened(case)
        if case
        else [(item.id, item.title, outcome_of(item.passed)) for item in scorecard.items]
    )
    # Items that were under their floor when the call was scored did not count then.
    suggested = {item.id for item in scorecard.items if item.suggest_only}
    definition = find(case.definition if case else scorecard.definition).suggesting(suggested)
    return final_score(recording_id, definition, heard, case_id=case_id, case=case, corrected=corrected)


def as_opened(case: Case) -> list[tuple[str, str, Outcome]]:
    """Return id, title and automatic outcome of every item as they were when a case was opened."""
    items = (item.automatic for item in case.items)
    return [(item.id, item.title, item.outcome) for item in items]


def final_score(
    recording_id: str,
    definition: ScorecardDefinition,
    automatic: Sequence[tuple[str, str, Outcome]],
    *,
    case_id: str | None = None,
    case: Case | None = None,
    corrected: CorrectedScore | None = None,
) -> FinalScore:
    """Return the score that holds, recomputed by the definition's own arithmetic.

    ``automatic`` has id, title and automatic outcome of every item; what a person judged of one
    is in ``case``. Judgements count from the moment a review is handed in.
    """
    handed_in = case is not None and case.state is not CaseState.TO_REVIEW
    judged = {item.automatic.id: item for item in case.items} if case and handed_in else {}
    settles = case is not None and case.state is CaseState.FINAL
    machine = corrected.outcomes if corrected else {}
    items = tuple(
        _final_item(definition, identity, judged.get(identity[0]), machine.get(identity[0]), settles)
        for identity in automatic
    )
    before = total(definition, {item.id: item.automatic.passed for item in items})
    after = total(definition, {item.id: item.final.passed for item in items})
    return FinalScore(
        recording_id=recording_id,
        definition=definition.reference,
        automatic_score=before.score,
        automatic_possible=before.possible,
        score=after.score,
        possible=after.possible,
        auto_failed=after.auto_failed,
        items=items,
        case_id=case_id,
        state=case.state if case else None,
        grade=after.grade.id if after.grade else None,
    )


def _final_item(
    definition: ScorecardDefinition,
    automatic: tuple[str, str, Outcome],
    judged: CaseItem | None,
    corrected: Outcome | None,
    settles: bool,
) -> FinalItem:
    """Return one item's outcomes and points; ``settles`` tells whether a settled judgement counts."""
    identifier, title, outcome = automatic
    worth = next((item for item in definition.items if item.id == identifier), None)

    def points(value: Outcome) -> float:
        return points_of(worth, value.passed)[0] if worth else 0.0

    reviewed = judged.reviewed.outcome if judged and judged.reviewed else None
    settled = judged.settled.outcome if judged and judged.settled and settles else None
    final = settled or reviewed or corrected or outcome
    return FinalItem(
        id=identifier,
        title=title,
        automatic=outcome,
        automatic_points=points(outcome),
        reviewed=reviewed,
        reviewed_points=None if reviewed is None else points(reviewed),
        final=final,
        final_points=points(final),
        corrected=corrected,
        settled=settled,
    )
