"""How far the processing of a recording is, told while it lasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.console_tables import ProgressRow
from huaxiang.core.database import now, transaction

PAUSE_S = 1.0
"""A share is written down at most so often."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The stage that a recording is in, and how much of it is done, 0 to 1."""

    stage: str
    share: float
    updated_at: datetime


class ProgressTeller:
    """Tells how far one stage of a recording is: call it with the share that is done.

    Each telling is a transaction of its own, since the stage holds none while it works. ``clock`` gives
    seconds.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        recording_id: str,
        stage: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._recording_id = recording_id
        self._stage = stage
        self._clock = clock
        self._next_at: float | None = None

    def __call__(self, share: float) -> None:
        """Write the share down, unless the last was written a moment ago."""
        moment = self._clock()
        if self._next_at is not None and moment < self._next_at:
            return
        self._next_at = moment + PAUSE_S
        with transaction(self._sessions) as session:
            row = session.get(ProgressRow, self._recording_id)
            if row is None:
                row = ProgressRow(recording_id=self._recording_id)
                session.add(row)
            row.stage = self._stage
            row.share = min(max(share, 0.0), 1.0)
            row.updated_at = now()


def begun(sessions: sessionmaker[Session], recording_id: str, stage: str) -> None:
    """Tell that a stage begins."""
    ProgressTeller(sessions, recording_id, stage)(0.0)


def ended(session: Session, recording_id: str) -> None:
    """Forget how far a recording was, as it is done or has failed."""
    session.execute(delete(ProgressRow).where(ProgressRow.recording_id == recording_id))


def progress_of(session: Session, recording_ids: Collection[str]) -> Mapping[str, StageProgress]:
    """Return how far those recordings are that are being worked on."""
    rows = session.scalars(select(ProgressRow).where(ProgressRow.recording_id.in_(recording_ids)))
    return {row.recording_id: StageProgress(row.stage, row.share, row.updated_at) for row in rows}
