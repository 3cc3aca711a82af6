"""Draws the calls of a period by the sampling plans (抽检), on demand or when a period is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy.orm import Session

from huaxiang.api.reviews.candidates import candidates
from huaxiang.core.database import within_reach
from huaxiang.core.errors import Conflict
from huaxiang.quality.review.outcomes import Actor
from huaxiang.quality.review.plan import Candidate, Period, last_whole_period, period_at
from huaxiang.quality.review.plan_store import Drawing, PlanStore, StoredPlan
from huaxiang.quality.review.sampling import draw

TeamsOf = Callable[[Session], Mapping[str, str]]
"""Gives the team of every seller who has one."""
SETTLE = timedelta(hours=3)
"""How long after its end a period is drawn: what was recorded late has come in by then."""
LOOK_BACK = 7
"""How many periods are caught up with after a time in which nothing ran."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a plan would draw of a period, among which calls."""

    drawing: Drawing
    candidates: tuple[Candidate, ...]


class Sampler:
    """Draws by plans; ``zone`` is whose days are meant. Leaves the commit to the caller."""

    def __init__(self, plans: PlanStore, zone: tzinfo, teams_of: TeamsOf) -> None:
        self._plans = plans
        self._zone = zone
        self._teams_of = teams_of

    def period(self, stored: StoredPlan, moment: datetime) -> Period:
        """Return the plan's period that a moment lies in. Raises InvalidInput for one out of reach."""
        return period_at(stored.plan.period, within_reach(moment), self._zone)

    def last_period(self, stored: StoredPlan, moment: datetime) -> Period:
        """Return the plan's last period that is over at a moment."""
        return last_whole_period(stored.plan.period, moment, self._zone)

    def propose(self, session: Session, stored: StoredPlan, period: Period) -> Proposal:
        """Return what drawing a period would do; nothing is written."""
        among = candidates(session, period, stored.plan.scorecard, self._teams_of(session))
        sample = draw(stored.plan, among, period)
        return Proposal(self._plans.propose(session, stored, period, sample, among), tuple(among))

    def draw(
        self, session: Session, stored: StoredPlan, period: Period, actor: Actor, moment: datetime
    ) -> Drawing:
        """Draw a period and open its cases.

        Raises Conflict where the period is not over at ``moment``, so that every call of it can be
        drawn, or was drawn by this plan already.
        """
        if period.end > moment:
            raise Conflict("this period is not over yet; draw it when all its calls can be drawn")
        if self._plans.is_drawn(session, stored.plan.name, period):
            raise Conflict("this period was drawn by this plan already")
        proposal = self.propose(session, stored, period)
        return self._plans.carry_out(session, proposal.drawing, proposal.candidates, actor)

    def due(self, session: Session, moment: datetime) -> list[tuple[StoredPlan, Period]]:
        """Return the periods that are to be drawn at a moment, those that were missed among them.

        A period is drawn by a plan that was active when the period ended, ``SETTLE`` after its end.
        """
        found = []
        for stored in self._plans.list(session):
            if not stored.active:
                continue
            period = self.last_period(stored, moment - SETTLE)
            for _ in range(LOOK_BACK):
                if self._plans.is_drawn(session, stored.plan.name, period):
                    break
                if not self._plans.was_active(session, stored.plan.name, period.end):
                    break
                found.append((stored, period))
                period = self.last_period(stored, period.start)
        return sorted(found, key=lambda one: (one[1].start, one[0].plan.name))
