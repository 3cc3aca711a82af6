"""话术库: answers worth learning from, by consent of those who gave them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import answer_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.coaching_schemas import document_of
from huaxiang.api.http.dependencies import Listener, Manager, ServicesDep, once
from huaxiang.api.http.objections import MapDays
from huaxiang.api.http.paging import page_of
from huaxiang.core.database import now, reading, transaction
from huaxiang.profile.coaching.library import passage_of

router = APIRouter(prefix="/v1/library", tags=["coaching"])
EntryId = Annotated[str, Path(max_length=36)]


@router.get("", summary="Read the library", responses={200: {"model": schemas.EntryPage}})
def get_library(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    topic: Annotated[str | None, Query(max_length=100, examples=["objection.price"])] = None,
    tag: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Return what sellers who consent let others learn from, newest first."""
    with transaction(services.sessions) as session:
        entries = services.coaching.records.library.list(session, topic=topic, tag=tag)
    shown, following = page_of(entries, lambda entry: (entry.id,), cursor, limit, descending=True)
    items = [document_of(schemas.Entry, entry) for entry in shown]
    return respond(request, Answer({"items": items, "next_cursor": following}))


@router.get(
    "/candidates", summary="Read what the map suggests", responses={200: {"model": schemas.Candidates}}
)
def get_candidates(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    limit: Annotated[int, Query(ge=1, le=100, description="The best so many; there are no pages.")] = 20,
    days: MapDays = 91,
) -> Response:
    """Return answers that settled an objection and led on, best first, that are not in the library yet."""
    with reading(services.sessions) as session:
        found = services.coaching.answers.candidates(session, now(), days)
    items = [document_of(schemas.Candidate, candidate) for candidate in found[:limit]]
    return respond(request, Answer({"items": items}))


@router.post("", summary="Adopt an answer", responses={201: {"model": schemas.Entry}})
def adopt(request: Request, services: ServicesDep, caller: Manager, document: schemas.EntryIn) -> Response:
    """Put an answer into the library; 403 without the seller's consent, 409 where it is in already."""

    def work(session: Session) -> Answer:
        coaching = services.coaching
        course = coaching.answers.course(
            session, document.recording_id, document.objection, document.turn, now()
        )
        entry = coaching.records.library.adopt(
            session, passage_of(course), document.title, document.tags, by=caller.name
        )
        return Answer(document_of(schemas.Entry, entry), 201)

    return once(request, caller, work)


@router.get("/{entry_id}", summary="Read an entry", responses={200: {"model": schemas.Entry}})
def get_entry(request: Request, services: ServicesDep, caller: Listener, entry_id: EntryId) -> Response:
    """Return an entry with its history; 404 once it or the seller's consent was withdrawn."""
    with transaction(services.sessions) as session:
        entry = services.coaching.records.library.get(session, entry_id)
    return respond(request, Answer(document_of(schemas.Entry, entry)))


@router.put("/{entry_id}", summary="Edit an entry", responses={200: {"model": schemas.Entry}})
def edit(
    request: Request, services: ServicesDep, caller: Manager, entry_id: EntryId, document: schemas.EntryEdit
) -> Response:
    """Give an entry another title and tags; what it was called before stays in its history."""

    def work(session: Session) -> Answer:
        library, by = services.coaching.records.library, caller.name
        entry = library.edit(session, entry_id, document.title, document.tags, by=by)
        return Answer(document_of(schemas.Entry, entry))

    return once(request, caller, work)


@router.post("/{entry_id}/withdraw", summary="Withdraw an entry", responses={200: {"model": schemas.Entry}})
def withdraw(
    request: Request, services: ServicesDep, caller: Manager, entry_id: EntryId, document: schemas.ReasonIn
) -> Response:
    """Take an entry out of the library with a reason; its history stays."""

    def work(session: Session) -> Answer:
        library, by = services.coaching.records.library, caller.name
        return Answer(document_of(schemas.Entry, library.withdraw(session, entry_id, document.reason, by=by)))

    return once(request, caller, work)
