"""Something that is built when it is first asked for, and once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Once(Generic[_T]):
    """Call it for what ``build`` gives; safe to share between threads, unlike ``functools.cache``.

    Who asks while it is being built waits. Where ``build`` raises, the next call builds again.
    """

    def __init__(self, build: Callable[[], _T]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: list[_T] = []

    def __call__(self) -> _T:
        """Return the one that was built. Raises what ``build`` raises."""
        with self._lock:
            if not self._built:
                self._built.append(self._build())
            return self._built[0]
