"""Sampling plans (抽检计划) and what is drawn by them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import review_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Manager, ServicesDep, once, services_of
from huaxiang.api.reviews.access import actor_of
from huaxiang.api.reviews.serialise import drawing_json, past_drawing_json, plan_json
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import InvalidInput

router = APIRouter(prefix="/v1/sampling-plans", tags=["reviews"])
PlanName = Annotated[str, Path(max_length=64, examples=["weekly"])]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("", summary="List sampling plans", responses={200: {"model": schemas.PlanPage}})
def get_plans(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Return the newest version of every plan, by name."""
    with transaction(services.sessions) as session:
        plans = services.reviews.plans.list(session)
    left = [stored for stored in plans if cursor is None or stored.plan.name > cursor]
    shown = left[:limit]
    more = shown[-1].plan.name if len(left) > limit else None
    return respond(request, Answer({"items": [plan_json(one) for one in shown], "next_cursor": more}))


@router.post(
    "",
    summary="Save a sampling plan",
    status_code=201,
    responses={201: {"model": schemas.Plan}},
)
def save_plan(request: Request, caller: Manager, body: schemas.PlanIn) -> Response:
    """Add a plan, or a version of one that is there; every mistake is named with its line.

    Active plans are drawn by night; one saved with ``active: false`` rests.
    """
    plans = services_of(request).reviews.plans

    def work(session: Session) -> Answer:
        stored = plans.save(session, body.text, actor_of(caller), active=body.active)
        return Answer(plan_json(stored), 201, {"Location": f"/v1/sampling-plans/{stored.plan.name}"})

    return once(request, caller, work)


@router.get("/{name}", summary="Read a sampling plan", responses={200: {"model": schemas.Plan}})
def get_plan(request: Request, services: ServicesDep, caller: Manager, name: PlanName) -> Response:
    """Return the newest version of a plan."""
    with transaction(services.sessions) as session:
        stored = services.reviews.plans.get(session, name)
    return respond(request, Answer(plan_json(stored)))


@router.get(
    "/{name}/draws",
    summary="List the drawings of a plan",
    responses={200: {"model": schemas.PastDrawingPage}},
)
def get_draws(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    name: PlanName,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Return what was drawn so far, newest period first."""
    before = None if cursor is None else _moment(cursor)
    with transaction(services.sessions) as session:
        services.reviews.plans.get(session, name)
        found = services.reviews.plans.past(session, name, before=before, limit=limit + 1)
    shown = found[:limit]
    more = shown[-1].period.start.isoformat() if len(found) > limit else None
    return respond(request, Answer({"items": [past_drawing_json(one) for one in shown], "next_cursor": more}))


@router.post(
    "/{name}/draw",
    summary="Draw a period",
    responses={200: {"model": schemas.Drawing}},
)
def draw(request: Request, caller: Manager, name: PlanName, body: schemas.DrawIn) -> Response:
    """Draw the calls of a period that is over and open their cases, or with ``dry_run`` say which.

    The same plan draws the same calls whenever it is asked; a period is drawn once (409 after that).
    """
    reviews = services_of(request).reviews
    if body.on is not None and body.on.tzinfo is None:
        raise InvalidInput("on needs an offset, like 2026-11-20T12:00:00+08:00")

    def work(session: Session) -> Answer:
        stored, moment = reviews.plans.get(session, name), now()
        period = (
            reviews.sampler.last_period(stored, moment)
            if body.on is None
            else reviews.sampler.period(stored, body.on)
        )
        if body.dry_run:
            return Answer(drawing_json(reviews.sampler.propose(session, stored, period).drawing))
        return Answer(drawing_json(reviews.sampler.draw(session, stored, period, actor_of(caller), moment)))

    return once(request, caller, work)


def _moment(cursor: str) -> datetime:
    try:
        found = datetime.fromisoformat(cursor)
    except ValueError as error:
        raise InvalidInput("this cursor is of another list") from error
    if found.tzinfo is None:
        raise InvalidInput("this cursor is of another list")
    return found
