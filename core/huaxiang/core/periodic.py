"""Work that a server does now and then beside its requests."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from huaxiang.core.errors import HuaxiangError

_log = structlog.get_logger(__name__)


class Periodic(ABC):
    """Does its work every ``every_s`` seconds in a thread of its own, from ``with`` on until its end.

    The first time is at once. A database or store that fails is logged under ``name`` and tried again at
    the next time.
    """

    def __init__(self, name: str, every_s: float) -> None:
        self._name = name
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """Do the work once. Raises HuaxiangError and SQLAlchemyError."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the work in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self.work()
            except (HuaxiangError, SQLAlchemyError):
                _log.warning("periodic work failed", work=self._name, exc_info=True)
            if self._stop.wait(self._every_s):
                return
