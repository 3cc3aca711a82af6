"""Draws by the active sampling plans while a server runs: each period some hours after it is over."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.reviews.sampler import Sampler
from huaxiang.api.reviews.suite import reviews_of
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict, HuaxiangError
from huaxiang.core.settings import Settings
from huaxiang.quality.review.plan_store import SAMPLER, Drawing

_log = structlog.get_logger(__name__)


def nightly_sampling(settings: Settings, sessions: sessionmaker[Session]) -> AbstractContextManager[object]:
    """Return what draws while a server runs; nothing where that is switched off."""
    if not settings.review.sampling:
        return nullcontext()
    return NightlySampling(reviews_of(settings).sampler, sessions)


class NightlySampling:
    """Looks every ``every_s`` seconds for periods that are due, in a thread of its own.

    Several servers may do so on one database: a period is drawn by the first of them. What fails is
    logged and tried again at the next time.
    """

    def __init__(self, sampler: Sampler, sessions: sessionmaker[Session], every_s: float = 600.0) -> None:
        self._sampler = sampler
        self._sessions = sessions
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampling", daemon=True)

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

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the drawing in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                drawn = self.draw_due()
            except SQLAlchemyError:
                _log.warning("sampling failed", exc_info=True)
            except HuaxiangError as error:
                _log.warning("sampling failed", code=error.code)
            else:
                for drawing in drawn:
                    _log.info("drawn", plan=drawing.plan, count=len(drawing.sample.picks))
            if self._stop.wait(self._every_s):
                return
