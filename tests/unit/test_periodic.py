"""Work beside the requests is done at once, again and again, and after a failure too."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import OperationalError

from huaxiang.core.errors import StorageError
from huaxiang.core.periodic import Periodic


class Scripted(Periodic):
    """Fails the first times as it is told, and counts."""

    def __init__(self, failures: list[Exception]) -> None:
        super().__init__("scripted", every_s=0.001)
        self.failures = failures
        self.done = 0
        self.three_times = threading.Event()

    def work(self) -> None:
        if self.failures:
            raise self.failures.pop()
        self.done += 1
        if self.done == 3:
            self.three_times.set()


@pytest.mark.parametrize("error", [StorageError("away"), OperationalError("select", {}, Exception("locked"))])
def test_work_is_done_again_after_a_failure(error: Exception) -> None:
    with Scripted([error, error]) as work:
        assert work.three_times.wait(10)
    assert work.failures == []


def test_nothing_is_done_after_the_end() -> None:
    with Scripted([]) as work:
        assert work.three_times.wait(10)
    done = work.done
    assert not threading.Event().wait(0.05)
    assert work.done == done
