"""Bounds and fingerprints request bodies while they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiang.api.http.problems import problem_of
from huaxiang.core.errors import TooLarge

LimitFor = Callable[[str, str], int | None]
"""Takes method and path, gives the most bytes of a body; None where the endpoint bounds it itself."""


class BodyLimit:
    """ASGI layer that answers 413 to a body over its limit, declared or not."""

    def __init__(self, app: ASGIApp, limit_for: LimitFor) -> None:
        self._app = app
        self._limit_for = limit_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_for(scope["method"], scope["path"])
        declared = Headers(scope=scope).get("content-length", "")
        if limit is not None and declared.isdecimal() and int(declared) > limit:
            await problem_of(_too_large(limit), scope["state"].get("request_id"))(scope, receive, send)
            return
        digest = hashlib.sha256()
        scope["state"]["body_digest"] = digest
        received_bytes = 0

        async def bounded() -> Message:
            nonlocal received_bytes
            message = await receive()
            if message["type"] == "http.request":
                chunk = message.get("body", b"")
                received_bytes += len(chunk)
                if limit is not None:
                    if received_bytes > limit:
                        # An HTTPException, as the framework turns any other error here into a 400.
                        raise HTTPException(413, _too_large(limit).message)
                    digest.update(chunk)
            return message

        await self._app(scope, bounded, send)


def fingerprint(request: Request, content: str | None = None) -> str:
    """Return a hash of method, address and the body read so far: what makes a request the same.

    ``content`` takes the body's place where equal requests have other bytes.
    """
    target = f"{request.method} {request.url.path}?{request.url.query}\n"
    body: str = request.state.body_digest.hexdigest() if content is None else content
    return hashlib.sha256(target.encode() + body.encode()).hexdigest()


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a request body here has at most {limit} bytes", limit_bytes=limit)
