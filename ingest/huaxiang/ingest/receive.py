"""Takes the bytes of a recording: kept first, then known, then queued; the same bytes only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import now
from huaxiang.core.errors import AudioError, EmptyAudio, NotFound, StorageError, TooLarge
from huaxiang.core.jobs import JobQueue
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import CallMetadata, Recording, RecordingStatus, new_id
from huaxiang.ingest.metadata import clean_filename
from huaxiang.ingest.recordings import RecordingStore

FOLDER = "recordings"
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes in the blob store that no row points to yet; ``id`` is that of the recording to be."""

    id: str
    blob_key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Received:
    """What became of received bytes.

    ``duplicate``: its source had sent them before, and ``recording_id`` is the recording of then.
    ``error``: they are kept in the quarantine, and nothing was queued.
    """

    recording_id: str
    duplicate: bool
    error: AudioError | None = None


class Receiver:
    """Stores bytes, makes the recording and queues it.

    The blob is durable before the row is written, and row and job are one transaction, so a crash
    leaves at worst a blob without a row; ``sweep`` removes those.
    """

    def __init__(self, blobs: BlobStore, jobs: JobQueue, limits: AudioLimits) -> None:
        self.limits = limits
        self._blobs = blobs
        self._jobs = jobs
        self._recordings = RecordingStore()

    def receive_file(
        self,
        session: Session,
        source: str,
        content: Path | Iterable[bytes],
        filename: str,
        metadata: CallMetadata | None = None,
    ) -> Received:
        """Take a recording from a file or from its bytes, and queue it in the caller's transaction.

        The database is not asked before the bytes are stored, so a slow sender holds no lock of a
        session that was not used before. A file's header is read at once, bytes are looked at by the
        decode stage; what is empty or no audio becomes a failed recording in the quarantine.

        Raises TooLarge, StorageError, and NotFound for a missing file; then nothing is kept.
        """
        error = self._refusal(content) if isinstance(content, Path) else None
        stored = self.store(_read(content) if isinstance(content, Path) else content)
        return self.record(session, source, stored, filename, metadata, error)

    def store(self, chunks: Iterable[bytes]) -> StoredBytes:
        """Write bytes to the blob store, durably, and take their sum on the way.

        Raises TooLarge over ``max_upload_bytes``, StorageError, and what ``chunks`` raises; then
        nothing is kept.
        """
        identifier = new_id()
        key = f"{FOLDER}/{identifier}"
        digest = hashlib.sha256()
        size = self._blobs.put(key, self._summed(chunks, digest))
        return StoredBytes(identifier, key, digest.hexdigest(), size)

    def discard(self, stored: StoredBytes) -> None:
        """Remove bytes that were stored and shall not become a recording."""
        self._blobs.delete(stored.blob_key)

    def record(
        self,
        session: Session,
        source: str,
        stored: StoredBytes,
        filename: str,
        metadata: CallMetadata | None = None,
        error: AudioError | None = None,
    ) -> Received:
        """Make the recording of stored bytes and queue it, both in the caller's transaction.

        With ``error``, or without a byte, it goes to the quarantine instead. Bytes that the source
        sent before are discarded.
        """
        name = clean_filename(filename) or stored.id
        if not stored.size_bytes:
            error = EmptyAudio(f"{name} is empty; record or copy it again")
        recording = Recording(
            id=stored.id,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            filename=name,
            blob_key=stored.blob_key,
            source=source,
            received_at=now(),
            metadata=metadata or CallMetadata(),
            status=RecordingStatus.FAILED if error else RecordingStatus.RECEIVED,
        )
        if not self._recordings.add(session, recording):
            return self._duplicate(session, recording)
        if error is None:
            self._jobs.enqueue(session, recording.id)
        else:
            self._recordings.quarantine(session, recording.id, error.code, error.message)
        return Received(recording.id, duplicate=False, error=error)

    def known(self, session: Session, source: str, sha256: str) -> str | None:
        """Return the recording that these bytes from this source already are, or ``None``."""
        recording = self._recordings.find(session, source, sha256)
        return recording.id if recording else None

    def sweep(self, session: Session, older_than: timedelta = timedelta(days=1)) -> int:
        """Remove blobs that never became recordings; return how many.

        Only those older than ``older_than``: a younger one may belong to a transaction under way.
        """
        keys = {key.removeprefix(f"{FOLDER}/"): key for key in self._blobs.list(FOLDER)}
        old = {name for name in keys if (made := made_at(name)) and now() - made > older_than}
        orphans = old - self._recordings.known_ids(session, old)
        for name in orphans:
            self._blobs.delete(keys[name])
        return len(orphans)

    def _duplicate(self, session: Session, recording: Recording) -> Received:
        earlier = self._recordings.find(session, recording.source, recording.sha256)
        if earlier is None:
            raise StorageError("a recording vanished while it was sent again; send it once more")
        self._blobs.delete(recording.blob_key)
        return Received(earlier.id, duplicate=True)

    def _refusal(self, path: Path) -> AudioError | None:
        from huaxiang.ingest.decode import probe  # loads PyAV

        try:
            probe(path, self.limits)
        except AudioError as error:
            return error
        return None

    def _summed(self, chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self.limits.max_upload_bytes:
                raise TooLarge(f"a recording has at most {self.limits.max_upload_bytes} bytes; split it")
            digest.update(chunk)
            yield chunk


def sha256_of(path: Path) -> str:
    """Return the sum of a file. Raises NotFound and StorageError."""
    digest = hashlib.sha256()
    for chunk in _read(path):
        digest.update(chunk)
    return digest.hexdigest()


def made_at(identifier: str) -> datetime | None:
    """Return when a UUIDv7 was made (RFC 9562, 5.7), ``None`` for what is none."""
    try:
        uuid = UUID(identifier)
    except ValueError:
        return None
    return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC) if uuid.version == 7 else None


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path.name}; check the path") from error
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}") from error
