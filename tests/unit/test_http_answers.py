"""Entity tags, byte ranges, problems and multipart reading, without a server."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.api.http.answers import Answer, check_if_match, etag_of, respond
from huaxiang.api.http.multipart import MAX_FIELD_BYTES, SpooledFile, spooled
from huaxiang.api.http.problems import problem_of
from huaxiang.api.http.ranges import ByteRange, Unsatisfiable, blob_response, parse_range
from huaxiang.core.blobs import MemoryBlobs
from huaxiang.core.errors import (
    ChecksumMismatch,
    HuaxiangError,
    InvalidInput,
    PreconditionFailed,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
)


def request(method: str = "GET", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": raw, "path": "/", "state": {}})


def test_a_get_is_answered_with_304_where_the_caller_has_this_state() -> None:
    answer = Answer({"名": 1})
    first = respond(request(), answer)
    assert first.status_code == 200
    for header in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = respond(request(if_none_match=header), answer)
        assert (again.status_code, again.body) == (304, b"")
    assert respond(request(if_none_match=first.headers["etag"]), Answer({"名": 2})).status_code == 200


def test_if_match_holds_only_for_the_state_that_was_read() -> None:
    etag = etag_of({"a": 1})
    check_if_match(request("PUT"), etag)
    check_if_match(request("PUT", if_match=f'"other", {etag}'), etag)
    check_if_match(request("PUT", if_match="*"), etag)
    check_if_match(request("PUT", if_none_match="*"), None)
    for headers, present in (
        ({"if_match": '"other"'}, etag),
        ({"if_match": etag}, None),
        ({"if_match": "*"}, None),
        ({"if_none_match": "*"}, etag),
    ):
        with pytest.raises(PreconditionFailed):
            check_if_match(request("PUT", **headers), present)


@given(st.integers(1, 10_000), st.integers(0, 20_000), st.one_of(st.none(), st.integers(0, 20_000)))
def test_a_range_is_cut_to_the_entity_or_refused(size: int, first: int, last: int | None) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    if last is not None and last < first:
        assert parse_range(header, size) is None
    elif first >= size:
        with pytest.raises(Unsatisfiable):
            parse_range(header, size)
    else:
        end = size if last is None else min(last + 1, size)
        assert parse_range(header, size) == ByteRange(first, end)


@given(st.integers(1, 10_000), st.integers(1, 20_000))
def test_a_suffix_range_is_the_end_of_the_entity(size: int, length: int) -> None:
    assert parse_range(f"bytes=-{length}", size) == ByteRange(max(size - length, 0), size)


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "items=0-1"])
def test_what_is_no_single_byte_range_is_ignored(header: str | None) -> None:
    assert parse_range(header, 100) is None


@given(st.text(max_size=40))
def test_no_range_header_whatsoever_breaks_the_parser(header: str) -> None:
    try:
        part = parse_range(header, 100)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part.start < part.end <= 100


def test_if_range_of_another_state_sends_the_whole() -> None:
    blobs = MemoryBlobs()
    blobs.put("a", [b"0123456789"])

    def answered(**headers: str) -> int:
        return blob_response(
            request(**headers), blobs, "a", size_bytes=10, etag='"now"', media_type="audio/wav"
        ).status_code

    assert answered(range="bytes=0-3") == 206
    assert answered(range="bytes=0-3", if_range='"now"') == 206
    assert answered(range="bytes=0-3", if_range='"before"') == 200
    assert answered(range="bytes=50-") == 416
    assert answered(range="bytes=50-", if_range='"before"') == 200
    assert answered(if_none_match='"now"') == 304


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (Unauthenticated("sign in"), "www-authenticate", "Bearer"),
        (TooManyRequests("slow down", retry_after_s=30), "retry-after", "30"),
        (ChecksumMismatch("the part arrived damaged"), "content-type", "application/problem+json"),
    ],
)
def test_a_problem_carries_what_its_status_asks_for(error: HuaxiangError, header: str, value: str) -> None:
    answer = problem_of(error, "some-id")
    document = json.loads(bytes(answer.body))
    assert answer.headers[header] == value
    assert document["status"] == answer.status_code == error.status
    assert (document["code"], document["request_id"]) == (error.code, "some-id")


def form(*parts: tuple[str, str | None, bytes], boundary: str = "xYz") -> bytes:
    body = b""
    for name, filename, value in parts:
        kind = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
        body += f"--{boundary}\r\nContent-Disposition: {kind}\r\n\r\n".encode() + value + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def read_form(
    body: bytes, folder: Path, *, step: int = 7, content_type: str = "multipart/form-data; boundary=xYz"
) -> tuple[SpooledFile, bytes]:
    """Send a body in small pieces; return what was read and the file's bytes."""
    pieces = iter([body[start : start + step] for start in range(0, len(body), step)])

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def run() -> tuple[SpooledFile, bytes]:
        scope = {
            "type": "http",
            "method": "POST",
            "headers": [(b"content-type", content_type.encode())],
            "path": "/",
        }
        async with spooled(Request(scope, receive), folder, 1000) as file:
            return file, file.path.read_bytes()

    return asyncio.run(run())


@given(content=st.binary(max_size=200), step=st.integers(1, 50), after=st.booleans())
def test_a_file_arrives_unchanged_wherever_the_pieces_are_cut(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, step: int, after: bool
) -> None:
    parts = [("file", "录音.wav", content), ("seller", None, "王芳".encode())]
    body = form(*(parts if after else reversed(parts)))
    folder = tmp_path_factory.mktemp("spool")
    file, stored = read_form(body, folder, step=step)
    assert (stored, file.size_bytes) == (content, len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (file.filename, file.fields) == ("录音.wav", {"seller": "王芳"})
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (form(("file", "a.wav", b"x" * 1001)), TooLarge),
        (form(("note", None, b"x" * (MAX_FIELD_BYTES + 1)), ("file", "a.wav", b"x")), TooLarge),
        (form(("file", "a.wav", b"x"), ("file", "b.wav", b"y")), InvalidInput),
        (form(("seller", None, b"x")), InvalidInput),
        (form(("seller", None, b"x"), ("seller", None, b"y"), ("file", "a", b"x")), InvalidInput),
        (form(("seller", None, b"\xff"), ("file", "a", b"x")), InvalidInput),
        (form(("file", "a.wav", b"x" * 100))[:-10], InvalidInput),
        (b"no form at all", InvalidInput),
        (b"", InvalidInput),
    ],
)
def test_a_body_that_is_not_one_whole_recording_is_refused_and_leaves_nothing(
    tmp_path: Path, body: bytes, error: type[HuaxiangError]
) -> None:
    with pytest.raises(error):
        read_form(body, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"]
)
def test_another_content_type_is_refused(tmp_path: Path, content_type: str) -> None:
    with pytest.raises(InvalidInput):
        read_form(form(("file", "a.wav", b"x")), tmp_path, content_type=content_type)
