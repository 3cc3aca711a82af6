"""What one PATCH request does: buffers, stores parts, steps the offset forward, completes."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import ChecksumMismatch, InvalidInput, Locked, StorageError, TooLarge
from huaxiang.core.settings import UploadSettings
from huaxiang.ingest.metadata import metadata_from_json
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.tables import UploadRow

FOLDER = "uploads"
CHECKSUM_ALGORITHMS = ("sha1", "sha256")


@dataclass(frozen=True, slots=True)
class Upload:
    """How far an upload is. ``recording_id`` is set once it is complete."""

    id: str
    length_bytes: int
    offset_bytes: int
    expires_at: datetime
    recording_id: str | None = None
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request must sum up to."""

    algorithm: str
    digest: bytes

    def __post_init__(self) -> None:
        """Refuse an algorithm that is not offered."""
        if self.algorithm not in CHECKSUM_ALGORITHMS:
            raise InvalidInput(f"checksums are {' or '.join(CHECKSUM_ALGORITHMS)}")


@dataclass(frozen=True, slots=True)
class UploadTools:
    """What uploads are made with; ``clock`` returns the present time, aware UTC."""

    blobs: BlobStore
    sessions: sessionmaker[Session]
    settings: UploadSettings
    receiver: Receiver
    clock: Callable[[], datetime]


def part_key(upload_id: str, offset_bytes: int, lease: str) -> str:
    """Return the blob of a part. The lease in it keeps apart what two requests wrote at one offset.

    A flat name: a folder for each upload would stay behind, empty, in a store of files.
    """
    return f"{FOLDER}/{upload_id}.{offset_bytes:013d}.{lease}"


def upload_of_part(key: str) -> str:
    """Return the id of the upload that a part belongs to."""
    return key.removeprefix(f"{FOLDER}/").partition(".")[0]


def delete_parts(blobs: BlobStore, upload_id: str) -> None:
    """Remove all parts of an upload, those too that its row does not know."""
    for key in blobs.list(FOLDER):
        if upload_of_part(key) == upload_id:
            blobs.delete(key)


def upload_of(row: UploadRow) -> Upload:
    """Return what is told of an upload."""
    return Upload(
        row.id, row.length_bytes, row.received_bytes, row.expires_at, row.recording_id, row.duplicate
    )


