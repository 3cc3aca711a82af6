"""Sees to it that no job is lost with its worker: all beat, and one of the living looks after the dead."""

from __future__ import annotations

import socket
import threading
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import now, transaction
from huaxiang.core.tables import WorkerRow

_FORGOTTEN_AFTER = timedelta(days=30)
_log = structlog.get_logger(__name__)


class BegunJobs(Protocol):
    """What the watchdog has to know and do about jobs."""

    def unfinished(self) -> list[tuple[str, str | None]]:
        """Return id and executor of every job that a worker has begun and not ended."""

    def in_hand(self) -> frozenset[str]:
        """Return the ids of the jobs that this process is doing."""

    def resume(self, job_ids: list[str]) -> None:
        """Put broken-off jobs back on the queue."""


class Watchdog:
    """Beats in a thread of its own, and takes broken-off jobs back to the queue.

    Of all living workers the one with the lowest id looks after the dead, so that two do not take the
    same job back. A worker whose heartbeat only was late loses its jobs: what it still writes is refused
    by DBOS, and stages write by key.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        executor_id: str,
        jobs: BegunJobs,
        heartbeat_s: float,
        dead_after_s: float,
    ) -> None:
        self._sessions = sessions
        self._executor_id = executor_id
        self._jobs = jobs
        self._heartbeat_s = heartbeat_s
        self._dead_after = timedelta(seconds=dead_after_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="watchdog", daemon=True)
        self._adrift: frozenset[str] = frozenset()

    def start(self) -> None:
        """Register this worker and begin to beat. Raises SQLAlchemyError where the database refuses."""
        with transaction(self._sessions) as session:
            beat(session, self._executor_id)
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and sign off."""
        self._stop.set()
        self._thread.join()
        with transaction(self._sessions) as session:
            session.execute(delete(WorkerRow).where(WorkerRow.executor_id == self._executor_id))

    def look(self) -> list[str]:
        """Beat once, put every broken-off job back on the queue, and return their ids."""
        with transaction(self._sessions) as session:
            beat(session, self._executor_id)
            # Who looks is alive, however long this machine held it up since the beat.
            alive = living(session, self._dead_after) | {self._executor_id}
            forget(session)
        unfinished = self._jobs.unfinished()
        lost = self._own_adrift(unfinished)
        if self._executor_id == min(alive):
            lost += [job_id for job_id, executor_id in unfinished if executor_id not in alive]
        self._jobs.resume(lost)
        if lost:
            _log.warning("jobs taken back", executor_id=self._executor_id, count=len(lost))
        return lost

    def _own_adrift(self, unfinished: Collection[tuple[str, str | None]]) -> list[str]:
        """Return jobs that are this worker's by the database and are not being done.

        A job just taken is not in hand yet, so only one adrift at two looks in a row is.
        """
        in_hand = self._jobs.in_hand()
        adrift = frozenset(
            job_id
            for job_id, executor_id in unfinished
            if executor_id == self._executor_id and job_id not in in_hand
        )
        twice = sorted(adrift & self._adrift)
        self._adrift = adrift
        return twice

    def _loop(self) -> None:
        while not self._stop.wait(self._heartbeat_s):
            try:
                self.look()
            except SQLAlchemyError as error:
                _log.warning("heartbeat failed", error_type=type(error).__name__)


def beat(session: Session, executor_id: str) -> None:
    """Note that a worker is alive."""
    at = database_time(session)
    row = session.get(WorkerRow, executor_id)
    if row is None:
        session.add(WorkerRow(executor_id=executor_id, host=socket.gethostname(), started_at=at, seen_at=at))
    else:
        row.seen_at = at
    session.flush()


def living(session: Session, dead_after: timedelta) -> frozenset[str]:
    """Return the ids of the workers seen within ``dead_after``."""
    since = database_time(session) - dead_after
    return frozenset(session.scalars(select(WorkerRow.executor_id).where(WorkerRow.seen_at >= since)))


def forget(session: Session) -> None:
    """Remove workers not seen for a month."""
    session.execute(delete(WorkerRow).where(WorkerRow.seen_at < database_time(session) - _FORGOTTEN_AFTER))


def database_time(session: Session) -> datetime:
    """Return the time by the one clock all workers share: the database's, or this machine's with SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        return now()
    told: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return told
