"""A worker with several recordings in hand loses none of them, and stops with all of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from worker_processes import POINTS, QUICK, STAGES, Workers, queue_of, until

from huaxiang.core.database import transaction
from huaxiang.core.jobs import JobState, JobStatus, StageRunner, Workflow
from huaxiang.core.jobs_dbos import DbosJobs
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


def _status(sessions: sessionmaker[Session], jobs: DbosJobs, recording_id: str) -> JobStatus:
    with transaction(sessions) as session:
        return jobs.status(session, recording_id)


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
