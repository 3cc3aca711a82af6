"""Blobs in a folder or in S3, by obstore; its errors are mapped here and nowhere else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from huaxiang.core.blobs import (
    READ_BYTES,
    checked_key,
    checked_prefix,
    checked_range,
    missing,
    temporary_file,
)
from huaxiang.core.errors import BlobMissing, ConfigurationError, StorageError
from huaxiang.core.types import new_id

_INCOMING = "_incoming"  # no key begins with an underscore
_ABANDONED_AFTER_S = 24 * 3600
_PART_BYTES = 8 * 1024 * 1024


class ObstoreBlobs:
    """What a folder and S3 have in common: reading, listing, deleting."""

    _store: LocalStore | S3Store

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Return a range of the blob."""
        checked_range(start, end)
        size = self.size(key)
        stop = size if end is None else min(end, size)
        if start >= stop:
            return iter(())
        with _mapped(key):
            found = obstore.get(self._store, key, options={"range": (start, stop)})
        return self._pieces(key, found)

    def size(self, key: str) -> int:
        """Return the size."""
        checked_key(key)
        with _mapped(key):
            return obstore.head(self._store, key)["size"]

    def exists(self, key: str) -> bool:
        """Tell whether the blob is there."""
        try:
            self.size(key)
        except BlobMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove the blob."""
        checked_key(key)
        try:
            with _mapped(key):
                obstore.delete(self._store, key)
        except BlobMissing:
            return

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys in a folder."""
        folder = checked_prefix(prefix)
        with _mapped(folder):
            pages = list(obstore.list(self._store, folder or None))
        keys = [entry["path"] for page in pages for entry in page]
        return sorted(key for key in keys if not key.startswith(f"{_INCOMING}/"))

    @staticmethod
    def _pieces(key: str, found: obstore.GetResult) -> Iterator[bytes]:
        with _mapped(key):
            for piece in found.stream(min_chunk_size=READ_BYTES):
                yield bytes(piece)


class FolderBlobs(ObstoreBlobs):
    """Blobs as files. obstore does not write through to the disk; that is done here.

    A blob is written under another name, flushed, renamed, and the folders that name it are flushed:
    after a power cut it is there whole or not at all.
    """

    def __init__(self, folder: Path) -> None:
        try:
            (folder / _INCOMING).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the blob folder {folder} cannot be made ({error.strerror}); set HUAXIANG_BLOB_URL"
            ) from error
        self._folder = folder.resolve()
        self._store = LocalStore(self._folder)
        self._remove_abandoned()

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store the chunks."""
        checked_key(key)
        incoming = f"{_INCOMING}/{new_id()}"
        try:
            with _Source(chunks) as source, _mapped(key, source):
                obstore.put(self._store, incoming, source, use_multipart=True)
                _flush(self._folder / incoming)
                obstore.rename(self._store, incoming, key)
                self._flush_folders(key)
        finally:
            (self._folder / incoming).unlink(missing_ok=True)
        return source.size_bytes

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """Give the blob's own file."""
        self.size(key)
        yield self._folder / key

    def _flush_folders(self, key: str) -> None:
        folder = (self._folder / key).parent
        while True:
            _flush(folder)
            if folder == self._folder:
                return
            folder = folder.parent

    def _remove_abandoned(self) -> None:
        """Remove what processes killed while writing left behind."""
        for path in (self._folder / _INCOMING).iterdir():
            if path.stat().st_mtime < time.time() - _ABANDONED_AFTER_S:
                path.unlink(missing_ok=True)


class S3Blobs(ObstoreBlobs):
    """Blobs as objects of an S3 bucket."""

    def __init__(self, url: str) -> None:
        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        try:
            self._store = S3Store.from_url(
                url,
                client_options={"allow_http": plain, "timeout": "60s"},
                retry_config={"max_retries": 4},
            )
        except BaseError as error:
            raise ConfigurationError("HUAXIANG_BLOB_URL or an AWS_… setting is wrong for S3") from error

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store the chunks: in one request where they are few, else as parts of one upload."""
        checked_key(key)
        with _Source(chunks) as source, _mapped(key, source):
            first = _first_bytes(source)
            if len(first) < _PART_BYTES:
                obstore.put(self._store, key, first, use_multipart=False)
            else:
                obstore.put(
                    self._store, key, chain([first], source), chunk_size=_PART_BYTES, max_concurrency=4
                )
        return source.size_bytes

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """Fetch the blob into a file for the time being."""
        with temporary_file(key, self.read(key)) as path:
            yield path


class _Source:
    """Counts the bytes of an iterable, and tells whether it broke.

    obstore asks for chunks from inside its runtime, where a source that reads another blob would
    panic, so each is taken in a thread of its own. A list of bytes needs none.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._thread = None if isinstance(chunks, list | tuple) else ThreadPoolExecutor(1, "blob-source")
        self.size_bytes = 0
        self.broken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.shutdown()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.broken = True
        if self._thread is None:
            chunk = next(self._chunks, None)
        else:
            chunk = self._thread.submit(next, self._chunks, None).result()
        self.broken = False
        if chunk is None:
            raise StopIteration
        self.size_bytes += len(chunk)
        return chunk


@contextmanager
def _mapped(key: str, source: _Source | None = None) -> Iterator[None]:
    """Turn obstore's errors into ours; an error of the source passes through as it is."""
    try:
        yield
    except (BaseError, OSError) as error:
        if source is not None and source.broken:
            raise
        # What a put cannot find is the bucket.
        if source is None and isinstance(error, FileNotFoundError):
            raise missing(key) from error
        raise StorageError(f"the blob store failed on {key or 'a listing'}; see its log", key=key) from error


def _first_bytes(source: Iterator[bytes]) -> bytes:
    """Take chunks until they make up one part, or until there are no more."""
    taken: list[bytes] = []
    while sum(map(len, taken)) < _PART_BYTES and (chunk := next(source, None)) is not None:
        taken.append(chunk)
    return b"".join(taken)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
