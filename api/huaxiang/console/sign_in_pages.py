"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.guard import require
from huaxiang.api.access.sessions import SESSION_COOKIE, end_session
from huaxiang.api.http.authentication import is_loopback
from huaxiang.api.services import Services
from huaxiang.console.forms import (
    LOGIN_COOKIE,
    check_login_form,
    check_session_form,
    login_token,
    new_login_cookie,
    read_form,
    safe_target,
)
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import transaction
from huaxiang.core.errors import Forbidden, TooManyRequests, Unauthenticated

HASHES_AT_ONCE = 2
"""Password checks that may run at the same time: each takes a core and 64 MiB."""


def sign_in_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/login`` and ``/logout``."""
    router = APIRouter(include_in_schema=False)
    hashing = anyio.CapacityLimiter(HASHES_AT_ONCE)

    @router.get("/login")
    def form(request: Request, next: str = "/") -> Response:
        return _form(request, services, views, target=next)

    @router.post("/login")
    async def sign_in(request: Request) -> Response:
        fields = await read_form(request)
        name, target = fields.get("name", ""), fields.get("next", "")
        text = language_of(request)
        again = partial(_form, request, services, views, target=target, name=name)
        try:
            check_login_form(request, fields, services.login_key)
            address = request.client.host if request.client else "unknown"
            check = partial(services.sign_in.sign_in, name, fields.get("password", ""), address)
            _, cookie = await anyio.to_thread.run_sync(check, limiter=hashing)
        except Forbidden:
            return again(status=403, failure=text("error.form_expired"))
        except Unauthenticated:
            return again(status=401, failure=text("error.unauthenticated"))
        except TooManyRequests as error:
            wait_s = int(error.context["retry_after_s"])
            minutes = -(-wait_s // 60)
            answer = again(status=429, failure=text("error.too_many_requests", minutes=minutes))
            answer.headers["Retry-After"] = str(wait_s)
            return answer
        response = RedirectResponse(safe_target(target), 303)
        lifetime = timedelta(seconds=services.settings.access.session_s)
        _set_cookie(request, response, SESSION_COOKIE, cookie, int(lifetime.total_seconds()))
        response.delete_cookie(LOGIN_COOKIE, path="/login")
        return response

    @router.post("/logout")
    async def sign_out(request: Request, caller: Annotated[Caller, require()]) -> Response:
        check_session_form(request, await read_form(request), caller)
        await anyio.to_thread.run_sync(_end, services, request.cookies.get(SESSION_COOKIE, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(SESSION_COOKIE, path="/")
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    return router


def _form(
    request: Request,
    services: Services,
    views: Views,
    *,
    target: str,
    name: str = "",
    failure: str = "",
    status: int = 200,
) -> Response:
    cookie = request.cookies.get(LOGIN_COOKIE) or new_login_cookie()
    response = views.render(
        request,
        "sign_in.html",
        status=status,
        csrf=login_token(services.login_key, cookie),
        next=safe_target(target),
        name=name,
        failure=failure,
        insecure=not _is_secure(request),
    )
    _set_cookie(request, response, LOGIN_COOKIE, cookie, 3600, path="/login")
    return response


def _set_cookie(
    request: Request, response: Response, name: str, value: str, max_age_s: int, path: str = "/"
) -> None:
    """Set a cookie that scripts cannot read; over plain HTTP it is kept on loopback only."""
    host = request.url.hostname or ""
    plain_loopback = request.url.scheme == "http" and is_loopback(host)
    response.set_cookie(
        name, value, max_age=max_age_s, path=path, httponly=True, samesite="lax", secure=not plain_loopback
    )


def _is_secure(request: Request) -> bool:
    """Return whether the browser will keep a cookie of this page."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return "https" in (request.url.scheme, forwarded) or is_loopback(request.url.hostname or "")


def _end(services: Services, cookie: str) -> None:
    with transaction(services.sessions) as session:
        end_session(session, cookie)
