"""Bytes by key: recordings as received, decoded audio, parts of uploads.

One interface for a folder and for S3. A blob is immutable once it is there whole, and never seen in
part: ``put`` is atomic.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from huaxiang.core.errors import BlobMissing, ConfigurationError, StorageError

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MAX_KEY_CHARS = 500
READ_BYTES = 1024 * 1024


class BlobStore(Protocol):
    """Where bytes are kept. Every method raises StorageError where the store fails."""

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store the chunks under ``key`` and return their size in bytes.

        All of it is there and durable when this returns, or none of it: an error raised by
        ``chunks`` passes through and leaves what was there before.
        """

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Return the bytes ``[start, end)`` in pieces of about a megabyte.

        Raises BlobMissing at once, before the first piece is asked for.
        """

    def size(self, key: str) -> int:
        """Return the size in bytes. Raises BlobMissing."""

    def exists(self, key: str) -> bool:
        """Tell whether the blob is there."""

    def delete(self, key: str) -> None:
        """Remove the blob; a missing one is fine."""

    def list(self, prefix: str = "") -> list[str]:
        """Return the sorted keys in the folder ``prefix``, or all of them."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """Give a path that holds the blob while the context is open; only read it.

        Raises BlobMissing.
        """


def make_blob_store(url: str) -> BlobStore:
    """Return the store for ``file:///folder`` (made where it is missing) or ``s3://bucket/prefix``.

    S3 takes what ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``,
    ``AWS_REGION`` and ``AWS_ENDPOINT_URL`` say. Raises ConfigurationError for any other URL and for a
    folder that cannot be made.
    """
    from huaxiang.core.blobs_obstore import FolderBlobs, S3Blobs

    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path and parts.netloc in ("", "localhost"):
        return FolderBlobs(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return S3Blobs(url)
    raise ConfigurationError("HUAXIANG_BLOB_URL is file:///a/folder or s3://bucket/prefix")


def checked_key(key: str) -> str:
    """Return ``key`` where it is a plain relative path; raise StorageError where it is not.

    Segments of ASCII letters, digits, ``.``, ``_`` and ``-`` that do not start with a dot, the first
    with a letter or digit: nothing that a folder, S3 or a shell reads differently from another.
    """
    if len(key) > _MAX_KEY_CHARS or not _KEY.fullmatch(key):
        raise StorageError("a blob key is a relative path of letters, digits, '.', '_' and '-'")
    return key


def checked_prefix(prefix: str) -> str:
    """Return a folder's key without its closing slash; the empty prefix means all blobs."""
    return checked_key(prefix.removesuffix("/")) if prefix else ""


def checked_range(start: int, end: int | None) -> None:
    """Raise ValueError for a byte range that runs backwards."""
    if start < 0 or (end is not None and end < start):
        raise ValueError("a byte range is 0 <= start <= end")


def missing(key: str) -> BlobMissing:
    """Return the error for a blob that is not there."""
    return BlobMissing(f"the blob {key} is not in the store; restore it from a backup", key=key)


@contextmanager
def temporary_file(key: str, chunks: Iterable[bytes]) -> Iterator[Path]:
    """Give a path that holds the chunks for the time being; its name ends like the key's."""
    with tempfile.NamedTemporaryFile(prefix="huaxiang-", suffix=Path(key).suffix) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        yield Path(file.name)


class MemoryBlobs:
    """The scripted twin: blobs in a dictionary."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store the chunks."""
        content = b"".join(chunks)
        self._blobs[checked_key(key)] = content
        return len(content)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Return a range of the blob."""
        checked_range(start, end)
        content = self._get(key)[start:end]
        return iter([content[at : at + READ_BYTES] for at in range(0, len(content), READ_BYTES)])

    def size(self, key: str) -> int:
        """Return the size."""
        return len(self._get(key))

    def exists(self, key: str) -> bool:
        """Tell whether the blob is there."""
        return checked_key(key) in self._blobs

    def delete(self, key: str) -> None:
        """Remove the blob."""
        self._blobs.pop(checked_key(key), None)

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys in a folder."""
        folder = checked_prefix(prefix)
        return sorted(key for key in self._blobs if not folder or key.startswith(f"{folder}/"))

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """Write the blob to a file for the time being."""
        with temporary_file(key, self.read(key)) as path:
            yield path

    def _get(self, key: str) -> bytes:
        content = self._blobs.get(checked_key(key))
        if content is None:
            raise missing(key)
        return content
