"""The outermost layer: request ids, security headers, one log line a request, and the last net for errors."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiang.api.http.problems import problem
from huaxiang.core.types import new_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_log = structlog.get_logger(__name__)

Observe = Callable[[str, str, int, float], None]
"""Takes method, route template, status and seconds of each request."""


def page_policy(nonce: str) -> str:
    """Return the content-security policy of a page: nothing inline, nothing from elsewhere.

    ``nonce`` admits the one style element that the player puts into its shadow root.
    """
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def route_template(scope: Scope) -> str:
    """Return the template of the route that took the request, so that no id ends up in a label."""
    if scope["path"].startswith("/static/"):
        return "/static"
    return str(getattr(scope.get("route"), "path", "unmatched"))


class Edge:
    """ASGI layer around everything else.

    What no other layer handled becomes a 500 without details; ``huaxiang.core.logging`` writes its
    type and the places it came through, never its message, which may hold what was said.
    """

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = _request_id(Headers(scope=scope))
        state["csp_nonce"] = secrets.token_urlsafe(16)
        with structlog.contextvars.bound_contextvars(request_id=state["request_id"]):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        failure: Exception | None = None
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - the last net: what gets past it kills the connection
            failure = error
        if failure is not None:
            await _log.aerror("unexpected error", exc_info=failure)
            if status == 0:
                request_id = scope["state"]["request_id"]
                detail = "something went wrong on the server; its log has more under this request id"
                answer = problem(500, "internal", detail, request_id=request_id)
                await answer(scope, receive, send_with_headers)
        seconds = time.perf_counter() - started
        route = route_template(scope)
        self._observe(scope["method"], route, status, seconds)
        await _log.ainfo(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000),
            **_recording(scope),
        )
        if failure is not None and status != 500:
            # The body was cut off: the server has to close the connection, so that the client sees it.
            raise ConnectionAbortedError("an answer broke off; see the log") from None


def _recording(scope: Scope) -> dict[str, str]:
    """Return the id of the recording that the address names, for the log; other ids may be a CRM's."""
    identifier = str(scope.get("path_params", {}).get("recording_id", ""))
    return {"recording_id": identifier} if _UUID.fullmatch(identifier) else {}


def _request_id(headers: Headers) -> str:
    """Take the caller's id where it is a plain one, or make one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else new_id()


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    headers["X-Request-ID"] = scope["state"]["request_id"]
    for name, value in _HEADERS.items():
        headers[name] = value
    is_page = headers.get("content-type", "").startswith("text/html")
    headers["Content-Security-Policy"] = page_policy(scope["state"]["csp_nonce"]) if is_page else _API_POLICY
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    headers.setdefault("Cache-Control", "no-store")
