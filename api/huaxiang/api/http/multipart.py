"""Reads a multipart upload as it arrives: the file to disk, its sums on the way, the fields beside it."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import anyio.to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from huaxiang.core.errors import InvalidInput, TooLarge

MAX_FIELDS = 32
MAX_FIELD_BYTES = 16 * 1024
_BATCH_BYTES = 1024 * 1024
_STALE_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """An uploaded file on local disk, and the form's other fields. The file is gone after use."""

    path: Path
    filename: str
    size_bytes: int
    sha256: str
    fields: Mapping[str, str]


@asynccontextmanager
async def spooled(request: Request, folder: Path, max_file_bytes: int) -> AsyncIterator[SpooledFile]:
    """Give the one file of a ``multipart/form-data`` request, read in bounded memory.

    It is written to ``folder`` first because fields may follow the file. Raises InvalidInput for
    a body that is no such form, breaks off, or has not one file, and TooLarge.
    """
    boundary = _boundary(request.headers.get("content-type", ""))
    handle, name = await anyio.to_thread.run_sync(_open_temporary, folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            form = _Form(boundary, file, max_file_bytes)
            try:
                batch = bytearray()
                async for chunk in request.stream():
                    batch += chunk
                    if len(batch) >= _BATCH_BYTES:
                        await anyio.to_thread.run_sync(form.feed, bytes(batch))
                        batch.clear()
                await anyio.to_thread.run_sync(form.feed, bytes(batch))
            except ClientDisconnect as error:
                raise InvalidInput("the upload broke off") from error
            spooled_file = form.finish(path)
        yield spooled_file
    finally:
        path.unlink(missing_ok=True)


def _open_temporary(folder: Path) -> tuple[int, str]:
    """Open a new private file; clear away what a killed process left behind."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.glob("spool-*"):
        try:
            if old.stat().st_mtime < time.time() - _STALE_S:
                old.unlink()
        except FileNotFoundError:
            continue  # another process was faster
    return tempfile.mkstemp(dir=folder, prefix="spool-")


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 256:
        raise InvalidInput("send the recording as multipart/form-data with a boundary")
    return boundary


class _Form:
    """Takes the parser's events: one file part into ``file``, plain parts into ``fields``."""

    def __init__(self, boundary: bytes, file: BinaryIO, max_file_bytes: int) -> None:
        self._file = file
        self._max_file_bytes = max_file_bytes
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._filename: str | None = None
        self._fields: dict[str, str] = {}
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._field_name: str | None = None  # None while the file's part is read
        self._value = bytearray()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )
        self._header_value = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise InvalidInput("the body is not the multipart form that its header says") from error

    def finish(self, path: Path) -> SpooledFile:
        """Return what arrived. Raises InvalidInput where the form or its file is not whole."""
        if not self._ended:
            raise InvalidInput("the multipart form breaks off before its end")
        if self._filename is None:
            raise InvalidInput("the form has no file; send the recording in the field `file`")
        self._file.flush()
        return SpooledFile(path, self._filename, self._size_bytes, self._digest.hexdigest(), self._fields)

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        self._value.clear()
        if filename is None:
            self._field_name = name
            if not name or name in self._fields or len(self._fields) >= MAX_FIELDS:
                raise InvalidInput(f"a form has at most {MAX_FIELDS} fields, each named and once")
        elif self._filename is not None:
            raise InvalidInput("send one recording at a time")
        else:
            self._field_name = None
            self._filename = filename.decode("utf-8", "replace")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._field_name is not None:
            self._value += data[start:end]
            if len(self._value) > MAX_FIELD_BYTES:
                raise TooLarge(f"a form field has at most {MAX_FIELD_BYTES} bytes")
            return
        self._size_bytes += end - start
        if self._size_bytes > self._max_file_bytes:
            raise TooLarge(f"a recording has at most {self._max_file_bytes} bytes")
        piece = data[start:end]
        self._digest.update(piece)
        self._file.write(piece)

    def _on_part_end(self) -> None:
        if self._field_name is None:
            return
        try:
            self._fields[self._field_name] = self._value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput("form fields are UTF-8") from error

    def _on_end(self) -> None:
        self._ended = True
