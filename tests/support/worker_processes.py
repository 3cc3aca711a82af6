"""Worker processes of a test, which it starts, kills and stops, and the queue of their jobs."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.jobs import FINISHED, JobStatus, StageRunner, Workflow
from huaxiang.core.jobs_dbos import DbosJobs, prepare_jobs
from huaxiang.core.worker import WorkerOptions

PROGRAM = Path(__file__).parents[1] / "worker_program.py"
STAGES = ("hear", "understand", "keep")
POINTS = ("started", "worked", "stored")
QUICK = WorkerOptions(heartbeat_s=0.2, dead_after_s=1.5, poll_s=0.1, max_stage_attempts=3)


def only_queued(stages: StageRunner, recording_id: str) -> None:
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


@contextmanager
def queue_of(engine: Engine) -> Iterator[DbosJobs]:
    """Give the queue, to a process that does no job of it."""
    prepare_jobs(engine)
    jobs = DbosJobs(engine, Workflow(only_queued, STAGES))
    yield jobs
    jobs.close()
