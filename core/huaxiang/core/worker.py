"""A worker: takes jobs from the queue and does their stages, each once, several jobs at a time, on DBOS.

DBOS is one to a process, so a process holds one worker at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Self

import structlog
from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    PortableWorkflowError,
    WorkflowSerializationFormat,
)
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from huaxiang.core.database import session_factory, transaction
from huaxiang.core.errors import ConfigurationError, StageFailed
from huaxiang.core.in_hand import InHand
from huaxiang.core.jobs import StagePoint, Workflow
from huaxiang.core.jobs_dbos import (
    APPLICATION,
    QUEUE,
    make_client,
    prepare_jobs,
    set_pace,
    system_database_url,
    unfinished_jobs,
)
from huaxiang.core.stages import StageExecutor, one_error
from huaxiang.core.tables import JobRow
from huaxiang.core.types import Json
from huaxiang.core.watchdog import Watchdog

_log = structlog.get_logger(__name__)
_one_worker = threading.Lock()


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker goes about: seconds between heartbeats, until it counts as dead, between polls.

    It does up to ``recordings`` jobs at a time. A job whose worker dies ``max_stage_attempts`` times in one
    stage fails with the code ``crashed``.
    """

    heartbeat_s: float = 5.0
    dead_after_s: float = 30.0
    poll_s: float = 1.0
    max_stage_attempts: int = 5
    recordings: int = 1


