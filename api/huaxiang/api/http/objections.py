"""The objection map: what was objected, how it was answered, how the customer took it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from huaxiang.api.http import answer_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.coaching_schemas import document_of
from huaxiang.api.http.dependencies import Manager, ServicesDep
from huaxiang.api.http.paging import Place, page_of
from huaxiang.core.database import now, reading
from huaxiang.profile.coaching.objections import Course, Measure

router = APIRouter(prefix="/v1/objections", tags=["coaching"])
MapDays = Annotated[int, Query(ge=7, le=732, description="How many days up to and with today.")]
Team = Annotated[str | None, Query(max_length=100)]


def place_of(course: Course) -> Place:
    """Return where a course stands in the list, which is newest first."""
    return course.held_at.isoformat(), course.recording_id, f"{course.turn:06}", course.objection


@router.get("", summary="Read the objection map", responses={200: {"model": schemas.ObjectionMap}})
def get_map(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    days: MapDays = 91,
    measure: Measure = Measure.NEXT_STEP,
    team: Team = None,
) -> Response:
    """Return each objection with the kinds of answer to it, ranked by the lower bound of ``measure``."""
    with reading(services.sessions) as session:
        found, _ = services.coaching.answers.objections(session, now(), days, measure, team)
    return respond(request, Answer(document_of(schemas.ObjectionMap, found)))


@router.get(
    "/{objection}/{answer}", summary="Open a cell of the map", responses={200: {"model": schemas.CoursePage}}
)
def get_cell(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    objection: Annotated[str, Path(max_length=64, examples=["price"])],
    answer: Annotated[str, Path(max_length=64, examples=["empathy+objection_handling"])],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    days: MapDays = 91,
    team: Team = None,
) -> Response:
    """Return what a cell counts, newest first, each with the words of objection, answer and reaction."""
    with reading(services.sessions) as session:
        _, courses = services.coaching.answers.objections(session, now(), days, team=team)
    wanted = [course for course in courses if (course.objection, course.answer) == (objection, answer)]
    wanted.sort(key=place_of, reverse=True)
    shown, following = page_of(wanted, place_of, cursor, limit, descending=True)
    items = [document_of(schemas.Course, course) for course in shown]
    return respond(request, Answer({"items": items, "next_cursor": following}))
