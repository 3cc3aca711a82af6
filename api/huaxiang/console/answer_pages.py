"""The pages of the objection map and of the library (话术库)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.dependencies import Listener, Manager
from huaxiang.api.http.objections import place_of
from huaxiang.api.http.paging import page_of
from huaxiang.api.search.choices import team_names
from huaxiang.api.services import Services
from huaxiang.console.coaching_shared import chosen_days, clip_source, period_links, reader_of
from huaxiang.console.forms import check_session_form, read_form, safe_target
from huaxiang.console.listing import Listing
from huaxiang.console.present_objections import (
    MEASURES,
    answer_name,
    candidate_view,
    cell_tiles,
    course_view,
    entry_view,
    map_view,
    topics_of,
)
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.profile.coaching.library import passage_of
from huaxiang.profile.coaching.objections import Measure

MAP_DAYS = (91, 28, 182, 366)
PAGE = 20
CANDIDATES = 20


def objection_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/objections``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/objections")
    def the_map(request: Request, caller: Manager) -> Response:
        text, query = language_of(request), request.query_params
        days, team = chosen_days(request, MAP_DAYS), query.get("team", "")
        measure = _measure(query.get("measure", ""))
        listing = Listing("/objections", {"days": str(days), "team": team, "measure": measure.value})
        with reading(services.sessions) as session:
            found, _ = services.coaching.answers.objections(session, now(), days, measure, team or None)
            teams = team_names(session)
        return views.render(
            request,
            "objections.html",
            section="objections",
            page=map_view(found, {"days": str(days), "team": team}, text),
            measures=[
                (text(name), listing.url(measure=one.value), one is measure) for one, name in MEASURES.items()
            ],
            chosen=listing.params,
            day_choices=[(str(one), text("coaching.days", n=one)) for one in sorted(MAP_DAYS)],
            teams=[(name, name) for name in teams],
        )

    @router.get("/objections/{objection}/{answer}")
    def cell(request: Request, caller: Manager, objection: str, answer: str) -> Response:
        return _cell(request, services, views, caller, (objection, answer))

    return router


def library_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/library``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/library")
    def library(request: Request, caller: Listener) -> Response:
        if caller.may(Scope.MANAGER) and request.query_params.get("view") == "suggested":
            return _suggested(request, services, views, caller)
        return _library(request, services, views, caller)

    @router.post("/library")
    async def adopt(request: Request, caller: Manager) -> Response:
        form = await read_form(request)
        recording_id, objection = form.get("recording_id", ""), form.get("objection", "")

        def work(session: Session) -> None:
            coaching, by = services.coaching, caller.name
            course = coaching.answers.course(session, recording_id, objection, _turn(form), now())
            title, tags = form.get("title", ""), _tags(form)
            coaching.records.library.adopt(session, passage_of(course), title, tags, by=by)

        return await _carried_out(request, services, caller, form, work, "library.adopted")

    @router.post("/library/{entry_id}")
    async def edit(request: Request, caller: Manager, entry_id: str) -> Response:
        form = await read_form(request)

        def work(session: Session) -> None:
            library, by = services.coaching.records.library, caller.name
            library.edit(session, entry_id, form.get("title", ""), _tags(form), by=by)

        return await _carried_out(request, services, caller, form, work, "library.changed")

    @router.post("/library/{entry_id}/withdraw")
    async def withdraw(request: Request, caller: Manager, entry_id: str) -> Response:
        form = await read_form(request)

        def work(session: Session) -> None:
            library, by = services.coaching.records.library, caller.name
            library.withdraw(session, entry_id, form.get("reason", ""), by=by)

        return await _carried_out(request, services, caller, form, work, "library.withdrawn")

    return router


def _cell(
    request: Request, services: Services, views: Views, caller: Caller, wanted: tuple[str, str]
) -> Response:
    """Return the page of one cell of the map. Raises NotFound for a cell that counts nothing."""
    text, query = language_of(request), request.query_params
    days, team = chosen_days(request, MAP_DAYS), query.get("team", "")
    with reading(services.sessions) as session:
        found, courses = services.coaching.answers.objections(session, now(), days, team=team or None)
        consenting = services.coaching.records.sellers.consenting(session)
    counted = found.cell(*wanted)
    if counted is None:
        raise NotFound("there is no such cell")
    inside = [one for one in courses if (one.objection, one.answer) == wanted]
    inside.sort(key=place_of, reverse=True)
    shown, following = page_of(inside, place_of, query.get("cursor"), PAGE, descending=True)
    reader, heard = reader_of(request, services, caller), clip_source(services, caller)
    listing = Listing(request.url.path, {"days": str(days), "team": team})
    return views.render(
        request,
        "objection_cell.html",
        section="objections",
        title=f"{text.label('objection', counted.objection)} → {answer_name(counted.answer, text)}",
        tiles=cell_tiles(counted, text),
        count=counted.n,
        courses=[(course_view(one, reader, heard), one.seller in consenting) for one in shown],
        back=Listing("/objections", {"days": str(days), "team": team}).url(),
        here=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        next_url=listing.url(cursor=following) if following else None,
        first_url=listing.url() if "cursor" in query else None,
    )


def _library(request: Request, services: Services, views: Views, caller: Caller) -> Response:
    text, query = language_of(request), request.query_params
    topic, tag = query.get("topic", ""), query.get("tag", "")
    reader, heard = reader_of(request, services, caller), clip_source(services, caller)
    with reading(services.sessions) as session:
        everything = services.coaching.records.library.list(session)
        chosen = [
            one for one in everything if topic in ("", one.passage.topic) and (not tag or tag in one.tags)
        ]
        shown, following = page_of(chosen, lambda one: (one.id,), query.get("cursor"), PAGE, descending=True)
        clips = services.coaching.answers.clips(session, shown)
    listing = Listing("/library", {"topic": topic, "tag": tag})
    return views.render(
        request,
        "library.html",
        section="library",
        entries=[entry_view(one, clips[one.id], reader, heard) for one in shown],
        manages=reader.manages,
        topics=[
            (name, listing.url(topic=one), one == topic, count)
            for one, name, count in topics_of(everything, text)
        ],
        all_count=len(everything),
        tag=tag,
        untagged_url=listing.url(tag=None),
        chosen=bool(topic or tag),
        next_url=listing.url(cursor=following) if following else None,
        first_url=listing.url() if "cursor" in query else None,
    )


def _suggested(request: Request, services: Services, views: Views, caller: Caller) -> Response:
    days = chosen_days(request, MAP_DAYS)
    with reading(services.sessions) as session:
        found = services.coaching.answers.candidates(session, now(), days)[:CANDIDATES]
    reader, heard = reader_of(request, services, caller), clip_source(services, caller)
    return views.render(
        request,
        "library_suggested.html",
        section="library",
        candidates=[candidate_view(one, reader, heard) for one in found],
        periods=period_links(request, days, MAP_DAYS),
    )


async def _carried_out(
    request: Request,
    services: Services,
    caller: Caller,
    form: dict[str, str],
    work: Callable[[Session], None],
    said: str,
) -> Response:
    """Carry out a form in one transaction and go back to where it was sent from."""
    check_session_form(request, form, caller)

    def run() -> None:
        with transaction(services.sessions) as session:
            work(session)

    await run_in_threadpool(run)
    target = form.get("next", "")
    return done(safe_target(target) if target else "/library", said)


def _measure(asked: str) -> Measure:
    return Measure(asked) if asked in set(Measure) else Measure.NEXT_STEP


def _turn(form: dict[str, str]) -> int:
    given = form.get("turn", "")
    if not given.isdecimal():
        raise InvalidInput("turn is the number of a turn")
    return int(given)


def _tags(form: dict[str, str]) -> Sequence[str]:
    """Return the tags of a form, which people part by commas of either width, or by 、."""
    return form.get("tags", "").replace("，", ",").replace("、", ",").split(",")
