"""Every error as ``application/problem+json`` (RFC 9457), with a stable ``code``."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from huaxiang.core.errors import HuaxiangError
from huaxiang.core.types import Json

PROBLEM_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
_TITLES = {460: "Checksum Mismatch"}  # of tus, outside the registry
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_log = structlog.get_logger(__name__)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> Response:
    """Return a problem as a response; ``detail`` must hold nothing of what was said or sent."""
    document = problem_document(status, code, detail, errors=errors, request_id=request_id)
    return Response(
        json.dumps(document, ensure_ascii=False),
        status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type=PROBLEM_TYPE,
    )


def problem_document(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] | None = None,
    request_id: str | None = None,
) -> dict[str, Json]:
    """Return the members of a problem document."""
    document: dict[str, Json] = {
        "type": f"urn:huaxiang:problem:{code}",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors is not None:
        document["errors"] = list(errors)
    if request_id is not None:
        document["request_id"] = request_id
    return document


def problem_of(error: HuaxiangError, request_id: str | None = None) -> Response:
    """Return the problem document of an error of ours, with the headers that its status asks for."""
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in error.context:
        headers["Retry-After"] = str(error.context["retry_after_s"])
    errors = None
    if "fields" in error.context:
        named = str(error.context["fields"]).split(",")
        errors = [
            {"path": _path([name.strip()]), "code": error.code, "message": error.message} for name in named
        ]
    return problem(
        error.status, error.code, error.message, errors=errors, headers=headers, request_id=request_id
    )


def request_id_of(request: Request) -> str | None:
    """Return the id that the edge gave to this request."""
    return cast("str | None", getattr(request.state, "request_id", None))


Render = Callable[[Request, Response], Response]
"""Turns a problem into a page where a person asked for one."""


def add_problem_handlers(app: FastAPI, render: Render) -> None:
    """Answer our errors, validation, and the framework's own 404, 405 and 4xx as problems."""
    for kind, answer in (
        (HuaxiangError, _ours),
        (RequestValidationError, _invalid),
        (HTTPException, _framework),
    ):

        async def handler(request: Request, error: Exception, answer: _Answering = answer) -> Response:
            return render(request, await answer(request, error))

        app.add_exception_handler(kind, handler)


_Answering = Callable[[Request, Exception], Awaitable[Response]]


async def _ours(request: Request, error: Exception) -> Response:
    ours = cast("HuaxiangError", error)
    if ours.status >= 500:
        await _log.aerror("request failed", error_code=ours.code, status=ours.status, exc_info=ours)
    return problem_of(ours, request_id_of(request))


async def _invalid(request: Request, error: Exception) -> Response:
    invalid = cast("RequestValidationError", error)
    errors = [
        {"path": _path(item["loc"]), "code": str(item["type"]), "message": _message(item)}
        for item in invalid.errors()
    ]
    detail = "the request does not have the form that is asked for; see errors"
    return problem(422, "invalid_request", detail, errors=errors, request_id=request_id_of(request))


async def _framework(request: Request, error: Exception) -> Response:
    raised = cast("HTTPException", error)
    code = _CODES.get(raised.status_code, "invalid_request")
    detail = {404: "there is nothing at this address", 405: "this method is not allowed here"}.get(
        raised.status_code, str(raised.detail)
    )
    return problem(
        raised.status_code, code, detail, headers=raised.headers, request_id=request_id_of(request)
    )


def _path(location: Sequence[str | int]) -> str:
    """Return ``body.fields[3].name``; a key that is no plain name may be data, and is left out."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += ("." if path else "") + (part if _PLAIN_KEY.fullmatch(part) else "…")
    return path


def _message(item: Mapping[str, Any]) -> str:
    """Return the validator's message unless it may quote the input."""
    if item["type"] == "value_error":
        return "this value is not accepted"
    if item["type"].endswith("_parsing") or item["type"] in {"json_invalid", "string_pattern_mismatch"}:
        return str(item["msg"]).split(",")[0].split(":")[0]
    return str(item["msg"])
