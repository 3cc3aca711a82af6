"""Jobs: one recording's way through the stages, run durably and resumed where it was broken off.

The ports and types. ``jobs_memory`` has the scripted twin, ``jobs_dbos`` and ``worker`` the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session

from huaxiang.core.types import Json


class JobState(StrEnum):
    """What a job is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


FINISHED = frozenset({JobState.DONE, JobState.FAILED})


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job as the API lists it.

    ``id`` is the recording's id for the first run and ``{recording_id}-{n}`` for the n-th.
    ``stage`` is the stage being done or the last one that was, ``attempts`` counts how often a worker
    began the job, ``error_code`` is the code of the error it failed with.
    """

    id: str
    recording_id: str
    state: JobState
    stage: str | None
    attempts: int
    error_code: str | None
    created_at: datetime
    updated_at: datetime


class JobQueue(Protocol):
    """Where recordings are handed over for processing. Nothing commits: it is the caller's transaction."""

    def enqueue(self, session: Session, recording_id: str) -> None:
        """Queue a recording; queued before is fine, and is not queued again.

        The job exists when the caller's transaction commits, and not if it rolls back.
        """

    def enqueue_again(self, session: Session, recording_id: str) -> str:
        """Queue another run of a recording and return the job's id.

        Raises NotFound for a recording never queued and Conflict while its last run is not finished.
        """

    def status(self, session: Session, recording_id: str) -> JobStatus:
        """Return the newest job of a recording. Raises NotFound."""

    def page(self, session: Session, limit: int = 50, after: str | None = None) -> Sequence[JobStatus]:
        """Return jobs, newest first; ``after`` is the id of the last job of the page before.

        Raises NotFound for an ``after`` that is no job.
        """


class StageRunner(Protocol):
    """What a workflow does its stages with."""

    def stage(self, name: str, step: Callable[[], Json]) -> Json:
        """Do a stage, or return the result it had when it was done before.

        ``step`` writes its results by key, as it is done again where the worker was killed in it;
        it returns a little JSON (ids and counts, never what was said). Raises StageFailed.
        """


@dataclass(frozen=True, slots=True)
class Workflow:
    """The stages of a recording: ``run(stages, recording_id)`` does them in order.

    ``stage_names`` are all names that ``run`` may use. Raise ``version`` only with a change that a job
    begun before it cannot go on with: workers of another version leave such jobs alone.
    """

    run: Callable[[StageRunner, str], None]
    stage_names: tuple[str, ...]
    name: str = "process_recording"
    version: str = "1"


class StagePoint(StrEnum):
    """Where in a stage a worker is: before its work, after it, and when its result is stored."""

    STARTED = "started"
    WORKED = "worked"
    STORED = "stored"


class StageObserver(Protocol):
    """Told of every stage that a worker does; tests crash in it, metrics count in it."""

    def reached(self, stage: str, point: StagePoint) -> None:
        """Take note. An error raised here ends the stage."""


class NoObserver:
    """The observer that is told and does nothing."""

    def reached(self, stage: str, point: StagePoint) -> None:
        """Do nothing."""
