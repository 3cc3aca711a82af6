"""Does long work of the server one after another, in a thread that ends with the process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue

import structlog
from sqlalchemy.exc import SQLAlchemyError

from huaxiang.core.database import now
from huaxiang.core.errors import HuaxiangError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failures:
    """How often work failed on end, and when it last did."""

    count: int
    last: datetime


class Background:
    """Takes work by name; work of a name that waits or runs already is not taken twice.

    The thread is started with the first work, and again after one that ended it. What is under way when
    the process ends is broken off, so work must leave the store as it was until it is done, and be good to
    be done again.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[str, Callable[[], None]]] = SimpleQueue()
        self._names: set[str] = set()
        self._failures: dict[str, Failures] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, name: str, work: Callable[[], None]) -> bool:
        """Have ``work`` done; false where work of this name is waiting or under way."""
        with self._lock:
            if name in self._names:
                return False
            self._names.add(name)
            self._waiting.put((name, work))
            # Work that failed by a mistake in the program ended its thread: what comes after needs another.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="history", daemon=True)
                self._thread.start()
        return True

    def is_busy(self, name: str) -> bool:
        """Tell whether work of this name waits or is under way in this process."""
        with self._lock:
            return name in self._names

    def failures(self, name: str) -> Failures | None:
        """Return how work of this name failed since it was last done; None where it did not."""
        with self._lock:
            return self._failures.get(name)

    def _run(self) -> None:
        while True:
            name, work = self._waiting.get()
            is_done = False
            try:
                work()
                is_done = True
            except (HuaxiangError, SQLAlchemyError):
                _log.warning("work on the history failed", work=name, exc_info=True)
            finally:
                with self._lock:
                    self._note(name, is_done)
                    self._names.discard(name)

    def _note(self, name: str, is_done: bool) -> None:
        before = self._failures.pop(name, None)
        if not is_done:
            self._failures[name] = Failures(before.count + 1 if before else 1, now())
