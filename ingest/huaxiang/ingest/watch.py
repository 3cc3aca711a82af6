"""Takes recordings from a folder: once each, when nobody writes to them any more."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import HuaxiangError, InvalidMetadata
from huaxiang.core.types import CallMetadata, Json
from huaxiang.ingest.formats import EXTENSIONS
from huaxiang.ingest.metadata import parse_filename, parse_metadata
from huaxiang.ingest.receive import Receiver, sha256_of

_MAX_SOURCE_CHARS = 200
_MAX_SIDECAR_BYTES = 1024 * 1024

Signature = tuple[int, ...]


class WatchOutcome(StrEnum):
    """What became of a file."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    WOULD_RECEIVE = "would_receive"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    UNSTABLE = "unstable"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One file and what became of it; ``code`` and ``message`` say why where it was not taken."""

    path: str
    outcome: WatchOutcome
    recording_id: str | None = None
    code: str | None = None
    message: str | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the event as one JSON object."""
        return {
            "file": self.path,
            "outcome": self.outcome.value,
            "recording_id": self.recording_id,
            "code": self.code,
            "message": self.message,
        }

    def __str__(self) -> str:
        what = f"{self.outcome.value.replace('_', ' ')}: {self.path}"
        details = self.message or self.recording_id
        return f"{what} ({details})" if details else what


class FolderWatch:
    """Looks at a folder and its subfolders every ``poll_s`` seconds and receives new recordings.

    A file is taken once its size and time stood still for ``stable_s`` seconds, its sidecar's too: a
    ``.json`` file of the same stem, whose known keys are the metadata. Files are left as they are.
    The ledger is the database: the same bytes from the same folder are one recording, whatever the
    file is called and however often the watch is started. A file that cannot be used is reported and
    the watch goes on. Hidden files, links and names that are no audio's are passed over.
    """

    def __init__(
        self,
        folder: Path,
        receiver: Receiver,
        sessions: sessionmaker[Session],
        *,
        dry_run: bool = False,
        stable_s: float = 5.0,
        poll_s: float = 2.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._receiver = receiver
        self._sessions = sessions
        self._dry_run = dry_run
        self._stable_s = stable_s
        self._poll_s = poll_s
        self._monotonic = monotonic
        self._source = source_of(folder)
        self._seen: dict[Path, tuple[Signature, float]] = {}  # as last seen, and since when
        self._done: dict[Path, Signature] = {}

    def run(self, stop: threading.Event, *, once: bool = False) -> Iterator[WatchEvent]:
        """Yield an event for each file that comes, until ``stop`` is set.

        With ``once``, look until every file that is there now has stood still once, and end; what is
        still being written is reported as unstable.
        """
        yield from self.scan()
        if once:
            if not stop.wait(self._stable_s):
                yield from self.scan()
            yield from self._unstable()
            return
        while not stop.wait(self._poll_s):
            yield from self.scan()

    def scan(self) -> Iterator[WatchEvent]:
        """Look once: take every file that has stood still for long enough, in the order of names."""
        moment = self._monotonic()
        present = dict(self._candidates())
        for path in self._seen.keys() - present.keys():
            del self._seen[path]
            self._done.pop(path, None)
        for path, signature in sorted(present.items()):
            known, since = self._seen.get(path, (None, moment))
            if signature != known:
                self._seen[path] = (signature, moment)
                since = moment
            if moment - since >= self._stable_s and self._done.get(path) != signature:
                event = self._take(path)
                if event.code != "storage":  # a store that fails may work at the next look
                    self._done[path] = signature
                yield event

    def _unstable(self) -> Iterator[WatchEvent]:
        for path, (signature, _) in sorted(self._seen.items()):
            if self._done.get(path) != signature:
                yield WatchEvent(self._name(path), WatchOutcome.UNSTABLE, message="it is still being written")

    def _candidates(self) -> Iterator[tuple[Path, Signature]]:
        """Yield the files that may be recordings, each with what changes when somebody writes to it."""
        for folder, folders, files in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(folder) / name
                if name.startswith(".") or path.suffix.lower() not in EXTENSIONS or path.is_symlink():
                    continue
                signature = (*_signature(path), *_signature(sidecar_of(path)))
                if signature[0] >= 0:
                    yield path, signature

    def _take(self, path: Path) -> WatchEvent:
        name = self._name(path)
        try:
            return self._receive(path, name)
        except HuaxiangError as error:
            return WatchEvent(name, WatchOutcome.REFUSED, code=error.code, message=error.message)

    def _receive(self, path: Path, name: str) -> WatchEvent:
        given = read_sidecar(sidecar_of(path))
        metadata = parse_metadata(given, ignore_unknown=True)
        digest = sha256_of(path)
        with transaction(self._sessions) as session:
            known = self._receiver.known(session, self._source, digest)
        if known is not None:
            return WatchEvent(name, WatchOutcome.DUPLICATE, known)
        if self._dry_run:
            return self._would_receive(path, name)
        return self._store(path, name, metadata, parse_filename(given, path.name))

    def _store(self, path: Path, name: str, metadata: CallMetadata, filename: str) -> WatchEvent:
        with transaction(self._sessions) as session:
            received = self._receiver.receive_file(session, self._source, path, filename, metadata)
        if received.error is not None:
            error = received.error
            return WatchEvent(
                name, WatchOutcome.QUARANTINED, received.recording_id, error.code, error.message
            )
        outcome = WatchOutcome.DUPLICATE if received.duplicate else WatchOutcome.RECEIVED
        return WatchEvent(name, outcome, received.recording_id)

    def _would_receive(self, path: Path, name: str) -> WatchEvent:
        from huaxiang.ingest.decode import probe  # loads PyAV

        probe(path, self._receiver.limits)
        return WatchEvent(name, WatchOutcome.WOULD_RECEIVE)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def source_of(folder: Path) -> str:
    """Return the source that recordings of a watched folder have: its path, or the sum of a long one."""
    source = f"watch:{folder.resolve()}"
    if len(source) > _MAX_SOURCE_CHARS or not source.isprintable():
        source = f"watch:{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()}"
    return source


def sidecar_of(path: Path) -> Path:
    """Return the file that would hold the metadata of a recording."""
    return path.with_suffix(".json")


def read_sidecar(path: Path) -> dict[str, Json]:
    """Return the metadata in a sidecar, nothing where there is none. Raises InvalidMetadata."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIDECAR_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidMetadata(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        given = json.loads(content) if len(content) <= _MAX_SIDECAR_BYTES else None
    except (ValueError, RecursionError) as error:
        raise InvalidMetadata(f"{path.name} is no JSON") from error
    if not isinstance(given, dict):
        raise InvalidMetadata(f"{path.name} is not one JSON object of at most {_MAX_SIDECAR_BYTES} bytes")
    return given


def _signature(path: Path) -> tuple[int, int]:
    """Return size in bytes and time of change in ns, (-1, -1) for a file that is not there."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
