"""Clears away, now and then, what was given up: expired uploads, and blobs that became no recording."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import StorageError
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.uploads import UploadService

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was removed."""

    uploads: int
    blobs: int


class Sweeper:
    """Sweeps every ``every_s`` seconds in a thread of its own, from ``with`` on until its end.

    Several servers may sweep one store: what one removed the others do not find. A database or
    store that fails is logged and tried again at the next time.
    """

    def __init__(
        self,
        uploads: UploadService,
        receiver: Receiver,
        sessions: sessionmaker[Session],
        every_s: float = 3600.0,
    ) -> None:
        self._uploads = uploads
        self._receiver = receiver
        self._sessions = sessions
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def sweep(self) -> Swept:
        """Sweep once. Raises StorageError."""
        uploads = self._uploads.sweep()
        with transaction(self._sessions) as session:
            blobs = self._receiver.sweep(session)
        return Swept(uploads, blobs)

    def __enter__(self) -> Self:
        """Begin to sweep."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the sweep in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                swept = self.sweep()
            except (StorageError, SQLAlchemyError):
                _log.warning("sweeping failed", exc_info=True)
            else:
                _log.info("swept", count=swept.uploads + swept.blobs)
            if self._stop.wait(self._every_s):
                return
