"""Stages are done beside each other, but for those that have to be done alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from huaxiang.core.in_hand import InHand, WorkerStopping

WAIT_S = 20.0
MOMENT_S = 0.1


class Stage:
    """A stage in a thread of its own, from when it is let in until it is told to end."""

    def __init__(self, pool: ThreadPoolExecutor, in_hand: InHand, *, alone: bool) -> None:
        self.entered, self._end = threading.Event(), threading.Event()
        self.done: Future[None] = pool.submit(self._run, in_hand, alone)

    def _run(self, in_hand: InHand, alone: bool) -> None:
        with in_hand.stage(alone=alone):
            self.entered.set()
            assert self._end.wait(WAIT_S)

    def began(self) -> bool:
        return self.entered.wait(WAIT_S)

    def waits(self) -> bool:
        return not self.entered.wait(MOMENT_S)

    def end(self) -> None:
        self._end.set()
        self.done.result(WAIT_S)


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(8)


@pytest.fixture
def in_hand() -> InHand:
    return InHand()


@pytest.fixture
def begin(pool: ThreadPoolExecutor, in_hand: InHand) -> Callable[..., Stage]:
    return lambda alone=False: Stage(pool, in_hand, alone=alone)


def test_stages_are_done_beside_each_other(begin: Callable[..., Stage]) -> None:
    first, second = begin(), begin()
    assert first.began()
    assert second.began()
    first.end()
    second.end()


def test_one_that_is_to_be_alone_waits_for_the_others_and_they_for_it(begin: Callable[..., Stage]) -> None:
    before = begin()
    assert before.began()
    alone = begin(alone=True)
    assert alone.waits()
    after = begin()
    assert after.waits()
    before.end()
    assert alone.began()
    assert after.waits()
    alone.end()
    assert after.began()
    after.end()


def test_two_that_are_to_be_alone_follow_each_other(begin: Callable[..., Stage]) -> None:
    first = begin(alone=True)
    assert first.began()
    second = begin(alone=True)
    assert second.waits()
    first.end()
    assert second.began()
    second.end()


def test_a_stage_that_fails_makes_room(in_hand: InHand) -> None:
    with pytest.raises(ValueError, match="broke"), in_hand.stage(alone=True):
        raise ValueError("broke")
    with in_hand.stage(alone=False):
        pass


def test_stopping_lets_what_began_end_and_sends_what_waits_away(
    pool: ThreadPoolExecutor, in_hand: InHand, begin: Callable[..., Stage]
) -> None:
    alone = begin(alone=True)
    assert alone.began()
    waiting = begin()
    with in_hand.job("r1"):
        assert not in_hand.stop(0.0)
        assert in_hand.jobs() == {"r1"}
    with pytest.raises(WorkerStopping):
        waiting.done.result(WAIT_S)
    alone.end()
    with pytest.raises(WorkerStopping), in_hand.job("r2"):
        pass
    with pytest.raises(WorkerStopping), in_hand.stage(alone=False):
        pass
    started = time.monotonic()
    assert in_hand.stop(WAIT_S)
    assert time.monotonic() - started < WAIT_S
