"""The digest of a week."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from huaxiang.api.http import answer_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.coaching_schemas import document_of
from huaxiang.api.http.dependencies import Manager, ServicesDep
from huaxiang.core.database import now, reading

router = APIRouter(prefix="/v1/digests", tags=["coaching"])


@router.get("/{week}", summary="Read the digest of a week", responses={200: {"model": schemas.Digest}})
def get_digest(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    week: Annotated[str, Path(max_length=8, examples=["2026-W47"])],
    team: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Return what changed, whom to coach on what, the best answers, what is due, appeals and outcomes."""
    with reading(services.sessions) as session:
        found = services.coaching.digests.digest(session, week, team, now())
    return respond(request, Answer(document_of(schemas.Digest, found)))
