"""``/healthz`` (the process answers) and ``/readyz`` (it can do its work), open to everyone."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from huaxiang.api.http.answers import encode
from huaxiang.api.http.dependencies import ServicesDep
from huaxiang.core.blobs import BlobStore
from huaxiang.core.errors import HuaxiangError, StorageError
from huaxiang.core.migrations import current_revision, newest_revision
from huaxiang.core.types import Json

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process answers", response_class=Response)
def healthz() -> Response:
    """Return 200 as long as the process serves requests at all."""
    return _json({"status": "ok"}, 200)


@router.get(
    "/readyz",
    summary="Whether the process can do its work",
    response_class=Response,
    responses={503: {"description": "One of the checks failed; its error code stands beside its name"}},
)
def readyz(services: ServicesDep) -> Response:
    """Return 200 where the database is at the newest revision and blobs and models are there."""
    found: dict[str, Json] = {}
    for name, check in services.checks.items():
        try:
            check()
            found[name] = "ok"
        except HuaxiangError as error:
            found[name] = error.code  # the message may name a path, and anyone may ask here
    ready = all(result == "ok" for result in found.values())
    return _json({"status": "ready" if ready else "not_ready", "checks": found}, 200 if ready else 503)


def database_check(engine: Engine) -> Callable[[], None]:
    """Return a check that the database answers and is at the newest revision."""

    def check() -> None:
        try:
            revision = current_revision(engine)
        except SQLAlchemyError as error:
            raise StorageError("the database does not answer") from error
        if revision != newest_revision():
            raise StorageError(
                "the database is not at the newest revision; start `huaxiang serve` to upgrade"
            )

    return check


def blobs_check(blobs: BlobStore) -> Callable[[], None]:
    """Return a check that the blob store answers."""

    def check() -> None:
        blobs.exists("readiness")

    return check


def _json(document: Json, status: int) -> Response:
    return Response(encode(document), status, media_type="application/json")
