"""Time travel and the rule lab: scorecards tried on the history, and what is known of each item."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import history_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Manager, ServicesDep, once
from huaxiang.api.serialise import time_json
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import Json
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.comparison_json import comparison_json
from huaxiang.quality.history.comparison_store import StoredChange, Tried
from huaxiang.quality.history.lab_json import figures_json
from huaxiang.quality.history.lab_store import Found

router = APIRouter(prefix="/v1", tags=["rules"])
ComparisonId = Annotated[str, Path(max_length=36)]
RuleId = Annotated[str, Path(max_length=64)]


@router.post(
    "/rule-comparisons",
    summary="Try a scorecard on the history",
    status_code=202,
    responses={202: {"model": schemas.Comparison}},
)
def compare(request: Request, services: ServicesDep, caller: Manager, body: schemas.ComparisonIn) -> Response:
    """Begin to compare a scorecard with the one in force of its id, over every stored conversation.

    Read the comparison until its state is ``done``. 400 for a file with mistakes.
    """
    desk = services.history
    begun: list[str] = []

    def work(session: Session) -> Answer:
        comparison_id = desk.begin(session, body.text, caller.name)
        begun.append(comparison_id)
        tried = desk.comparisons.get(session, comparison_id)
        return Answer(tried_json(tried), 202, {"Location": f"/v1/rule-comparisons/{comparison_id}"})

    response = once(request, caller, work)
    for comparison_id in begun:
        desk.start(comparison_id)
    return response


@router.get("/rule-comparisons", summary="List comparisons", responses={200: {"model": schemas.Comparisons}})
def get_comparisons(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    scorecard: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=36)] = None,
) -> Response:
    """Return what was tried, newest first and without its figures; ``scorecard`` narrows to an id."""
    with transaction(services.sessions) as session:
        found = services.history.comparisons.newest(session, scorecard, cursor, limit + 1)
    shown = found[:limit]
    items: list[Json] = [tried_json(tried) for tried in shown]
    return respond(
        request, Answer({"items": items, "next_cursor": shown[-1].id if len(found) > limit else None})
    )


@router.get(
    "/rule-comparisons/{comparison_id}",
    summary="Read a comparison",
    responses={200: {"model": schemas.Comparison}},
)
def get_comparison(
    request: Request, services: ServicesDep, caller: Manager, comparison_id: ComparisonId
) -> Response:
    """Return how far a comparison is, and what it came to: by seller, by team, by item."""
    with transaction(services.sessions) as session:
        tried = services.history.comparisons.get(session, comparison_id)
    return respond(request, Answer(tried_json(tried)))


@router.get(
    "/rule-comparisons/{comparison_id}/changes",
    summary="List the conversations whose result changes",
    responses={200: {"model": schemas.Changes}},
)
def get_changes(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    comparison_id: ComparisonId,
    seller: Annotated[str | None, Query(max_length=200)] = None,
    item: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=12)] = None,
) -> Response:
    """Return them by how much they change, the greatest first; at most 2,000 are kept of a comparison."""
    if cursor is not None and not cursor.isdecimal():
        raise InvalidInput("this cursor is of another list")
    with transaction(services.sessions) as session:
        services.history.comparisons.get(session, comparison_id)
        found = services.history.comparisons.changes(
            session,
            comparison_id,
            sellers=None if seller is None else [seller],
            item=item,
            after=-1 if cursor is None else int(cursor),
            limit=limit + 1,
        )
    shown = found[:limit]
    items: list[Json] = [_change_json(change) for change in shown]
    next_cursor = str(shown[-1].position) if len(found) > limit else None
    return respond(request, Answer({"items": items, "next_cursor": next_cursor}))


@router.get("/rule-lab", summary="Read the rule lab", responses={200: {"model": schemas.Lab}})
def get_lab(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    scorecard: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Return what the lab last found of each item of the scorecards in force."""
    desk = services.history
    with transaction(services.sessions) as session:
        current = desk.rules.current(session)
        references = [one.reference for one in current if scorecard in (None, one.id)]
        found = desk.lab.found(session, references)
    items: list[Json] = [_found_json(found[key]) for key in sorted(found)]
    return respond(request, Answer({"items": items, "busy": desk.lab_is_busy}))


@router.post(
    "/rule-lab/run",
    summary="Run the rule lab",
    status_code=202,
    responses={202: {"model": schemas.LabStarted}},
)
def run_lab(request: Request, services: ServicesDep, caller: Manager) -> Response:
    """Measure every item anew over the whole history and all reviews, in the background."""
    return once(request, caller, lambda session: Answer({"started": services.history.start_lab()}, 202))


@router.put(
    "/rule-lab/{rule_id}/{item_id}/floor",
    summary="Set the floor of an item",
    responses={200: {"model": schemas.Floor}},
)
def set_floor(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    rule_id: RuleId,
    item_id: RuleId,
    body: schemas.FloorIn,
) -> Response:
    """Set the precision under which an item only suggests; what was set before is kept."""
    desk = services.history

    def work(session: Session) -> Answer:
        definition = desk.rules.get(session, rule_id).definition
        known = definition.items if isinstance(definition, ScorecardDefinition) else ()
        if all(item.id != item_id for item in known):
            raise NotFound("there is no such item")
        desk.lab.set_floor(session, rule_id, item_id, body.floor, caller.name)
        return Answer({"scorecard": rule_id, "item": item_id, "floor": body.floor})

    return once(request, caller, work)


def tried_json(tried: Tried) -> Json:
    """Return a comparison as JSON."""
    return {
        "id": tried.id,
        "definition": tried.definition,
        "against": tried.against,
        "state": tried.state,
        "done_share": tried.done_share,
        "error": tried.error,
        "created_by": tried.created_by,
        "created_at": time_json(tried.created_at),
        "result": comparison_json(tried.comparison) if tried.comparison else None,
    }


def _change_json(change: StoredChange) -> Json:
    return {
        "recording_id": change.recording_id,
        "seller": change.seller,
        "started_at": time_json(change.started_at),
        "before": None if change.before is None else dict(change.before),
        "after": None if change.after is None else dict(change.after),
        "items": [asdict(flip) for flip in change.items],
    }


def _found_json(found: Found) -> Json:
    return {
        "definition": found.definition,
        "item": found.item,
        "computed_at": time_json(found.computed_at),
        "floor": found.floor,
        "suggests": found.suggests,
        "drifts": found.drifts,
        "figures": figures_json(found.figures),
        "alike": [asdict(twin) for twin in found.alike],
    }