class Worker:
    """Runs one workflow's jobs, ``WorkerOptions.recordings`` at a time, from ``start`` to ``stop``, once.

    A stage that was begun before, as by a worker that died in it, is begun again alone: if it kills this one
    too, it takes no other recording's stage with it, and no other is given up for it.

    ``executor_id`` is unique among workers and stays over restarts: a worker that comes back goes on
    at once with what it had begun. Others take it over when its heartbeat stops.
    """

    def __init__(
        self,
        engine: Engine,
        workflow: Workflow,
        executor_id: str,
        executor: StageExecutor | None = None,
        options: WorkerOptions | None = None,
    ) -> None:
        self._engine = engine
        self._workflow = workflow
        self._executor_id = executor_id
        self._executor = executor or StageExecutor()
        self._options = options or WorkerOptions()
        self._sessions = session_factory(engine)
        self._client = make_client(engine)
        self._running = InHand()
        self._watchdog = Watchdog(
            self._sessions,
            executor_id,
            jobs=self,
            heartbeat_s=self._options.heartbeat_s,
            dead_after_s=self._options.dead_after_s,
        )

    def start(self) -> None:
        """Begin to take jobs. Raises ConfigurationError where this process already has a worker."""
        if not _one_worker.acquire(blocking=False):
            raise ConfigurationError("this process already has a worker; start another process")
        with ExitStack() as undo:
            undo.callback(_one_worker.release)
            undo.callback(self._client.destroy)
            prepare_jobs(self._engine)
            set_pace(self._client, self._options.poll_s, self._options.recordings)
            self._watchdog.start()
            undo.callback(self._watchdog.stop)
            self._launch()
            undo.pop_all()
        _log.info("worker started", executor_id=self._executor_id)

    def _launch(self) -> None:
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": system_database_url(self._engine),
            "db_engine_kwargs": {"hide_parameters": True},
            "application_version": self._workflow.version,
            "executor_id": self._executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
        }
        DBOS(config=config)
        DBOS.workflow(
            name=self._workflow.name,
            serialization_type=WorkflowSerializationFormat.PORTABLE,
            max_recovery_attempts=None,
        )(self._workflow_function())
        DBOS.launch()

    def stop(self, grace_s: float = 10.0) -> bool:
        """Take no more jobs and give the stages in hand ``grace_s`` seconds; return whether they ended.

        What is not finished goes back to the queue for any worker. A stage that did not end runs on in
        its thread and is no longer listened to; the process should exit.
        """
        idle = self._running.stop(grace_s)
        DBOS.destroy(destroy_registry=True)
        self.resume([job_id for job_id, executor_id in self.unfinished() if executor_id == self._executor_id])
        self._watchdog.stop()
        self._client.destroy()
        _one_worker.release()
        _log.info("worker stopped", executor_id=self._executor_id, idle=idle)
        return idle

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def unfinished(self) -> list[tuple[str, str | None]]:
        """Return id and executor of every job that a worker has begun and not ended."""
        return list(unfinished_jobs(self._client))

    def in_hand(self) -> frozenset[str]:
        """Return the ids of the jobs that this process is doing."""
        return self._running.jobs()

    def resume(self, job_ids: list[str]) -> None:
        """Put broken-off jobs back on the queue."""
        if job_ids:
            self._client.resume_workflows(job_ids, queue_name=QUEUE)

    def _workflow_function(self) -> Callable[[str], None]:
        def run(recording_id: str) -> None:
            job_id = str(DBOS.workflow_id)
            with self._running.job(job_id), bound_contextvars(recording_id=recording_id, job_id=job_id):
                self._run(job_id, recording_id)

        return run

    def _run(self, job_id: str, recording_id: str) -> None:
        with transaction(self._sessions) as session:
            _count_attempt(session, job_id)
        stages = _DbosStages(self, job_id)
        try:
            with one_error("workflow"):
                self._workflow.run(stages, recording_id)
        except StageFailed as failed:
            raise _recordable(failed) from failed

    def do_stage(self, job_id: str, name: str, step: Callable[[], Json]) -> Json:
        """Do one stage of a job as a DBOS step: at most once where it finished before."""
        if name not in self._workflow.stage_names:
            raise ValueError(f"{name} is not among the workflow's stages")

        def begin() -> None:
            with transaction(self._sessions) as session:
                _begin_stage(session, job_id, name, self._options.max_stage_attempts)

        def work() -> Json:
            try:
                return self._executor.work(name, begin, step)
            except StageFailed as failed:
                raise _recordable(failed) from failed

        with one_error(name):
            begun = self._executor.patiently(name, partial(self._was_begun, job_id, name))
        try:
            with self._running.stage(alone=begun):
                result = DBOS.run_step({"name": name}, work)
        except PortableWorkflowError as recorded:
            raise StageFailed(name, str(recorded.code), recorded.message) from recorded
        self._executor.observer.reached(name, StagePoint.STORED)
        return result

    def _was_begun(self, job_id: str, stage: str) -> bool:
        """Tell whether a worker began the stage before, and none the next: it may have died of it."""
        with transaction(self._sessions) as session:
            row = session.get(JobRow, job_id)
            return row is not None and row.stage == stage


class _DbosStages:
    """The stages of one job."""

    def __init__(self, worker: Worker, job_id: str) -> None:
        self._worker = worker
        self._job_id = job_id

    def stage(self, name: str, step: Callable[[], Json]) -> Json:
        """Do the stage, or return the result it had."""
        return self._worker.do_stage(self._job_id, name, step)


def _recordable(failed: StageFailed) -> PortableWorkflowError:
    """Return the error in the form that DBOS stores as JSON."""
    return PortableWorkflowError(
        failed.message, type(failed).__name__, failed.error_code, {"stage": failed.stage}
    )


def _count_attempt(session: Session, job_id: str) -> None:
    row = session.get(JobRow, job_id)
    if row is not None:
        row.attempts += 1


def _begin_stage(session: Session, job_id: str, stage: str, max_attempts: int) -> None:
    """Note that a worker begins the stage; end the job where workers keep dying in it.

    Without this a recording that kills its worker would kill one after the other.
    """
    row = session.get(JobRow, job_id)
    if row is None:
        raise StageFailed(stage, "gone", "the recording was erased")
    row.stage_attempts = row.stage_attempts + 1 if row.stage == stage else 1
    row.stage = stage
    if row.stage_attempts > max_attempts:
        raise StageFailed(stage, "crashed", f"the worker died {max_attempts} times in stage {stage}")
