"""Calibrations: several reviewers score the same calls, blind to each other."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http import review_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import (
    Manager,
    ServicesDep,
    once,
    services_of,
    visible_recording,
)
from huaxiang.api.reviews.access import actor_of, need_person
from huaxiang.api.reviews.serialise import calibration_json, calibration_line
from huaxiang.api.serialise import JsonObject
from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.review.calibration import Calibration, result
from huaxiang.quality.review.outcomes import Judgement

router = APIRouter(prefix="/v1/calibrations", tags=["reviews"])
CalibrationId = Annotated[str, Path(max_length=36)]


@router.get("", summary="List calibrations", responses={200: {"model": schemas.CalibrationPage}})
def get_calibrations(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=36)] = None,
) -> Response:
    """Return calibrations, newest first, with how far each reviewer has come."""
    with transaction(services.sessions) as session:
        found = services.reviews.calibrations.list(session, cursor=cursor, limit=limit + 1)
    shown = found[:limit]
    more = shown[-1].id if len(found) > limit else None
    return respond(request, Answer({"items": [calibration_line(one) for one in shown], "next_cursor": more}))


@router.post(
    "", summary="Open a calibration", status_code=201, responses={201: {"model": schemas.Calibration}}
)
def open_calibration(request: Request, caller: Manager, body: schemas.CalibrationIn) -> Response:
    """Open a calibration over calls that were scored by one scorecard."""
    services = services_of(request)

    def work(session: Session) -> Answer:
        opened = open_session(
            session, services, caller, body.title, body.reviewers, body.recordings, body.definition
        )
        return Answer(
            _document(session, services, caller, opened), 201, {"Location": f"/v1/calibrations/{opened.id}"}
        )

    return once(request, caller, work)


@router.get(
    "/{calibration_id}", summary="Read a calibration", responses={200: {"model": schemas.Calibration}}
)
def get_calibration(
    request: Request, services: ServicesDep, caller: Manager, calibration_id: CalibrationId
) -> Response:
    """Return a calibration: your own scores while it is open, all scores and the result when closed."""
    with transaction(services.sessions) as session:
        found = services.reviews.calibrations.get(session, calibration_id)
        document = _document(session, services, caller, found)
    return respond(request, Answer(document))


@router.post(
    "/{calibration_id}/calls/{recording_id}",
    summary="Score a call",
    responses={200: {"model": schemas.Calibration}},
)
def score_call(
    request: Request,
    caller: Manager,
    calibration_id: CalibrationId,
    recording_id: Annotated[str, Path(max_length=36)],
    body: schemas.CallScoreIn,
) -> Response:
    """Judge every item of a call as one of its reviewers; scoring again adds a row that counts instead.

    Reviewers are signed-in people: a token gets 403.
    """
    services = services_of(request)
    said = [Judgement(one.item, one.outcome, one.reason) for one in body.judgements]

    def work(session: Session) -> Answer:
        need_person(caller)
        found = services.reviews.calibrations.score(
            session, calibration_id, recording_id, actor_of(caller).name, said
        )
        return Answer(_document(session, services, caller, found))

    return once(request, caller, work)


@router.post(
    "/{calibration_id}/close", summary="Close a calibration", responses={200: {"model": schemas.Calibration}}
)
def close_calibration(request: Request, caller: Manager, calibration_id: CalibrationId) -> Response:
    """Close a calibration: everybody then sees all scores and the agreement, and no more are taken."""
    services = services_of(request)

    def work(session: Session) -> Answer:
        closed = services.reviews.calibrations.close(session, calibration_id, actor_of(caller))
        return Answer(_document(session, services, caller, closed))

    return once(request, caller, work)


def open_session(
    session: Session,
    services: Services,
    caller: Caller,
    title: str,
    reviewers: list[str],
    recordings: list[str],
    definition: str | None = None,
) -> Calibration:
    """Open a calibration over calls by their ids, by their main scorecard or a named one."""
    cards, sellers = {}, {}
    for recording_id in dict.fromkeys(recordings):
        recording = visible_recording(session, services, caller, recording_id)
        sellers[recording_id] = _sign_in_of(session, recording.metadata.seller)
        cards[recording_id] = (
            services.scorecards.latest(session, recording_id)
            if definition is None
            else services.scorecards.load(session, recording_id, definition)
        )
    return services.reviews.calibrations.open(session, title, reviewers, cards, actor_of(caller), sellers)


def _sign_in_of(session: Session, seller: str | None) -> str | None:
    """Return the name that a seller signs in by: the linked one, else the seller's own key."""
    return None if seller is None else SellerStore().get(session, seller).user_name or seller


def _document(session: Session, services: Services, caller: Caller, found: Calibration) -> JsonObject:
    agreed = None
    if found.open_to_all:
        agreed = result(found, services.reviews.definition_for(session, found.definition))
    return calibration_json(found, actor_of(caller).name, agreed)