class UploadWriter:
    """Writes one request's bytes to an upload under its lease.

    ``take`` the bytes as they come; ``flush`` whenever ``due``; ``finish`` at the end; ``close`` in
    any case. ``take`` and ``due`` do not block, the others do. At most a part and a chunk are held
    in memory. A request with a checksum is kept whole or not at all.
    """

    def __init__(
        self, tools: UploadTools, row: UploadRow, lease: str | None, checksum: Checksum | None
    ) -> None:
        self._upload = upload_of(row)
        self._source = row.source
        self._filename = str(row.metadata_["filename"])
        self._metadata = metadata_from_json(row.metadata_["call"])
        self._parts: list[dict[str, Any]] = list(row.parts)
        self._lease = lease
        self._tools = tools
        self._settings = tools.settings
        self._checksum = checksum
        self._digest = hashlib.new(checksum.algorithm) if checksum else None  # sha1 is tus's
        self._buffer = bytearray()
        self._stored = row.received_bytes  # bytes in parts, whether the row knows them or not
        self._touched = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether ``flush`` has something to do: a part is full, or the lease wants renewal."""
        return len(self._buffer) >= self._settings.part_bytes or self._lease_ages

    @property
    def _lease_ages(self) -> bool:
        return time.monotonic() - self._touched > self._settings.lease_s / 3

    def take(self, chunk: bytes) -> None:
        """Hold the next bytes. Raises TooLarge for more than the upload's length."""
        if self._stored + len(self._buffer) + len(chunk) > self._upload.length_bytes:
            raise TooLarge(f"more than the {self._upload.length_bytes} bytes of Upload-Length were sent")
        self._buffer += chunk
        if self._digest is not None:
            self._digest.update(chunk)

    def flush(self) -> None:
        """Store full parts, and all that came where the lease ages. Raises Locked, StorageError."""
        while len(self._buffer) >= self._settings.part_bytes:
            self._store_part(self._settings.part_bytes)
        if self._lease_ages and self._buffer:
            self._store_part(len(self._buffer))
        if self._stored < self._upload.length_bytes and self._checksum is None:
            self._step_forward(self._lease)
        else:
            self._renew()

    def finish(self) -> Upload:
        """Store what is left and return how far the upload is; the last byte makes the recording.

        Raises ChecksumMismatch, Locked where another request took over, and StorageError.
        """
        if self._lease is None:
            return self._upload
        self._verify()
        while self._buffer:
            self._store_part(min(len(self._buffer), self._settings.part_bytes))
        if self._stored == self._upload.length_bytes:
            self._complete()
        else:
            self._step_forward(None)
        return self._upload

    def close(self) -> None:
        """Give the lease back. Parts that the row does not know are removed with the upload."""
        if self._lease is not None:
            with transaction(self._tools.sessions) as session:
                self._set(session, lease=None, lease_until=None)
            self._lease = None

    def _verify(self) -> None:
        if self._checksum is None or self._digest is None:
            return
        if hmac.compare_digest(self._digest.digest(), self._checksum.digest):
            return
        for part in self._parts:
            if part["end"] > self._upload.offset_bytes:
                self._tools.blobs.delete(part["key"])
        raise ChecksumMismatch("the bytes do not have the checksum they came with; send them again")

    def _store_part(self, size_bytes: int) -> None:
        key = part_key(self._upload.id, self._stored, str(self._lease))
        end = self._stored + size_bytes
        self._parts.append({"key": key, "end": end})
        self._tools.blobs.put(key, [bytes(memoryview(self._buffer)[:size_bytes])])
        del self._buffer[:size_bytes]
        self._stored = end

    def _step_forward(self, lease: str | None) -> None:
        """Let the row know the parts; ``lease`` is what it holds afterwards."""
        with transaction(self._tools.sessions) as session:
            changed = self._set(session, received_bytes=self._stored, parts=self._parts, **self._held(lease))
            self._require(changed)
        self._know(lease)

    def _renew(self) -> None:
        with transaction(self._tools.sessions) as session:
            self._require(self._set(session, **self._held(self._lease)))
        self._touched = time.monotonic()

    def _complete(self) -> None:
        """Join the parts, and make recording and job in the transaction that takes the last byte."""
        self._renew()  # a request that was overtaken finds its parts gone; it shall hear why
        stored = self._tools.receiver.store(self._joined())
        if stored.size_bytes != self._upload.length_bytes:
            self._tools.receiver.discard(stored)
            raise StorageError("the parts of an upload are not whole; give it up and begin a new one")
        try:
            with transaction(self._tools.sessions) as session:
                self._require(self._set(session, received_bytes=self._stored, parts=[], **self._held(None)))
                received = self._tools.receiver.record(
                    session, self._source, stored, self._filename, self._metadata
                )
                row = session.get_one(UploadRow, self._upload.id, populate_existing=True)
                row.recording_id, row.duplicate = received.recording_id, received.duplicate
                session.flush()
                self._upload = upload_of(row)
        except Locked:
            self._tools.receiver.discard(stored)
            raise
        self._lease = None
        delete_parts(self._tools.blobs, self._upload.id)
        self._parts = []

    def _joined(self) -> Iterator[bytes]:
        for chunk in chain.from_iterable(self._tools.blobs.read(part["key"]) for part in self._parts):
            if self._lease_ages:
                self._renew()
            yield chunk

    def _held(self, lease: str | None) -> dict[str, Any]:
        """Return the columns of a lease that is held, or given back, as of now."""
        moment = self._tools.clock()
        return {
            "lease": lease,
            "lease_until": moment + timedelta(seconds=self._settings.lease_s) if lease else None,
            "expires_at": moment + timedelta(seconds=self._settings.expire_s),
        }

    def _set(self, session: Session, **values: Any) -> bool:
        """Change the row where lease and offset are still what this request knows."""
        result = session.execute(
            update(UploadRow)
            .where(
                UploadRow.id == self._upload.id,
                UploadRow.lease == self._lease,
                UploadRow.received_bytes == self._upload.offset_bytes,
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        return bool(cast("CursorResult[Any]", result).rowcount)

    def _require(self, changed: bool) -> None:
        if not changed:
            raise Locked("another request has taken this upload over; ask where it is and go on from there")

    def _know(self, lease: str | None) -> None:
        self._lease = lease
        self._touched = time.monotonic()
        expires_at = self._tools.clock() + timedelta(seconds=self._settings.expire_s)
        self._upload = Upload(self._upload.id, self._upload.length_bytes, self._stored, expires_at)
