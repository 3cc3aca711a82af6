"""The job queue on DBOS, whose tables lie beside ours in the same database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from dbos import (
    DBOS,
    DBOSClient,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
    PortableWorkflowError,
    WorkflowSerializationFormat,
    WorkflowStatus,
)
from sqlalchemy import Engine, Select, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, HuaxiangError, NotFound, StorageError
from huaxiang.core.jobs import FINISHED, JobState, JobStatus, Workflow
from huaxiang.core.tables import JobRow

APPLICATION = "huaxiang"
QUEUE = "recordings"
_STATES = {
    "ENQUEUED": JobState.QUEUED,
    "DELAYED": JobState.QUEUED,
    "PENDING": JobState.RUNNING,
    "SUCCESS": JobState.DONE,
}
_ENDED_WITHOUT_ERROR = {
    "CANCELLED": "cancelled",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "crashed",
}


def system_database_url(engine: Engine) -> str:
    """Return the URL under which DBOS opens the same database as ``engine``."""
    return engine.url.render_as_string(hide_password=False)


def prepare_jobs(engine: Engine) -> None:
    """Make or bring up to date DBOS's tables and the queue; nothing happens where they are.

    Raises StorageError.
    """
    quieten_dbos()
    try:
        DBOS.migrate(system_database_url(engine))
        client = make_client(engine)
        client.register_queue(QUEUE, worker_concurrency=1, on_conflict="never_update")
        client.destroy()
    except SQLAlchemyError as error:
        raise StorageError("the tables of the job queue could not be made; see the database's log") from error


def set_pace(client: DBOSClient, poll_s: float, recordings: int) -> None:
    """Set how often in seconds each worker looks for work, and how many jobs it does at a time.

    DBOS keeps both with the queue: they hold for all workers on this database, from their next look on.
    """
    client.register_queue(QUEUE, worker_concurrency=recordings, polling_interval_sec=poll_s)


def make_client(engine: Engine) -> DBOSClient:
    """Return a client on the same database as the engine.

    It has connections of its own: with SQLite a transaction of ours is a writer from its beginning, and
    a read of DBOS's tables beside it must not wait for it.
    """
    return DBOSClient(
        system_database_url=system_database_url(engine),
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
    )


def quieten_dbos() -> None:
    """Leave what DBOS logs to the program's own logging; it would write to the console itself."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


class DbosJobs:
    """Jobs as DBOS workflows, each with a row of ours of the same id. ``close`` it in the end."""

    def __init__(self, engine: Engine, workflow: Workflow) -> None:
        self._client = make_client(engine)
        self._workflow = workflow
        self._insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    def close(self) -> None:
        """Give back the connections."""
        self._client.destroy()

    def enqueue(self, session: Session, recording_id: str) -> None:
        """Queue a recording."""
        self._enqueue(session, recording_id, recording_id)

    def enqueue_again(self, session: Session, recording_id: str) -> str:
        """Queue another run."""
        newest = self.status(session, recording_id)
        if newest.state not in FINISHED:
            raise Conflict(f"job {newest.id} of this recording is not finished")
        runs = session.scalar(
            select(func.count()).select_from(JobRow).where(JobRow.recording_id == recording_id)
        )
        job_id = f"{recording_id}-{(runs or 0) + 1}"
        if not self._enqueue(session, job_id, recording_id):
            raise Conflict(f"job {job_id} was queued by another request")
        return job_id

    def status(self, session: Session, recording_id: str) -> JobStatus:
        """Return the newest job."""
        newest = self._jobs(session, _newest_first().where(JobRow.recording_id == recording_id).limit(1))
        if not newest:
            raise NotFound(f"recording {recording_id} was never queued")
        return newest[0]

    def page(self, session: Session, limit: int = 50, after: str | None = None) -> Sequence[JobStatus]:
        """Return jobs, newest first."""
        query = _newest_first().limit(limit)
        if after is not None:
            last = session.get(JobRow, after)
            if last is None:
                raise NotFound(f"job {after} does not exist")
            query = query.where(tuple_(JobRow.created_at, JobRow.id) < (last.created_at, last.id))
        return self._jobs(session, query)

    def _enqueue(self, session: Session, job_id: str, recording_id: str) -> bool:
        """Queue a job; return whether it is new."""
        values = {
            "id": job_id,
            "recording_id": recording_id,
            "stage_attempts": 0,
            "attempts": 0,
            "created_at": now(),
        }
        inserted = session.execute(
            self._insert(JobRow).values(values).on_conflict_do_nothing().returning(JobRow.id)
        ).first()
        if inserted is None:
            return False
        options: EnqueueOptions = {
            "workflow_name": self._workflow.name,
            "queue_name": QUEUE,
            "workflow_id": job_id,
            "serialization_type": WorkflowSerializationFormat.PORTABLE,
        }
        self._client.enqueue_in_transaction(session, options, recording_id)
        return True

    def _jobs(self, session: Session, query: Select[str]) -> Sequence[JobStatus]:
        """Return the jobs with these ids: first their states, then our rows, which are never older."""
        ids = session.scalars(query).all()
        if not ids:
            return []
        states = {
            status.workflow_id: status
            for status in self._client.list_workflows(workflow_ids=list(ids), load_input=False)
        }
        rows = session.scalars(
            select(JobRow).where(JobRow.id.in_(ids)).execution_options(populate_existing=True)
        )
        by_id = {row.id: row for row in rows}
        return [_job_status(by_id[job_id], states.get(job_id)) for job_id in ids]


def _newest_first() -> Select[str]:
    return select(JobRow.id).order_by(JobRow.created_at.desc(), JobRow.id.desc())


def unfinished_jobs(client: DBOSClient) -> Iterable[tuple[str, str | None]]:
    """Return id and executor of every job that a worker has begun and not ended."""
    return [
        (status.workflow_id, status.executor_id)
        for status in client.list_workflows(
            status="PENDING", queue_name=QUEUE, load_input=False, load_output=False
        )
    ]


def _job_status(row: JobRow, status: WorkflowStatus | None) -> JobStatus:
    """Put our row and DBOS's state together; DBOS cannot see a job of a transaction still open."""
    state = JobState.QUEUED if status is None else _STATES.get(status.status, JobState.FAILED)
    changed_ms = 0 if status is None else status.updated_at or 0
    return JobStatus(
        id=row.id,
        recording_id=row.recording_id,
        state=state,
        stage=row.stage,
        attempts=row.attempts,
        error_code=_error_code(status) if state is JobState.FAILED and status is not None else None,
        created_at=row.created_at,
        # with SQLite DBOS counts whole seconds
        updated_at=max(row.created_at, datetime.fromtimestamp(changed_ms / 1000, UTC)),
    )


def _error_code(status: WorkflowStatus) -> str:
    if isinstance(status.error, PortableWorkflowError) and status.error.code is not None:
        return str(status.error.code)
    return _ENDED_WITHOUT_ERROR.get(status.status, HuaxiangError.code)
