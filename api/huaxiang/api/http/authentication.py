"""The gate: every address but a named few answers only to a known caller, before the body is read."""

from __future__ import annotations

import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from huaxiang.api.access.callers import Authenticator, Caller, CallerKind
from huaxiang.api.access.scopes import Scope as Permission
from huaxiang.api.access.secret_values import same
from huaxiang.api.access.sessions import SESSION_COOKIE
from huaxiang.api.http.problems import problem_of
from huaxiang.core.errors import Forbidden, HuaxiangError, Unauthenticated

PUBLIC_PATHS = frozenset({"/healthz", "/readyz", "/login"})
PUBLIC_PREFIX = "/static/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"


class Authentication:
    """ASGI layer that puts the Caller into ``request.state.caller`` or refuses the request.

    Programs get 401 as a problem; a browser that asks for a page is sent to sign in. A signed-in
    browser that changes something under ``/v1`` has to send its form token in ``X-CSRF-Token``.
    """

    def __init__(
        self, app: ASGIApp, authenticator: Authenticator, *, metrics_from_loopback: bool = False
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._metrics_from_loopback = metrics_from_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = scope["state"].get("request_id")
        try:
            caller = await self._caller(scope, headers)
            if caller is None and _wants_page(scope, headers):
                await _to_sign_in(scope)(scope, receive, send)
                return
            if caller is None:
                raise Unauthenticated("sign in, or send `Authorization: Bearer …` with a token or device key")
            _check_form_token(scope, headers, caller)
        except HuaxiangError as error:
            await problem_of(error, request_id)(scope, receive, send)
            return
        scope["state"]["caller"] = caller
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope, headers: Headers) -> Caller | None:
        if self._metrics_from_loopback and scope["path"] == "/metrics" and _is_local(scope, headers):
            return Caller(CallerKind.LOOPBACK, "loopback", frozenset({Permission.METRICS}))
        authorization, cookie = headers.get("authorization"), _session_cookie(headers)
        if authorization is None and cookie is None:
            return None
        return await anyio.to_thread.run_sync(self._authenticator.authenticate, authorization, cookie)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_local(scope: Scope, headers: Headers) -> bool:
    """Return whether the request comes from this machine itself, not through a proxy on it."""
    client = scope.get("client")
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(headers.keys())
    return client is not None and is_loopback(client[0]) and not forwarded


def _session_cookie(headers: Headers) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(SESSION_COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None and morsel.value else None


def _wants_page(scope: Scope, headers: Headers) -> bool:
    return (
        scope["method"] in SAFE_METHODS
        and not scope["path"].startswith("/v1/")
        and "text/html" in headers.get("accept", "")
    )


def _to_sign_in(scope: Scope) -> RedirectResponse:
    target = scope["path"]
    if scope.get("query_string"):
        target += "?" + scope["query_string"].decode("latin-1")
    return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)


def _check_form_token(scope: Scope, headers: Headers, caller: Caller) -> None:
    """Refuse a browser's change under /v1 without its form token; pages check theirs in the form."""
    if caller.csrf is None or scope["method"] in SAFE_METHODS or not scope["path"].startswith("/v1/"):
        return
    if not same(headers.get(CSRF_HEADER, ""), caller.csrf):
        raise Forbidden("a signed-in browser has to send its form token in X-CSRF-Token")
