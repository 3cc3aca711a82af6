"""What sellers practise: taken up, acknowledged, followed up, closed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http import coaching_schemas as schemas
from huaxiang.api.http.answers import Answer
from huaxiang.api.http.coaching_schemas import document_of
from huaxiang.api.http.dependencies import Listener, Manager, ServicesDep, once
from huaxiang.api.http.sellers import SellerKey, visible_seller
from huaxiang.api.services import Services
from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.profile.coaching.practices import Practice, Step

router = APIRouter(prefix="/v1", tags=["coaching"])
PracticeId = Annotated[str, Path(max_length=36)]
_PRACTICE: dict[int | str, dict[str, Any]] = {200: {"model": schemas.Practice}}


def visible_practice(session: Session, services: Services, caller: Caller, practice_id: str) -> Practice:
    """Return a practice that the caller may see; raises NotFound for another seller's as for none."""
    practice = services.coaching.records.practices.get(session, practice_id)
    if caller.only_seller not in (None, practice.seller):
        raise NotFound("there is no such practice")
    return practice


def step_of(caller: Caller) -> Step:
    """Return how a practice begins: a manager assigns it, a seller acknowledges it by taking it up."""
    return Step.ASSIGNED if caller.may(Scope.MANAGER) else Step.ACKNOWLEDGED


@router.post(
    "/sellers/{key}/practices", summary="Take up a practice", responses={201: {"model": schemas.Practice}}
)
def take_up(
    request: Request, services: ServicesDep, caller: Listener, key: SellerKey, document: schemas.PracticeIn
) -> Response:
    """Begin to practise one of the things advised now: assigned by a manager, taken up by the seller.

    404 for a topic that is not advised, 409 where it is practised already or three things are.
    """
    visible_seller(caller, key)

    def work(session: Session) -> Answer:
        practice = services.coaching.desk.take_up(
            session,
            key,
            document.topic,
            step_of(caller),
            document.note,
            by=caller.name,
            as_of=now(),
            follow_up_on=document.follow_up_on,
        )
        return Answer(document_of(schemas.Practice, practice), 201)

    return once(request, caller, work)


@router.post("/practices/{practice_id}/acknowledge", summary="Acknowledge a practice", responses=_PRACTICE)
def acknowledge(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    practice_id: PracticeId,
    document: schemas.NoteIn,
) -> Response:
    """Note that the seller has read what was assigned, with a note of theirs; once."""

    def work(session: Session) -> Answer:
        visible_practice(session, services, caller, practice_id)
        store, by = services.coaching.records.practices, caller.name
        noted = store.note(session, practice_id, Step.ACKNOWLEDGED, document.note, by=by)
        return Answer(document_of(schemas.Practice, noted))

    return once(request, caller, work)


@router.post("/practices/{practice_id}/follow-up", summary="Follow up a practice", responses=_PRACTICE)
def follow_up(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    practice_id: PracticeId,
    document: schemas.NoteIn,
) -> Response:
    """Note how a practice stands now: the figures since it was taken up, against its baseline."""

    def work(session: Session) -> Answer:
        noted = services.coaching.desk.follow_up(
            session, practice_id, document.note, by=caller.name, as_of=now()
        )
        return Answer(document_of(schemas.Practice, noted))

    return once(request, caller, work)


@router.post("/practices/{practice_id}/close", summary="Close a practice", responses=_PRACTICE)
def close(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    practice_id: PracticeId,
    document: schemas.NoteIn,
) -> Response:
    """End a practice; its history stays."""

    def work(session: Session) -> Answer:
        visible_practice(session, services, caller, practice_id)
        store, by = services.coaching.records.practices, caller.name
        return Answer(
            document_of(schemas.Practice, store.note(session, practice_id, Step.CLOSED, document.note, by=by))
        )

    return once(request, caller, work)
