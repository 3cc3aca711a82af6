"""A killed worker loses no job and no finished stage; a failing job ends with its error's code."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import AudioTooLong, BlobMissing, ConfigurationError, HuaxiangError, StorageError
from huaxiang.core.jobs import FINISHED, JobState, JobStatus, StageRunner, Workflow
from huaxiang.core.jobs_dbos import QUEUE, DbosJobs, make_client, prepare_jobs
from huaxiang.core.stages import StageExecutor
from huaxiang.core.tables import WorkerRow
from huaxiang.core.types import Json
from huaxiang.core.worker import Worker, WorkerOptions

PROGRAM = Path(__file__).parents[1] / "worker_program.py"
STAGES = ("hear", "understand", "keep")
POINTS = ("started", "worked", "stored")
QUICK = WorkerOptions(heartbeat_s=0.2, dead_after_s=1.5, poll_s=0.1, max_stage_attempts=3)


def _nothing(stages: StageRunner, recording_id: str) -> None:
    raise AssertionError("this process only queues")


class Workers:
    """Worker processes of one test, and the jobs they do."""

    def __init__(self, url: str, folder: Path, sessions: sessionmaker[Session], jobs: DbosJobs) -> None:
        self._url, self._folder, self._sessions, self._jobs = url, folder, sessions, jobs
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(
        self, executor_id: str, die_at: str = "", by: str = "SIGKILL", recordings: int = 1
    ) -> subprocess.Popen[bytes]:
        told: list[str | Path] = [self._url, executor_id, self._folder, str(recordings), die_at, by]
        process = subprocess.Popen(
            [sys.executable, "-W", "error", PROGRAM, *told],
            stdin=subprocess.PIPE,
            env={"PYTHONPATH": str(PROGRAM.parents[1] / "core"), "PATH": ""},
        )
        self._processes.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Tell a worker to stop, and wait for it."""
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=30)

    def stop(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                self.wake(process)
            self.end(process)

    def until_asleep(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the process has stopped itself, and sleeps without a lock of the database."""
        deadline = time.monotonic() + 60
        while True:
            while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            if not self._locked():
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            process.send_signal(signal.SIGSTOP)

    def wake(self, process: subprocess.Popen[bytes]) -> None:
        """Let a process that sleeps go on."""
        (self._folder / "awake").touch()
        process.send_signal(signal.SIGCONT)

    def _locked(self) -> bool:
        """Tell whether somebody holds the lock of the whole database; only SQLite has one."""
        url = make_url(self._url)
        if url.get_backend_name() != "sqlite":
            return False
        connection = sqlite3.connect(str(url.database), timeout=0.5, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
        return False

    def queue(self, recording_id: str) -> None:
        with transaction(self._sessions) as session:
            self._jobs.enqueue(session, recording_id)

    def status(self, recording_id: str) -> JobStatus:
        with transaction(self._sessions) as session:
            return self._jobs.status(session, recording_id)

    def finished(self, recording_id: str, within_s: float = 60) -> JobStatus:
        return until(lambda: self.status(recording_id), lambda job: job.state in FINISHED, within_s)

    def times_done(self, recording_id: str) -> Counter[str]:
        lines = (self._folder / "done").read_text(encoding="utf-8").splitlines()
        return Counter(line.split()[1] for line in lines if line.startswith(f"{recording_id} "))

    def result(self, recording_id: str) -> str:
        return (self._folder / f"result-{recording_id}").read_text(encoding="utf-8")


def until(
    ask: Callable[[], JobStatus], answers: Callable[[JobStatus], bool], within_s: float = 60
) -> JobStatus:
    """Ask until the answer is right, or fail."""
    deadline = time.monotonic() + within_s
    while not answers(status := ask()):
        assert time.monotonic() < deadline, f"still {status}"
        time.sleep(0.05)
    return status


@pytest.fixture
def jobs(engine: Engine) -> Iterator[DbosJobs]:
    prepare_jobs(engine)
    jobs = DbosJobs(engine, Workflow(_nothing, STAGES))
    yield jobs
    jobs.close()


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


@pytest.mark.parametrize(
    ("database_url", "point"),
    [(database, point) for database in ("sqlite", "postgresql") for point in POINTS],
    indirect=["database_url"],
)
@pytest.mark.parametrize("successor", ["w1", "w2"])
def test_a_worker_killed_with_two_recordings_in_hand_loses_neither(
    workers: Workers, point: str, successor: str
) -> None:
    workers.queue("r1")
    workers.queue("r2")
    assert workers.start("w1", die_at=f"understand:{point}", recordings=2).wait(timeout=60) == -9
    workers.start(successor, recordings=2)
    for recording_id in ("r1", "r2"):
        job = workers.finished(recording_id)
        assert (job.state, job.attempts, job.error_code) == (JobState.DONE, 2, None)
        assert workers.result(recording_id) == repr([{"stage": name} for name in STAGES])
        again = {"understand"} if point == "worked" else set()
        assert workers.times_done(recording_id) == Counter({name: 1 + (name in again) for name in STAGES})


def test_a_recording_that_kills_every_worker_takes_no_other_with_it(workers: Workers) -> None:
    workers.queue("killer")
    workers.queue("beside")
    for _ in range(QUICK.max_stage_attempts):
        assert workers.start("w1", recordings=2).wait(timeout=60) == -9
    workers.start("w1", recordings=2)
    killed = workers.finished("killer")
    assert (killed.state, killed.error_code) == (JobState.FAILED, "crashed")
    assert workers.finished("beside").state is JobState.DONE
    assert workers.times_done("beside") == Counter(STAGES)


def test_another_worker_takes_over_when_the_heartbeat_stops(workers: Workers) -> None:
    workers.queue("r1")
    assert workers.start("w1", die_at="understand:started").wait(timeout=60) == -9
    workers.start("w2")
    job = workers.finished("r1")
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert workers.times_done("r1") == Counter(STAGES)


def test_a_worker_that_slept_and_wakes_after_the_takeover_changes_nothing(workers: Workers) -> None:
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


def test_a_worker_listens_on_no_port_and_connects_to_nothing(workers: Workers) -> None:
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


def _status(sessions: sessionmaker[Session], jobs: DbosJobs, recording_id: str) -> JobStatus:
    with transaction(sessions) as session:
        return jobs.status(session, recording_id)


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


def _queue(sessions: sessionmaker[Session], jobs: DbosJobs, *recording_ids: str) -> None:
    with transaction(sessions) as session:
        for recording_id in recording_ids:
            jobs.enqueue(session, recording_id)


def test_a_worker_does_two_recordings_at_a_time_and_tells_which(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs
) -> None:
    together = threading.Barrier(2)
    told: list[frozenset[str]] = []

    def run(stages: StageRunner, recording_id: str) -> None:
        stages.stage("hear", lambda: together.wait(60) >= 0)
        told.append(worker.in_hand())
        together.wait(60)

    _queue(sessions, jobs, "r1", "r2")
    with Worker(engine, Workflow(run, STAGES), "w1", options=replace(QUICK, recordings=2)) as worker:
        for recording_id in ("r1", "r2"):
            until(partial(_status, sessions, jobs, recording_id), lambda job: job.state is JobState.DONE)
    assert told == [{"r1", "r2"}] * 2


def test_a_stopped_worker_hands_all_its_jobs_back(
    engine: Engine, sessions: sessionmaker[Session], jobs: DbosJobs
) -> None:
    begun, stopped = threading.Barrier(3), threading.Event()

    def run(stages: StageRunner, recording_id: str) -> None:
        stages.stage("hear", lambda: begun.wait(60) >= 0 and stopped.wait(60))
        stages.stage("keep", lambda: None)

    _queue(sessions, jobs, "r1", "r2")
    worker = Worker(engine, Workflow(run, STAGES), "w1", options=replace(QUICK, recordings=2))
    worker.start()
    begun.wait(60)
    threading.Timer(0.5, stopped.set).start()
    assert worker.stop(grace_s=30)
    for recording_id in ("r1", "r2"):
        job = _status(sessions, jobs, recording_id)
        assert (job.state, job.stage) == (JobState.QUEUED, "hear")


def test_a_process_that_only_opens_the_queue_leaves_its_pace_alone(engine: Engine, jobs: DbosJobs) -> None:
    def pace() -> tuple[object, object]:
        client = make_client(engine)
        queue = client.retrieve_queue(QUEUE)
        client.destroy()
        assert queue is not None
        return queue.worker_concurrency, queue.polling_interval_sec

    workflow = Workflow(_nothing, STAGES)
    with Worker(engine, workflow, "w1", options=replace(QUICK, recordings=3)):
        prepare_jobs(engine)
        assert pace() == (3, QUICK.poll_s)


def test_a_process_has_one_worker(engine: Engine, jobs: DbosJobs) -> None:
    workflow = Workflow(_nothing, STAGES)
    with (
        Worker(engine, workflow, "w1", options=QUICK),
        pytest.raises(ConfigurationError, match="already has a worker"),
    ):
        Worker(engine, workflow, "w2", options=QUICK).start()
