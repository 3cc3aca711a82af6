"""A killed worker loses no job and no finished stage; a failing job ends with its error's code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from worker_processes import POINTS, QUICK, STAGES, Workers, only_queued, queue_of, until

from huaxiang.core.database import transaction
from huaxiang.core.errors import AudioTooLong, BlobMissing, ConfigurationError, HuaxiangError, StorageError
from huaxiang.core.jobs import FINISHED, JobState, JobStatus, StageRunner, Workflow
from huaxiang.core.jobs_dbos import QUEUE, DbosJobs, make_client, prepare_jobs
from huaxiang.core.stages import StageExecutor
from huaxiang.core.tables import WorkerRow
from huaxiang.core.types import Json
from huaxiang.core.worker import Worker


@pytest.fixture
def jobs(engine: Engine) -> Iterator[DbosJobs]:
    with queue_of(engine) as jobs:
        yield jobs


@pytest.fixture
def workers(
    database_url: str, tmp_path: Path, sessions: sessionmaker[Session], jobs: DbosJobs
) -> Iterator[Workers]:
    workers = Workers(database_url, tmp_path, sessions, jobs)
    yield workers
    workers.stop()


@pytest.mark.parametrize(
    ("database_url", "stage", "point"),
    [("sqlite", stage, point) for stage in STAGES for point in POINTS]
    + [("postgresql", "understand", point) for point in POINTS],
    indirect=["database_url"],
)
def test_a_worker_killed_anywhere_and_started_again_ends_in_the_same_result(
    workers: Workers, stage: str, point: str
) -> None:
    workers.queue("r1")
    assert workers.start("w1", die_at=f"{stage}:{point}").wait(timeout=60) == -9
    before = workers.times_done("r1") if (stage, point) != ("hear", "started") else Counter()
    workers.start("w1")
    job = workers.finished("r1")
    assert (job.state, job.attempts, job.error_code) == (JobState.DONE, 2, None)
    assert workers.result("r1") == repr([{"stage": name} for name in STAGES])
    finished = set(STAGES[: STAGES.index(stage) + (point == "stored")])
    assert set(before) >= finished
    again = {stage} if point == "worked" else set()
    assert workers.times_done("r1") == Counter({name: 1 + (name in again) for name in STAGES})


def test_another_worker_takes_over_when_the_heartbeat_stops(workers: Workers) -> None:
    workers.queue("r1")
    assert workers.start("w1", die_at="understand:started").wait(timeout=60) == -9
    workers.start("w2")
    job = workers.finished("r1")
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert workers.times_done("r1") == Counter(STAGES)


def test_a_worker_that_slept_and_wakes_after_the_takeover_changesonly_queued(workers: Workers) -> None:
    workers.queue("r1")
    sleeper = workers.start("w1", die_at="understand:worked", by="SIGSTOP")
    workers.until_asleep(sleeper)
    other = workers.start("w2")
    assert workers.finished("r1").state is JobState.DONE
    before = workers.times_done("r1")
    assert before == Counter({"hear": 1, "understand": 2, "keep": 1})
    workers.end(other)
    workers.wake(sleeper)
    workers.queue("r2")
    assert workers.finished("r2").state is JobState.DONE  # by the one that slept
    assert workers.times_done("r1") == before
    assert workers.status("r1").attempts == 2


def test_a_recording_that_kills_every_worker_is_given_up(workers: Workers) -> None:
    workers.queue("r1")
    for _ in range(QUICK.max_stage_attempts):
        assert workers.start("w1", die_at="hear:started").wait(timeout=60) == -9
    workers.queue("r2")
    workers.start("w1")
    job = workers.finished("r1")
    assert (job.state, job.stage, job.error_code) == (JobState.FAILED, "hear", "crashed")
    assert workers.finished("r2").state is JobState.DONE


def test_two_workers_do_every_job_once(workers: Workers) -> None:
    workers.start("w1")
    workers.start("w2")
    for number in range(12):
        workers.queue(f"r{number}")
    for number in range(12):
        assert workers.finished(f"r{number}").state is JobState.DONE
        assert workers.times_done(f"r{number}") == Counter(STAGES)


def test_a_worker_listens_on_no_port_and_connects_toonly_queued(workers: Workers) -> None:
    process = workers.start("w1")
    workers.queue("r1")
    workers.finished("r1")
    assert psutil.Process(process.pid).net_connections("inet") == []


class Scripted:
    """A workflow of one stage whose step answers or raises what the test says, in turn."""

    def __init__(self, *answers: Json | Exception) -> None:
        self._answers = list(answers)
        self.calls = 0
        self.results: list[Json] = []

    def run(self, stages: StageRunner, recording_id: str) -> None:
        self.results.append(stages.stage("hear", self._step))

    def _step(self) -> Json:
        self.calls += 1
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _done_here(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs, scripted: Scripted
) -> JobStatus:
    """Queue one recording and let a worker of this process do it."""
    with transaction(sessions) as session:
        jobs.enqueue(session, "r1")
    executor = StageExecutor(retry_waits_s=(0.01, 0.01))

    def ask() -> JobStatus:
        with transaction(sessions) as session:
            return jobs.status(session, "r1")

    with Worker(engine, Workflow(scripted.run, STAGES), "w1", executor, QUICK):
        return until(ask, lambda job: job.state in FINISHED)


@pytest.mark.parametrize(
    ("error", "code", "calls"),
    [
        (AudioTooLong("seven hours is longer than the six allowed"), "audio_too_long", 1),
        (BlobMissing("a blob is gone"), "blob_missing", 1),
        (StorageError("the store is busy"), "storage", 3),
        (KeyError("a bug"), "error", 1),
    ],
)
def test_a_job_that_fails_ends_with_the_code_of_its_error(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs, error: Exception, code: str, calls: int
) -> None:
    scripted = Scripted(error, error, error, error)
    job = _done_here(engine, sessions, jobs, scripted)
    assert (job.state, job.stage, job.error_code) == (JobState.FAILED, "hear", code)
    assert scripted.calls == calls


def test_passing_trouble_is_waited_out(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs
) -> None:
    scripted = Scripted(StorageError("busy"), StorageError("busy"), {"turns": (1, 2)})
    assert _done_here(engine, sessions, jobs, scripted).state is JobState.DONE
    assert scripted.results == [{"turns": [1, 2]}]  # as it reads when it is resumed


def test_a_failed_stage_can_be_answered_by_another_stage(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs
) -> None:
    class Answering(Scripted):
        def run(self, stages: StageRunner, recording_id: str) -> None:
            try:
                super().run(stages, recording_id)
            except HuaxiangError as error:
                code = error.code
                self.results.append(stages.stage("keep", lambda: {"failed": code}))
                raise

    scripted = Answering(AudioTooLong("too long"))
    job = _done_here(engine, sessions, jobs, scripted)
    assert scripted.results == [{"failed": "stage_failed"}]
    assert (job.state, job.error_code) == (JobState.FAILED, "audio_too_long")


def test_a_stopped_worker_hands_its_job_back_and_signs_off(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs
) -> None:
    worker_holder: list[Worker] = []

    class Stopping(Scripted):
        def run(self, stages: StageRunner, recording_id: str) -> None:
            super().run(stages, recording_id)
            while not stopped:
                time.sleep(0.01)
            stages.stage("keep", lambda: None)

    stopped: list[bool] = []
    scripted = Stopping({}, {})
    with transaction(sessions) as session:
        jobs.enqueue(session, "r1")
    worker = Worker(engine, Workflow(scripted.run, STAGES), "w1", options=QUICK)
    worker.start()
    worker_holder.append(worker)
    deadline = time.monotonic() + 30
    while not scripted.results:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert worker.in_hand() == {"r1"}
    stopped.append(True)
    assert worker.stop()
    with transaction(sessions) as session:
        assert jobs.status(session, "r1").state in (JobState.QUEUED, JobState.DONE)
        assert session.query(WorkerRow).count() == 0


def test_a_process_that_only_opens_the_queue_leaves_its_pace_alone(engine: Engine, jobs: DbosJobs) -> None:
    def pace() -> tuple[object, object]:
        client = make_client(engine)
        queue = client.retrieve_queue(QUEUE)
        client.destroy()
        assert queue is not None
        return queue.worker_concurrency, queue.polling_interval_sec

    workflow = Workflow(only_queued, STAGES)
    with Worker(engine, workflow, "w1", options=replace(QUICK, recordings=3)):
        prepare_jobs(engine)
        assert pace() == (3, QUICK.poll_s)


def test_a_process_has_one_worker(engine: Engine, jobs: DbosJobs) -> None:
    workflow = Workflow(only_queued, STAGES)
    with (
        Worker(engine, workflow, "w1", options=QUICK),
        pytest.raises(ConfigurationError, match="already has a worker"),
    ):
        Worker(engine, workflow, "w2", options=QUICK).start()
