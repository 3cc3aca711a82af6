"""The queue of reviews, and what people judged, read out of the logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from typing import TypeVarTuple

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from huaxiang.core.errors import InvalidInput
from huaxiang.quality.references import refers_to
from huaxiang.quality.review.case import Case
from huaxiang.quality.review.outcomes import CaseState, Origin, Outcome
from huaxiang.quality.review.review_store import StoredCase, load_cases
from huaxiang.quality.review.scores import batches
from huaxiang.quality.review.tables import ReviewActRow, ReviewCaseRow, SampledRecordingRow

_Columns = TypeVarTuple("_Columns")


@dataclass(frozen=True, slots=True)
class QueueFilters:
    """Which cases to list; what is None does not narrow. ``assignee`` also lists those of nobody."""

    states: frozenset[CaseState] = frozenset()
    assignee: str | None = None
    seller: str | None = None
    appealed: bool = False


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Cases, oldest first as they wait, or newest first; ``next_cursor`` None at the end."""

    cases: tuple[StoredCase, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """One item that a person judged, to measure rules with.

    ``probability`` is that with which the call was drawn; None where it was not drawn but chosen or
    asked for, so that it stands for itself alone.
    """

    recording_id: str
    definition: str
    item: str
    automatic: Outcome
    judged: Outcome
    settled: bool
    origin: Origin
    probability: float | None
    seller: str | None
    at: datetime


def queue(
    session: Session,
    filters: QueueFilters,
    *,
    cursor: str | None = None,
    limit: int = 50,
    newest_first: bool = False,
) -> QueuePage:
    """Return a page of cases by what their last act left. Raises InvalidInput for a foreign cursor."""
    query = _last(select(ReviewCaseRow.id))
    if filters.states:
        query = query.where(ReviewActRow.state.in_(filters.states))
    if filters.assignee is not None:
        query = query.where(or_(ReviewActRow.assignee.is_(None), ReviewActRow.assignee == filters.assignee))
    if filters.seller is not None:
        query = query.where(ReviewCaseRow.seller == filters.seller)
    if filters.appealed:
        query = query.where(ReviewActRow.state.in_([CaseState.APPEALED, CaseState.FINAL]))
    if cursor is not None:
        if len(cursor) > 36:
            raise InvalidInput("this cursor is of another list")
        query = query.where(ReviewCaseRow.id < cursor if newest_first else ReviewCaseRow.id > cursor)
    order = ReviewCaseRow.id.desc() if newest_first else ReviewCaseRow.id
    found = list(session.scalars(query.order_by(order).limit(limit + 1)))
    shown = found[:limit]
    return QueuePage(
        cases=tuple(load_cases(session, shown)),
        next_cursor=shown[-1] if len(found) > limit else None,
    )


def counts(session: Session, *, seller: str | None = None) -> dict[CaseState, int]:
    """Return how many cases stand in each state."""
    query = _last(select(ReviewActRow.state, func.count()))
    if seller is not None:
        query = query.where(ReviewCaseRow.seller == seller)
    found = dict.fromkeys(CaseState, 0)
    for state, count in session.execute(query.group_by(ReviewActRow.state)):
        found[state] = count
    return found


def judged_items(session: Session, scorecard: str | None = None) -> list[JudgedItem]:
    """Return every item that was judged in a review that was handed in, with what holds of it.

    ``scorecard`` narrows to the versions of the scorecard of this id.
    """
    query = _last(select(ReviewCaseRow.id)).where(ReviewActRow.state != CaseState.TO_REVIEW)
    if scorecard is not None:
        query = query.where(refers_to(ReviewCaseRow.definition, scorecard))
    ids = list(session.scalars(query.order_by(ReviewCaseRow.id)))
    found: list[JudgedItem] = []
    for batch in batches(ids):
        chances = _probabilities(session, batch)
        for stored in load_cases(session, batch):
            found += _judged(stored, chances.get(stored.id))
    return found


def _judged(stored: StoredCase, probability: float | None) -> list[JudgedItem]:
    case: Case = stored.case
    found = []
    for item in case.items:
        settled = item.settled if case.state is CaseState.FINAL else None
        judged = settled or item.reviewed
        if judged is None:
            continue
        found.append(
            JudgedItem(
                recording_id=stored.recording_id,
                definition=case.definition,
                item=item.automatic.id,
                automatic=item.automatic.outcome,
                judged=judged.outcome,
                settled=settled is not None,
                origin=case.origin,
                probability=probability,
                seller=case.seller,
                at=judged.at,
            )
        )
    return found


def _probabilities(session: Session, case_ids: Sequence[str]) -> dict[str, float]:
    """Return the probability that some drawing takes each case's call, drawings being independent."""
    rows = session.execute(
        select(SampledRecordingRow.case_id, SampledRecordingRow.probability).where(
            SampledRecordingRow.case_id.in_(case_ids)
        )
    )
    missed: dict[str, list[float]] = {}
    for case_id, probability in rows:
        missed.setdefault(case_id, []).append(1 - probability)
    return {case_id: 1 - prod(left) for case_id, left in missed.items()}


def _last(query: Select[*_Columns]) -> Select[*_Columns]:
    """Join each case with its last act, which holds the state."""
    last = (
        select(ReviewActRow.case_id, func.max(ReviewActRow.sequence).label("sequence"))
        .group_by(ReviewActRow.case_id)
        .subquery()
    )
    return (
        query.select_from(ReviewCaseRow)
        .join(last, last.c.case_id == ReviewCaseRow.id)
        .join(
            ReviewActRow,
            and_(ReviewActRow.case_id == last.c.case_id, ReviewActRow.sequence == last.c.sequence),
        )
    )
