"""Reviews of scores (复核), appeals (申诉) and their settlement (终审)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http import review_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import (
    Listener,
    Manager,
    ServicesDep,
    once,
    services_of,
    visible_recording,
)
from huaxiang.api.reviews.access import acting_on, actor_of, handed_in, need_person, visible_case
from huaxiang.api.reviews.serialise import case_json, lines
from huaxiang.api.serialise import JsonObject
from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.quality.review.outcomes import Actor, CaseState, Judgement, Origin
from huaxiang.quality.review.queue import QueueFilters, counts, queue
from huaxiang.quality.review.review_store import StoredCase

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
CaseId = Annotated[str, Path(max_length=36, examples=["01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"])]


@router.get("", summary="List cases of review", responses={200: {"model": schemas.CasePage}})
def get_reviews(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    state: Annotated[list[CaseState], Query(default_factory=list, max_length=4)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=36)] = None,
    assignee: Annotated[
        str | None, Query(max_length=200, description="With those that are given to nobody.")
    ] = None,
    seller: Annotated[str | None, Query(max_length=200)] = None,
    order: Literal["oldest", "newest"] = "oldest",
) -> Response:
    """Return cases as they wait, oldest first, or newest first; a seller gets those of own calls."""
    only = caller.only_seller
    if only is not None and seller not in (None, only):
        raise NotFound("there are no cases of this seller for you")
    filters = QueueFilters(states=frozenset(state), assignee=assignee, seller=only or seller)
    with transaction(services.sessions) as session:
        page = queue(session, filters, cursor=cursor, limit=limit, newest_first=order == "newest")
        found = counts(session, seller=only)
    return respond(
        request,
        Answer(
            {
                "items": lines(page.cases),
                "next_cursor": page.next_cursor,
                "counts": {state.value: count for state, count in found.items()},
            }
        ),
    )


@router.post(
    "",
    summary="Have a score reviewed",
    status_code=201,
    responses={201: {"model": schemas.Case}},
)
def open_case(request: Request, caller: Listener, body: schemas.ReviewIn) -> Response:
    """Open the case of a call's score. A seller asks for the review of an own call, with a reason."""
    services = services_of(request)

    def work(session: Session) -> Answer:
        stored = open_review(session, services, caller, body.recording_id, body.definition, body.reason)
        return Answer(
            _document(session, services, caller, stored), 201, {"Location": f"/v1/reviews/{stored.id}"}
        )

    return once(request, caller, work)


@router.get("/{case_id}", summary="Read a case", responses={200: {"model": schemas.Case}})
def get_case(request: Request, services: ServicesDep, caller: Listener, case_id: CaseId) -> Response:
    """Return a case with its items, the score that holds and the whole history.

    A seller sees judgements from the moment they are handed in.
    """
    with transaction(services.sessions) as session:
        stored = visible_case(session, services.reviews, caller, case_id)
        document = _document(session, services, caller, stored)
    return respond(request, Answer(document))


@router.post(
    "/{case_id}/assign", summary="Give a case to a reviewer", responses={200: {"model": schemas.Case}}
)
def assign(request: Request, caller: Manager, case_id: CaseId, body: schemas.AssignIn) -> Response:
    """Give a case that waits to somebody by name, or back to everybody. Nobody reviews an own call."""
    cases = services_of(request).reviews.cases
    return _act(
        request,
        caller,
        case_id,
        lambda session, actor: cases.assign(session, case_id, actor, body.assignee, body.seen),
    )


@router.post("/{case_id}/judge", summary="Keep judgements", responses={200: {"model": schemas.Case}})
def judge(request: Request, caller: Manager, case_id: CaseId, body: schemas.JudgeIn) -> Response:
    """Keep judgements of items without handing the review in; they count when it is handed in.

    Who judges is a signed-in person: a token gets 403.
    """
    cases = services_of(request).reviews.cases
    said = _judgements(body.judgements)
    return _act(
        request,
        caller,
        case_id,
        lambda session, actor: cases.judge(session, case_id, actor, said, body.seen),
        judges=True,
    )


