"""The job queue keeps one contract, on DBOS and in the scripted twin: the caller's transaction decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import AudioTooLong, Conflict, NotFound
from huaxiang.core.jobs import FINISHED, JobQueue, JobState, JobStatus, StageRunner, Workflow
from huaxiang.core.jobs_dbos import DbosJobs, prepare_jobs
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.types import Json
from huaxiang.core.worker import Worker, WorkerOptions


def _hear(stages: StageRunner, recording_id: str) -> None:
    def step() -> Json:
        if recording_id == "too-long":
            raise AudioTooLong("longer than allowed")
        return None

    stages.stage("hear", step)


WORKFLOW = Workflow(_hear, ("hear",))


@dataclass
class Queue:
    """A queue, the transactions of its callers, and how its jobs come to be done."""

    jobs: JobQueue
    sessions: sessionmaker[Session]
    do_all: Callable[[], None]

    def enqueue(self, recording_id: str) -> None:
        with transaction(self.sessions) as session:
            self.jobs.enqueue(session, recording_id)

    def status(self, recording_id: str) -> JobStatus:
        with transaction(self.sessions) as session:
            return self.jobs.status(session, recording_id)

    def page(self, limit: int = 50, after: str | None = None) -> list[str]:
        with transaction(self.sessions) as session:
            return [job.id for job in self.jobs.page(session, limit, after)]


@pytest.fixture(params=["memory", "dbos"])
def queue(request: pytest.FixtureRequest, engine: Engine, sessions: sessionmaker[Session]) -> Iterator[Queue]:
    if request.param == "memory":
        memory = MemoryJobs()
        yield Queue(memory, sessions, lambda: memory.run_all(WORKFLOW))
        return
    prepare_jobs(engine)
    jobs = DbosJobs(engine, WORKFLOW)

    def all_finished() -> bool:
        with transaction(sessions) as session:
            return all(job.state in FINISHED for job in jobs.page(session))

    def do_all() -> None:
        deadline = time.monotonic() + 60
        with Worker(engine, WORKFLOW, "w1", options=WorkerOptions(poll_s=0.05)):
            while not all_finished():
                assert time.monotonic() < deadline
                time.sleep(0.05)

    yield Queue(jobs, sessions, do_all)
    jobs.close()


def test_a_job_is_queued_then_done(queue: Queue) -> None:
    queue.enqueue("r1")
    queued = queue.status("r1")
    assert (queued.id, queued.recording_id, queued.state, queued.stage) == ("r1", "r1", JobState.QUEUED, None)
    queue.do_all()
    done = queue.status("r1")
    assert (done.state, done.stage, done.attempts, done.error_code) == (JobState.DONE, "hear", 1, None)
    assert done.created_at == queued.created_at <= done.updated_at


def test_a_job_of_a_transaction_that_rolls_back_never_was(queue: Queue) -> None:
    with queue.sessions() as session:
        queue.jobs.enqueue(session, "r1")
        session.rollback()
    with pytest.raises(NotFound):
        queue.status("r1")
    queue.do_all()
    with pytest.raises(NotFound):
        queue.status("r1")
    queue.enqueue("r1")
    queue.do_all()
    assert queue.status("r1").state is JobState.DONE


def test_a_recording_queued_twice_is_done_once(queue: Queue) -> None:
    queue.enqueue("r1")
    queue.enqueue("r1")
    queue.do_all()
    queue.enqueue("r1")
    queue.do_all()
    assert queue.page() == ["r1"]
    assert queue.status("r1").attempts == 1


def test_a_finished_recording_can_be_run_again(queue: Queue) -> None:
    queue.enqueue("too-long")
    queue.do_all()
    failed = queue.status("too-long")
    assert (failed.state, failed.stage, failed.error_code) == (JobState.FAILED, "hear", "audio_too_long")
    with transaction(queue.sessions) as session:
        assert queue.jobs.enqueue_again(session, "too-long") == "too-long-2"
    assert queue.status("too-long").state is JobState.QUEUED
    assert queue.page() == ["too-long-2", "too-long"]
    with pytest.raises(Conflict, match="too-long-2"), transaction(queue.sessions) as session:
        queue.jobs.enqueue_again(session, "too-long")
    queue.do_all()
    assert queue.status("too-long").id == "too-long-2"


def test_what_was_never_queued_cannot_be_run_again(queue: Queue) -> None:
    with pytest.raises(NotFound), transaction(queue.sessions) as session:
        queue.jobs.enqueue_again(session, "r1")


def test_jobs_come_newest_first_in_pages(queue: Queue) -> None:
    names = [f"r{number}" for number in range(5)]
    for name in names:
        queue.enqueue(name)
    assert queue.page(limit=2) == ["r4", "r3"]
    assert queue.page(limit=2, after="r3") == ["r2", "r1"]
    assert queue.page(limit=2, after="r1") == ["r0"]
    assert queue.page(limit=2, after="r0") == []
    with pytest.raises(NotFound):
        queue.page(after="r9")
