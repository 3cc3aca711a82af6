"""Takes a task over the whole stored history, on several processes, with the database in one."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias, TypeVar, cast

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.errors import StorageError
from huaxiang.quality.history.store import Packed, pages

T = TypeVar("T")
Task: TypeAlias = Callable[[Packed], T]
"""What is done to each conversation; it is pickled, and so are its results."""

SMALL = 1500
"""A history up to this size is judged in this process: others take longer to start than they save."""
_PAGE = 250
_WAITING_PAGES = 3
_COLLECT_AFTER = 200_000


class Sweep:
    """A task over all features from ``since`` (aware) on, in the order in which conversations began.

    ``processes`` is how many work; with 1 all is done in this one. They are started afresh (spawn), so
    that they share no lock or connection with threads of this one, and they are given the packed
    features: only this process reads the database. With ``encoder`` vectors of turns come along.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        processes: int = 1,
        since: datetime | None = None,
        encoder: str | None = None,
    ) -> None:
        self._sessions = sessions
        self._processes = processes
        self._since = since
        self._encoder = encoder

    def results(self, task: Task[T]) -> Iterator[T]:
        """Give the task's result for each conversation. Raises StorageError where a process dies."""
        if self._processes < 2:
            for page in pages(self._sessions, self._since, _PAGE, self._encoder):
                yield from map(task, page)
            return
        with _pool(task, self._processes) as pool:
            waiting: deque[Future[list[T]]] = deque()
            for page in pages(self._sessions, self._since, _PAGE, self._encoder):
                waiting.append(cast("Future[list[T]]", pool.submit(_do, page)))
                if len(waiting) > _WAITING_PAGES * self._processes:
                    yield from _result(waiting.popleft())
            while waiting:
                yield from _result(waiting.popleft())


def _result(future: Future[list[T]]) -> list[T]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise StorageError("a process that judges the history was killed; nothing was changed") from error


@contextmanager
def _pool(task: Task[T], processes: int) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_prepare, initargs=(task,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


_task: Task[object] | None = None


def _prepare(task: Task[object]) -> None:
    """Keep the task in a process of the pool, so that it is sent once.

    What is judged holds no cycles, so the collector need not look at every few hundred objects of it.
    """
    global _task  # one pool process does one task
    _task = task
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


def _do(page: Sequence[Packed]) -> list[object]:
    if _task is None:
        raise StorageError("the process was not prepared for its task")
    return [_task(packed) for packed in page]
