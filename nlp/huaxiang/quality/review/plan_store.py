"""Keeps sampling plans by version, and what was drawn by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, NotFound
from huaxiang.core.types import Scorecard, new_id
from huaxiang.quality.review.outcomes import Actor, Origin
from huaxiang.quality.review.plan import Candidate, Period, Plan, load_plan
from huaxiang.quality.review.review_store import ReviewStore
from huaxiang.quality.review.sampling import Sample, assign
from huaxiang.quality.review.scores import automatic_items
from huaxiang.quality.review.tables import SampledRecordingRow, SamplingDrawRow, SamplingPlanRow

SAMPLER = Actor("system:sampling", "sampling")
"""Who draws by night."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One version of a plan; ``active`` plans are drawn by night."""

    plan: Plan
    version: int
    text: str
    active: bool
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn of a period, or would be.

    ``assignees`` has the reviewer by call, ``known`` the calls that have a case already and are not
    reviewed twice. ``id`` is None for a dry run.
    """

    id: str | None
    plan: str
    version: int
    period: Period
    sample: Sample
    assignees: Mapping[str, str]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class PastDrawing:
    """A drawing that was made, in figures."""

    id: str
    plan: str
    version: int
    period: Period
    population: int
    drawn: int
    created_by: str
    created_at: datetime


class PlanStore:
    """Saves plans and drawings; flushes, and leaves the commit to the caller."""

    def __init__(self, reviews: ReviewStore) -> None:
        self._reviews = reviews

    def save(self, session: Session, text: str, actor: Actor, *, active: bool = True) -> StoredPlan:
        """Add a version of the plan that YAML text writes. Raises InvalidRules with its mistakes."""
        plan = load_plan(text)
        last = session.scalar(
            select(func.max(SamplingPlanRow.version)).where(SamplingPlanRow.name == plan.name)
        )
        row = SamplingPlanRow(
            name=plan.name,
            version=(last or 0) + 1,
            text=text,
            active=active,
            created_by=actor.name,
            created_at=now(),
        )
        session.add(row)
        _flush(session, "somebody else saved this plan at the same moment; read it again")
        return _stored(row)

    def get(self, session: Session, name: str) -> StoredPlan:
        """Return the newest version of a plan. Raises NotFound."""
        row = session.scalars(
            select(SamplingPlanRow)
            .where(SamplingPlanRow.name == name)
            .order_by(SamplingPlanRow.version.desc())
            .limit(1)
        ).first()
        if row is None:
            raise NotFound("there is no sampling plan of this name; `huaxiang review plans` lists them")
        return _stored(row)

    def list(self, session: Session) -> list[StoredPlan]:
        """Return the newest version of every plan, by name."""
        rows = session.scalars(
            select(SamplingPlanRow).order_by(SamplingPlanRow.name, SamplingPlanRow.version)
        )
        newest = {row.name: row for row in rows}
        return [_stored(row) for row in newest.values()]

    def propose(
        self,
        session: Session,
        stored: StoredPlan,
        period: Period,
        sample: Sample,
        candidates: Sequence[Candidate],
    ) -> Drawing:
        """Return what drawing this sample would do; nothing is written."""
        sellers = {one.recording_id: one.seller for one in candidates}
        definitions = {one.recording_id: one.definition for one in candidates}
        drawn = {pick.recording_id: definitions[pick.recording_id] for pick in sample.picks}
        known = self._reviews.under_review(session, drawn)
        fresh = [pick for pick in sample.picks if pick.recording_id not in known]
        return Drawing(
            id=None,
            plan=stored.plan.name,
            version=stored.version,
            period=period,
            sample=sample,
            assignees=assign(fresh, sellers, stored.plan.reviewers),
            known=known,
        )

    def carry_out(
        self, session: Session, drawing: Drawing, candidates: Sequence[Candidate], actor: Actor
    ) -> Drawing:
        """Open and assign the cases of a drawing. A period is drawn once by a plan: raises Conflict."""
        row = SamplingDrawRow(
            id=new_id(),
            plan=drawing.plan,
            version=drawing.version,
            period_from=drawing.period.start,
            period_to=drawing.period.end,
            population=drawing.sample.population,
            drawn=len(drawing.sample.picks),
            created_by=actor.name,
            created_at=now(),
        )
        session.add(row)
        _flush(session, "this period was drawn by this plan already")
        sellers = {one.recording_id: one.seller for one in candidates}
        wanted = {one.recording_id: one.definition for one in candidates}
        picked = [pick.recording_id for pick in drawing.sample.picks]
        scorecards = {
            key: score.scorecard() for key, score in automatic_items(session, picked, wanted).items()
        }
        for pick in drawing.sample.picks:
            key = pick.recording_id
            case_id = self._case(session, key, scorecards[key], sellers[key], actor)
            if key not in drawing.known and key in drawing.assignees:
                self._reviews.assign(session, case_id, actor, drawing.assignees[key], 1)
            session.add(
                SampledRecordingRow(
                    draw_id=row.id,
                    recording_id=key,
                    case_id=case_id,
                    probability=pick.probability,
                    parts=list(pick.parts),
                )
            )
        session.flush()
        return Drawing(
            row.id,
            drawing.plan,
            drawing.version,
            drawing.period,
            drawing.sample,
            drawing.assignees,
            drawing.known,
        )

    def past(
        self, session: Session, plan: str | None = None, *, before: datetime | None = None, limit: int = 50
    ) -> Sequence[PastDrawing]:
        """Return the drawings so far, newest period first; those of periods that began ``before``."""
        query = select(SamplingDrawRow)
        if plan is not None:
            query = query.where(SamplingDrawRow.plan == plan)
        if before is not None:
            query = query.where(SamplingDrawRow.period_from < before)
        rows = session.scalars(query.order_by(SamplingDrawRow.period_from.desc()).limit(limit))
        return [
            PastDrawing(
                row.id,
                row.plan,
                row.version,
                Period(row.period_from, row.period_to),
                row.population,
                row.drawn,
                row.created_by,
                row.created_at,
            )
            for row in rows
        ]

    def is_drawn(self, session: Session, plan: str, period: Period) -> bool:
        """Tell whether a period was drawn by a plan, at whatever version."""
        found = session.scalar(
            select(SamplingDrawRow.id).where(
                SamplingDrawRow.plan == plan, SamplingDrawRow.period_from == period.start
            )
        )
        return found is not None

    def was_active(self, session: Session, name: str, moment: datetime) -> bool:
        """Tell whether the version of a plan that held at a moment was active; false before its first."""
        row = session.scalars(
            select(SamplingPlanRow)
            .where(SamplingPlanRow.name == name, SamplingPlanRow.created_at <= moment)
            .order_by(SamplingPlanRow.version.desc())
            .limit(1)
        ).first()
        return row is not None and row.active

    def _case(
        self, session: Session, recording_id: str, scorecard: Scorecard, seller: str | None, actor: Actor
    ) -> str:
        known = self._reviews.of_recording(session, recording_id, scorecard.definition)
        if known is not None:
            return known.id
        opened = self._reviews.open(session, recording_id, scorecard, seller, actor, Origin.SAMPLED)
        return opened.id


def _stored(row: SamplingPlanRow) -> StoredPlan:
    return StoredPlan(load_plan(row.text), row.version, row.text, row.active, row.created_by, row.created_at)


def _flush(session: Session, message: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(message) from error
