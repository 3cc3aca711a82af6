"""Draws by the active sampling plans while a server runs: each period some hours after it is over."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import structlog
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.reviews.sampler import Sampler
from huaxiang.api.reviews.suite import reviews_of
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict, HuaxiangError
from huaxiang.core.periodic import Periodic
from huaxiang.core.settings import Settings
from huaxiang.quality.review.plan_store import SAMPLER, Drawing

_log = structlog.get_logger(__name__)


def nightly_sampling(settings: Settings, sessions: sessionmaker[Session]) -> AbstractContextManager[object]:
    """Return what draws while a server runs; nothing where that is switched off."""
    if not settings.review.sampling:
        return nullcontext()
    return NightlySampling(reviews_of(settings).sampler, sessions)


class NightlySampling(Periodic):
    """Looks every ``every_s`` seconds for periods that are due.

    Several servers may do so on one database: a period is drawn by the first of them.
    """

    def __init__(self, sampler: Sampler, sessions: sessionmaker[Session], every_s: float = 600.0) -> None:
        super().__init__("sampling", every_s)
        self._sampler = sampler
        self._sessions = sessions

    def draw_due(self) -> list[Drawing]:
        """Draw what is due, every period in a transaction of its own, so that one holds up no other."""
        moment = now()
        with transaction(self._sessions) as session:
            due = self._sampler.due(session, moment)
        drawn = []
        for stored, period in due:
            try:
                with transaction(self._sessions) as session:
                    drawn.append(self._sampler.draw(session, stored, period, SAMPLER, moment))
            except Conflict:
                _log.info("the period was drawn by another", plan=stored.plan.name)
            except HuaxiangError as error:
                _log.warning("drawing failed", plan=stored.plan.name, code=error.code)
        return drawn

    def work(self) -> None:
        """Draw what is due, and log it."""
        for drawing in self.draw_due():
            _log.info("drawn", plan=drawing.plan, count=len(drawing.sample.picks))
