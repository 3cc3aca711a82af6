"""Sellers and teams: who they are, their figures, and what goes with won conversations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http import coaching_schemas as schemas
from huaxiang.api.http.answers import Answer, check_if_match, etag_of, respond
from huaxiang.api.http.coaching_schemas import document_of
from huaxiang.api.http.dependencies import Listener, Manager, ServicesDep, once
from huaxiang.api.http.paging import page_of
from huaxiang.core.database import now, reading
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.profile.coaching import registration
from huaxiang.profile.coaching.sellers import KEEP, SellerValues

router = APIRouter(prefix="/v1", tags=["coaching"])
SellerKey = Annotated[str, Path(max_length=200, examples=["he.yun"])]
Days = Annotated[int, Query(ge=7, le=366, description="How many days up to and with today.")]


def visible_seller(caller: Caller, key: str) -> str:
    """Return the key of a seller whom the caller may see; raises NotFound for another as for none."""
    if caller.only_seller not in (None, key):
        raise NotFound("there is no such seller")
    return key


@router.get("/sellers", summary="List sellers", responses={200: {"model": schemas.SellerPage}})
def get_sellers(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    team: Annotated[str | None, Query(max_length=100)] = None,
    days: Days = 28,
) -> Response:
    """Return the sellers by key with their scores against the team; follow ``next_cursor`` for more."""
    with reading(services.sessions) as session:
        lines, _ = services.coaching.desk.lines(session, now(), days)
    wanted = [line for line in lines if team is None or line.seller.team == team]
    shown, following = page_of(wanted, lambda line: (line.seller.key,), cursor, limit)
    items = [document_of(schemas.SellerLine, line) for line in shown]
    return respond(request, Answer({"items": items, "next_cursor": following}))


@router.get("/sellers/{key}", summary="Read a seller's page", responses={200: {"model": schemas.SellerView}})
def get_seller(
    request: Request, services: ServicesDep, caller: Listener, key: SellerKey, days: Days = 28
) -> Response:
    """Return figures over time against team and last period, what to practise, and how it went."""
    visible_seller(caller, key)
    with reading(services.sessions) as session:
        view = services.coaching.desk.seller(session, key, now(), days)
    return respond(request, Answer(document_of(schemas.SellerView, view)))


@router.put(
    "/sellers/{key}",
    summary="Write a seller",
    responses={200: {"model": schemas.Seller}, 201: {"model": schemas.Seller}},
)
def write_seller(
    request: Request, services: ServicesDep, caller: Manager, key: SellerKey, document: schemas.SellerIn
) -> Response:
    """Register a seller or change one. Absent fields stay as they are; null clears team and sign-in."""
    values, by = _values(document), caller.name

    def work(session: Session) -> Answer:
        known = services.coaching.records.sellers.get(session, key)
        check_if_match(request, etag_of(document_of(schemas.Seller, known)) if known.registered else None)
        answer = document_of(schemas.Seller, registration.write_seller(session, key, values, by=by))
        return Answer(answer, 200 if known.registered else 201, {"ETag": etag_of(answer)})

    return once(request, caller, work)


@router.put(
    "/sellers/{key}/consent",
    summary="Give or withdraw consent to the library",
    responses={200: {"model": schemas.Seller}},
)
def write_consent(
    request: Request, services: ServicesDep, caller: Listener, key: SellerKey, document: schemas.ConsentIn
) -> Response:
    """Note whether others may learn from a seller's words; withdrawing empties the library of them."""
    visible_seller(caller, key)

    def work(session: Session) -> Answer:
        records = services.coaching.records
        changed = records.consent(session, key, consents=document.library, by=caller.name)
        return Answer(document_of(schemas.Seller, changed))

    return once(request, caller, work)


@router.get("/teams", summary="List teams", responses={200: {"model": schemas.Teams}})
def get_teams(request: Request, services: ServicesDep, caller: Manager, days: Days = 28) -> Response:
    """Return all teams with their scores against the other teams."""
    with reading(services.sessions) as session:
        _, lines = services.coaching.desk.lines(session, now(), days)
    items = [document_of(schemas.TeamLine, line) for line in lines]
    return respond(request, Answer({"items": items}))


@router.get("/teams/{team}", summary="Read a team's page", responses={200: {"model": schemas.TeamView}})
def get_team(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    team: Annotated[str, Path(max_length=100)],
    days: Days = 28,
) -> Response:
    """Return a team's figures against the rest of the company, and its sellers by score."""
    with reading(services.sessions) as session:
        view = services.coaching.desk.team(session, team, now(), days)
    return respond(request, Answer(document_of(schemas.TeamView, view)))


@router.get(
    "/behaviours",
    summary="Read what goes with won conversations",
    responses={200: {"model": schemas.Behaviours}},
)
def get_behaviours(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    days: Annotated[int, Query(ge=28, le=732)] = 182,
) -> Response:
    """Return how far each behaviour differs between won and lost cases of this company's own data."""
    with reading(services.sessions) as session:
        found = services.coaching.desk.behaviours(session, now(), days)
    return respond(request, Answer(document_of(schemas.Behaviours, found)))


def _values(document: schemas.SellerIn) -> SellerValues:
    told = document.model_fields_set
    if ("name" in told and document.name is None) or ("active" in told and document.active is None):
        raise InvalidInput("name and active have values; leave them out to keep them")
    return SellerValues(
        name=KEEP if document.name is None else document.name,
        team=document.team if "team" in told else KEEP,
        active=KEEP if document.active is None else document.active,
        user_name=document.user_name if "user_name" in told else KEEP,
    )
