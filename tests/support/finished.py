"""Waits for work that the server does in the background."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_S = 30


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; raises AssertionError where it does not in time."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
