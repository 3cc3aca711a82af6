"""Byte ranges (RFC 9110, section 14): one part of a blob, so that a clip can be played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from huaxiang.api.http.answers import not_modified
from huaxiang.api.http.problems import problem, request_id_of
from huaxiang.core.blobs import BlobStore

_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes ``start`` to ``end``, the end not included."""

    start: int
    end: int


class Unsatisfiable(Exception):
    """The range lies outside the entity."""


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """Return the one range that is asked for, cut to the entity; None means all of it.

    A header that cannot be understood and one with several ranges are ignored, as the RFC allows.
    Raises Unsatisfiable for a range without a single byte of the entity.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = int(match[2])
        if length == 0 or size_bytes == 0:
            raise Unsatisfiable
        return ByteRange(max(size_bytes - length, 0), size_bytes)
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    if start >= size_bytes:
        raise Unsatisfiable
    return ByteRange(start, min(int(match[2]) + 1, size_bytes) if match[2] else size_bytes)


def blob_response(
    request: Request, blobs: BlobStore, key: str, *, size_bytes: int, etag: str, media_type: str
) -> Response:
    """Return a blob or the part of it that ``Range`` asks for: 200, 206, 304 or 416."""
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if not_modified(request, etag):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range")
    if_range = request.headers.get("if-range")
    if if_range is not None and if_range.strip() != etag:
        asked = None
    try:
        part = parse_range(asked, size_bytes) if request.method == "GET" else None
    except Unsatisfiable:
        return problem(
            416,
            "range_not_satisfiable",
            f"the audio has {size_bytes} bytes",
            headers={"Content-Range": f"bytes */{size_bytes}", "Accept-Ranges": "bytes"},
            request_id=request_id_of(request),
        )
    whole = ByteRange(0, size_bytes)
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size_bytes}"
    sent = part or whole
    headers["Content-Length"] = str(sent.end - sent.start)
    if request.method == "HEAD":
        return Response(status_code=200, headers=headers, media_type=media_type)
    chunks: Iterator[bytes] = blobs.read(key, sent.start, sent.end)
    return StreamingResponse(chunks, 206 if part else 200, headers, media_type)
