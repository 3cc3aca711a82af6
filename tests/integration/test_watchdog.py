"""The watchdog takes back the jobs of the dead, and of no one else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import now, transaction
from huaxiang.core.tables import WorkerRow
from huaxiang.core.watchdog import Watchdog, beat

DEAD_AFTER_S = 30.0


class ScriptedJobs:
    """Begun jobs as the test says; ``resumed`` is what the watchdog put back."""

    def __init__(self, unfinished: dict[str, str | None], in_hand: set[str] | None = None) -> None:
        self._unfinished = unfinished
        self._in_hand = in_hand or set()
        self.resumed: list[str] = []

    def unfinished(self) -> list[tuple[str, str | None]]:
        return list(self._unfinished.items())

    def in_hand(self) -> frozenset[str]:
        return frozenset(self._in_hand)

    def resume(self, job_ids: list[str]) -> None:
        self.resumed += job_ids


@pytest.fixture
def alive(sessions: sessionmaker[Session]) -> None:
    """Workers a and b are alive; c stopped beating a minute ago."""
    with transaction(sessions) as session:
        for executor_id in ("a", "b", "c"):
            beat(session, executor_id)
        session.execute(
            update(WorkerRow)
            .where(WorkerRow.executor_id == "c")
            .values(seen_at=now() - timedelta(seconds=2 * DEAD_AFTER_S))
        )


def _watchdog(sessions: sessionmaker[Session], executor_id: str, jobs: ScriptedJobs) -> Watchdog:
    return Watchdog(sessions, executor_id, jobs, heartbeat_s=5, dead_after_s=DEAD_AFTER_S)


@pytest.mark.usefixtures("alive")
def test_jobs_of_the_dead_and_of_the_unknown_go_back_to_the_queue(sessions: sessionmaker[Session]) -> None:
    jobs = ScriptedJobs({"of-a": "a", "of-b": "b", "of-c": "c", "of-none": None}, in_hand={"of-a"})
    assert _watchdog(sessions, "a", jobs).look() == ["of-c", "of-none"]
    assert jobs.resumed == ["of-c", "of-none"]


@pytest.mark.usefixtures("alive")
def test_only_one_of_the_living_looks_after_the_dead(sessions: sessionmaker[Session]) -> None:
    jobs = ScriptedJobs({"of-c": "c"})
    assert _watchdog(sessions, "b", jobs).look() == []


@pytest.mark.usefixtures("alive")
def test_a_worker_that_beats_again_is_alive(sessions: sessionmaker[Session]) -> None:
    jobs = ScriptedJobs({"of-c": "c"})
    _watchdog(sessions, "c", jobs).look()
    assert _watchdog(sessions, "a", jobs).look() == []


@pytest.mark.usefixtures("alive")
def test_a_watchdog_that_is_held_up_between_beat_and_look_counts_itself_alive(
    sessions: sessionmaker[Session],
) -> None:
    jobs = ScriptedJobs({"of-c": "c"})
    assert Watchdog(sessions, "a", jobs, heartbeat_s=5, dead_after_s=0).look() == ["of-c"]


@pytest.mark.usefixtures("alive")
def test_an_own_job_that_no_thread_does_goes_back_at_the_second_look(
    sessions: sessionmaker[Session],
) -> None:
    jobs = ScriptedJobs({"lost": "b", "done-now": "b"}, in_hand={"done-now"})
    watchdog = _watchdog(sessions, "b", jobs)
    assert watchdog.look() == []
    assert watchdog.look() == ["lost"]


@pytest.mark.usefixtures("alive")
def test_workers_not_seen_for_a_month_are_forgotten(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        session.execute(
            update(WorkerRow).where(WorkerRow.executor_id == "c").values(seen_at=now() - timedelta(days=31))
        )
    _watchdog(sessions, "a", ScriptedJobs({})).look()
    with transaction(sessions) as session:
        assert session.get(WorkerRow, "c") is None
        assert session.get(WorkerRow, "b") is not None


def test_the_thread_beats_until_it_is_stopped_and_signs_off(sessions: sessionmaker[Session]) -> None:
    jobs = ScriptedJobs({"of-c": "c"})
    watchdog = Watchdog(sessions, "a", jobs, heartbeat_s=0.01, dead_after_s=DEAD_AFTER_S)
    watchdog.start()
    while not jobs.resumed:
        pass
    watchdog.stop()
    with transaction(sessions) as session:
        assert session.get(WorkerRow, "a") is None
