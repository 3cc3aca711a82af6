"""The pages of the objection map and of the library (话术库)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.dependencies import Listener, Manager
from huaxiang.api.http.objections import place_of
from huaxiang.api.http.paging import page_of
from huaxiang.api.http.sellers import name_of
from huaxiang.api.services import Services
from huaxiang.console.coaching_shared import chosen_days, clip_source, period_links, reader_of
from huaxiang.console.forms import check_session_form, read_form, safe_target
from huaxiang.console.listing import Listing
from huaxiang.console.present_objections import (
    MEASURES,
    answer_name,
    candidate_view,
    course_view,
    entry_view,
    map_view,
    topics_of,
)
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.profile.coaching.library import passage_of
from huaxiang.profile.coaching.objections import Measure

MAP_DAYS = (91, 28, 182, 366)
PAGE = 20
CANDIDATES = 20


def answer_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/objections`` and ``/library``."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/objections")
    def the_map(request: Request, caller: Manager) -> Response:
        text, query = language_of(request), request.query_params
        days, team = chosen_days(request, MAP_DAYS), query.get("team", "")
        measure = _measure(query.get("measure", ""))
        filters = {"days": str(days), "team": team, "measure": measure.value}
        with transaction(services.sessions) as session:
            found, _ = services.coaching.answers.objections(session, now(), days, measure, team or None)
            teams = _teams(services, session)
        listing = Listing("/objections", filters)
        return views.render(
            request,
            "objections.html",
            section="objections",
            page=map_view(found, {"days": str(days), "team": team}, text),
            measures=[
                (text(name), listing.url(measure=one.value), one is measure) for one, name in MEASURES.items()
            ],
            chosen=filters,
            day_choices=[(str(one), text("coaching.days", n=one)) for one in sorted(MAP_DAYS)],
            teams=teams,
        )

    @router.get("/objections/{objection}/{answer}")
    def cell(request: Request, caller: Manager, objection: str, answer: str) -> Response:
        text, query = language_of(request), request.query_params
        days, team = chosen_days(request, MAP_DAYS), query.get("team", "")
        with transaction(services.sessions) as session:
            found, courses = services.coaching.answers.objections(session, now(), days, team=team or None)
            consenting = services.coaching.records.sellers.consenting(session)
        counted = found.cell(objection, answer)
        if counted is None:
            raise NotFound("there is no such cell")
        wanted = [one for one in courses if (one.objection, one.answer) == (objection, answer)]
        wanted.sort(key=place_of, reverse=True)
        shown, following = page_of(wanted, place_of, query.get("cursor"), PAGE, descending=True)
        reader = reader_of(request, caller, zone)
        listing = Listing(request.url.path, {"days": str(days), "team": team})
        heard = clip_source(services, caller)
        return views.render(
            request,
            "objection_cell.html",
            section="objections",
            title=f"{text.label('objection', objection)} → {answer_name(answer, text)}",
            cell=next(
                view
                for one in map_view(found, {}, text).objections
                if one.id == objection
                for view in one.cells
                if view.rank == counted.rank
            ),
            courses=[(course_view(one, reader, heard), one.seller in consenting) for one in shown],
            back=Listing("/objections", {"days": str(days), "team": team}).url(),
            here=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
            next_url=listing.url(cursor=following) if following else None,
            first_url=listing.url() if "cursor" in query else None,
        )

    @router.get("/library")
    def library(request: Request, caller: Listener) -> Response:
        text, query = language_of(request), request.query_params
        topic, tag = query.get("topic", ""), query.get("tag", "")
        manages = caller.may(Scope.MANAGER)
        suggests = manages and query.get("view") == "suggested"
        reader, heard = reader_of(request, caller, zone), clip_source(services, caller)
        days = chosen_days(request, MAP_DAYS)
        with transaction(services.sessions) as session:
            coaching = services.coaching
            everything = coaching.records.library.list(session)
            entries = [
                one for one in everything if topic in ("", one.passage.topic) and (not tag or tag in one.tags)
            ]
            shown, following = page_of(
                entries, lambda one: (one.id,), query.get("cursor"), PAGE, descending=True
            )
            clips = coaching.answers.clips(session, shown)
            found = coaching.answers.candidates(session, now(), days)[:CANDIDATES] if suggests else ()
        listing = Listing("/library", {"topic": topic, "tag": tag})
        return views.render(
            request,
            "library.html",
            section="library",
            entries=[entry_view(one, clips[one.id], reader, heard) for one in shown],
            candidates=[candidate_view(one, reader, heard) for one in found],
            suggests=suggests,
            manages=manages,
            topics=[
                (name, listing.url(topic=one), one == topic, n)
                for one, name, n in topics_of(everything, text)
            ],
            all_url=listing.url(topic=None, tag=None),
            all_count=len(everything),
            tag=tag,
            untagged_url=listing.url(tag=None),
            chosen=bool(topic or tag),
            periods=period_links(request, days, MAP_DAYS),
            next_url=listing.url(cursor=following) if following else None,
            first_url=listing.url() if "cursor" in query else None,
        )

    @router.post("/library")
    async def adopt(request: Request, caller: Manager) -> Response:
        form = await read_form(request)

        def work(session: Session) -> None:
            coaching = services.coaching
            course = coaching.answers.course(
                session, form.get("recording_id", ""), form.get("objection", ""), _turn(form), now()
            )
            coaching.records.library.adopt(
                session, passage_of(course), form.get("title", ""), _tags(form), by=name_of(caller)
            )

        return await _done(request, caller, form, work, "library.adopted")

    @router.post("/library/{entry_id}")
    async def edit(request: Request, caller: Manager, entry_id: str) -> Response:
        form = await read_form(request)

        def work(session: Session) -> None:
            library, by = services.coaching.records.library, name_of(caller)
            library.edit(session, entry_id, form.get("title", ""), _tags(form), by=by)

        return await _done(request, caller, form, work, "library.changed")

    @router.post("/library/{entry_id}/withdraw")
    async def withdraw(request: Request, caller: Manager, entry_id: str) -> Response:
        form = await read_form(request)

        def work(session: Session) -> None:
            library, by = services.coaching.records.library, name_of(caller)
            library.withdraw(session, entry_id, form.get("reason", ""), by=by)

        return await _done(request, caller, form, work, "library.withdrawn")

    async def _done(
        request: Request, caller: Caller, form: dict[str, str], work: Callable[[Session], None], said: str
    ) -> Response:
        check_session_form(request, form, caller)

        def run() -> None:
            with transaction(services.sessions) as session:
                work(session)

        await run_in_threadpool(run)
        target = form.get("next", "")
        return done(safe_target(target) if target else "/library", said)

    return router


def _teams(services: Services, session: Session) -> list[tuple[str, str]]:
    names = sorted(set(services.coaching.records.sellers.team_of(session).values()))
    return [(name, name) for name in names]


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
