"""Work of the server goes on after work that failed."""

from __future__ import annotations

import threading

import pytest

from huaxiang.api.history.background import Background


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_is_done_after_work_that_ended_its_thread() -> None:
    others = set(threading.enumerate())  # of servers that other tests started
    background, done, broken = Background(), threading.Event(), threading.Event()

    def breaks() -> None:
        broken.set()
        raise ValueError

    background.submit("broken", breaks)
    assert broken.wait(10)
    while background.is_busy("broken"):
        pass
    for thread in set(threading.enumerate()) - others:
        thread.join(10)
    assert background.submit("next", done.set)
    assert done.wait(10)
