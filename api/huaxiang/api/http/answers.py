"""JSON answers, entity tags, and conditional requests (RFC 9110)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request, Response

from huaxiang.core.errors import PreconditionFailed
from huaxiang.core.types import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint has to say: a status, a JSON document (None for no body), and headers."""

    document: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def encode(document: Json) -> bytes:
    """Return a document as UTF-8 JSON, the same bytes for the same content."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def etag_of(document: Json) -> str:
    """Return the strong entity tag of a document: a hash of its bytes."""
    return f'"{hashlib.sha256(encode(document)).hexdigest()[:32]}"'


def respond(request: Request, answer: Answer) -> Response:
    """Return the response to an answer; a GET gets an entity tag and may be answered with 304."""
    headers = dict(answer.headers)
    if request.method in ("GET", "HEAD"):
        headers.setdefault("ETag", etag_of(answer.document))
        headers.setdefault("Cache-Control", "private, no-cache")
        if not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
    body = b"" if answer.document is None else encode(answer.document)
    kind = headers.pop("Content-Type", "application/json")
    return Response(body, answer.status, headers, kind if body else None)


def not_modified(request: Request, etag: str) -> bool:
    """Return whether ``If-None-Match`` names this entity (weak comparison)."""
    asked = request.headers.get("if-none-match")
    return asked is not None and (asked.strip() == "*" or _bare(etag) in map(_bare, _tags(asked)))


def check_if_match(request: Request, etag: str | None) -> None:
    """Raise PreconditionFailed where ``If-Match`` names another state (``etag=None``: no entity).

    Also honours ``If-None-Match: *``, by which a client creates without overwriting.
    """
    wanted = request.headers.get("if-match")
    if wanted is not None and (etag is None or (wanted.strip() != "*" and etag not in _tags(wanted))):
        raise PreconditionFailed("it has changed since it was read; read it again and repeat")
    if etag is not None and request.headers.get("if-none-match", "").strip() == "*":
        raise PreconditionFailed("it exists already")


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]


def _bare(tag: str) -> str:
    return tag.removeprefix("W/")