@router.post("/{case_id}/submit", summary="Hand in a review (复核)", responses={200: {"model": schemas.Case}})
def submit(request: Request, caller: Manager, case_id: CaseId, body: schemas.SubmitIn) -> Response:
    """Hand in a review with at least one judgement; from then on the seller may appeal for a while.

    Who hands in is a signed-in person: a token gets 403.
    409 `out_of_date` where somebody judged one of these items, or the case went on, since `seen`.
    """
    cases = services_of(request).reviews.cases
    said = _judgements(body.judgements)
    return _act(
        request,
        caller,
        case_id,
        lambda session, actor: cases.submit(session, case_id, actor, said, body.seen, body.reason),
        judges=True,
    )


@router.post("/{case_id}/reopen", summary="Take a review up again", responses={200: {"model": schemas.Case}})
def reopen(request: Request, caller: Manager, case_id: CaseId, body: schemas.ReopenIn) -> Response:
    """Take a review up again that was handed in, with the reason; what was judged stays."""
    cases = services_of(request).reviews.cases
    return _act(
        request,
        caller,
        case_id,
        lambda session, actor: cases.reopen(session, case_id, actor, body.reason, body.seen),
    )


@router.post("/{case_id}/appeal", summary="Appeal (申诉)", responses={200: {"model": schemas.Case}})
def appeal(request: Request, caller: Listener, case_id: CaseId, body: schemas.AppealIn) -> Response:
    """Object to a review of an own call, as its seller, with a reason and while the time for it runs."""
    cases = services_of(request).reviews.cases

    return _act(
        request,
        caller,
        case_id,
        lambda session, actor: cases.appeal(
            session, case_id, actor, body.reason, tuple(body.items), body.seen
        ),
    )


@router.post("/{case_id}/settle", summary="Settle an appeal (终审)", responses={200: {"model": schemas.Case}})
def settle(request: Request, caller: Manager, case_id: CaseId, body: schemas.SettleIn) -> Response:
    """Settle an appeal for good, with a reason, as another person than the reviewer.

    Who settles is a signed-in person: a token gets 403.
    """
    cases = services_of(request).reviews.cases
    said = _judgements(body.judgements)
    return _act(
        request,
        caller,
        case_id,
        lambda session, actor: cases.settle(session, case_id, actor, said, body.reason, body.seen),
        judges=True,
    )


def open_review(
    session: Session,
    services: Services,
    caller: Caller,
    recording_id: str,
    definition: str | None,
    reason: str,
) -> StoredCase:
    """Open the case of a call that the caller may see; a seller has to say why.

    Raises NotFound for no such call or score, InvalidInput for a seller's missing reason, Conflict
    where there is a case already.
    """
    recording = visible_recording(session, services, caller, recording_id)
    asks = not caller.may(Scope.MANAGER)
    if asks and not reason.strip():
        raise InvalidInput("say why this score should be looked at", fields="reason")
    scorecard = (
        services.scorecards.latest(session, recording_id)
        if definition is None
        else services.scorecards.load(session, recording_id, definition)
    )
    return services.reviews.cases.open(
        session,
        recording_id,
        scorecard,
        recording.metadata.seller,
        actor_of(caller),
        Origin.SELLER if asks else Origin.CHOSEN,
        reason,
    )


def _act(
    request: Request,
    caller: Caller,
    case_id: str,
    work: Callable[[Session, Actor], StoredCase],
    *,
    judges: bool = False,
) -> Response:
    """Do one act on a case that the caller may see, once, and return the case after it.

    What ``judges`` is done by signed-in people only.
    """
    services = services_of(request)

    def act(session: Session) -> Answer:
        stored = visible_case(session, services.reviews, caller, case_id)
        if judges:
            need_person(caller)
        done = work(session, acting_on(session, caller, stored))
        return Answer(_document(session, services, caller, done))

    return once(request, caller, act)


def _document(session: Session, services: Services, caller: Caller, stored: StoredCase) -> JsonObject:
    shown = stored if caller.only_seller is None else handed_in(stored)
    return case_json(shown, services.reviews.cases.final_of(session, [shown])[shown.id])


def _judgements(said: Sequence[schemas.JudgementIn]) -> list[Judgement]:
    return [Judgement(one.item, one.outcome, one.reason) for one in said]
