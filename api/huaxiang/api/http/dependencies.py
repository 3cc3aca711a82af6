"""What endpoints ask for: the services, the caller, and one transaction done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.guard import require
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.body_limit import fingerprint
from huaxiang.api.services import Services
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Recording


def services_of(request: Request) -> Services:
    """Return the services that the application was created with."""
    return cast("Services", request.app.state.services)


ServicesDep = Annotated[Services, Depends(services_of)]
Uploader = Annotated[Caller, require(Scope.UPLOAD)]
Listener = Annotated[Caller, require(Scope.MANAGER, Scope.SELLER)]
Manager = Annotated[Caller, require(Scope.MANAGER)]
CrmWriter = Annotated[Caller, require(Scope.CRM)]
CustomerReader = Annotated[Caller, require(Scope.CRM, Scope.MANAGER)]
Administrator = Annotated[Caller, require(Scope.ADMIN)]
Scraper = Annotated[Caller, require(Scope.METRICS)]
AnyCaller = Annotated[Caller, require()]


def once(
    request: Request,
    caller: Caller,
    work: Callable[[Session], Answer],
    *,
    content: str | None = None,
) -> Response:
    """Do a change in one transaction, once for each ``Idempotency-Key``, and return its response.

    ``content`` stands for the body where the bytes of two equal requests differ (multipart).
    """
    services = services_of(request)
    key = request.headers.get("idempotency-key")
    mark = fingerprint(request, content)
    answer, repeated = services.idempotency.run(caller.key, key, mark, work)
    return _replayed(respond(request, answer)) if repeated else respond(request, answer)


def answered(request: Request, caller: Caller) -> Response | None:
    """Return the response that this request had before, by its ``Idempotency-Key``; None for the first time.

    To be asked before work is prepared outside the transaction of ``once``.
    """
    key = request.headers.get("idempotency-key")
    answer = services_of(request).idempotency.answered(caller.key, key, fingerprint(request))
    return None if answer is None else _replayed(respond(request, answer))


def _replayed(response: Response) -> Response:
    response.headers["Idempotency-Replayed"] = "true"
    return response


def visible_recording(session: Session, services: Services, caller: Caller, recording_id: str) -> Recording:
    """Return a recording that the caller may see; raises NotFound for another seller's as for none."""
    recording = services.recordings.get(session, recording_id)
    seller = caller.only_seller
    if seller is not None and recording.metadata.seller != seller:
        raise NotFound("there is no such recording")
    return recording
