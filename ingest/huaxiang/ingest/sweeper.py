"""Clears away, now and then, what was given up: expired uploads, and blobs that became no recording."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.periodic import Periodic
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.uploads import UploadService

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was removed."""

    uploads: int
    blobs: int


class Sweeper(Periodic):
    """Sweeps every ``every_s`` seconds. Several servers may: what one removed the others do not find."""

    def __init__(
        self,
        uploads: UploadService,
        receiver: Receiver,
        sessions: sessionmaker[Session],
        every_s: float = 3600.0,
    ) -> None:
        super().__init__("sweeper", every_s)
        self._uploads = uploads
        self._receiver = receiver
        self._sessions = sessions

    def sweep(self) -> Swept:
        """Sweep once. Raises StorageError."""
        uploads = self._uploads.sweep()
        with transaction(self._sessions) as session:
            blobs = self._receiver.sweep(session)
        return Swept(uploads, blobs)

    def work(self) -> None:
        """Sweep, and log how much was removed."""
        swept = self.sweep()
        _log.info("swept", count=swept.uploads + swept.blobs)
