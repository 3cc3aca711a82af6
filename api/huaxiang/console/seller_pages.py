"""The pages of sellers and teams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http.dependencies import Listener, Manager
from huaxiang.api.http.practices import step_of, visible_practice
from huaxiang.api.http.sellers import visible_seller
from huaxiang.api.search.choices import team_names
from huaxiang.api.services import Services
from huaxiang.console.coaching_shared import chosen_days, clip_source, period_links, reader_of
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present_coaching import behaviours_view, seller_url
from huaxiang.console.present_seller import scores_chart, seller_line, seller_page, team_line, team_page
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.errors import InvalidInput
from huaxiang.profile.coaching.practices import Step
from huaxiang.profile.coaching.registration import write_seller
from huaxiang.profile.coaching.sellers import SellerValues

Change = Callable[[Session], str]
"""Does something to a seller or a practice, and returns the key of the seller whose page is shown next."""


def team_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/team``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/team")
    def teams(request: Request, caller: Manager) -> Response:
        text, days = language_of(request), chosen_days(request)
        with reading(services.sessions) as session:
            sellers, found = services.coaching.desk.lines(session, now(), days)
            known = services.coaching.desk.behaviours(session, now())
        rows = [seller_line(line, text, days) for line in sellers]
        return views.render(
            request,
            "team.html",
            section="team",
            sellers=rows,
            teams=[team_line(line, text, days) for line in found],
            chart=scores_chart("scores", text("team.scores"), rows, sellers, text),
            behaviours=behaviours_view(known, text),
            periods=period_links(request, days),
        )

    @router.get("/team/me")
    def mine(request: Request, caller: Listener) -> Response:
        own = caller.only_seller
        if own is None:
            return RedirectResponse("/team", 303)
        return _seller_page(request, services, views, caller, own)

    @router.get("/team/{team}")
    def team(request: Request, caller: Manager, team: str) -> Response:
        text, days = language_of(request), chosen_days(request)
        with reading(services.sessions) as session:
            view = services.coaching.desk.team(session, team, now(), days)
        page = team_page(view, text, days)
        periods = period_links(request, days)
        return views.render(request, "team_one.html", section="team", page=page, periods=periods)

    return router


def seller_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/sellers``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sellers/{key}")
    def one(request: Request, caller: Listener, key: str) -> Response:
        return _seller_page(request, services, views, caller, visible_seller(caller, key))

    @router.post("/sellers/{key}")
    async def change(request: Request, caller: Manager, key: str) -> Response:
        form = await read_form(request)
        values, by = _seller_values(form), caller.name

        def work(session: Session) -> str:
            write_seller(session, key, values, by=by)
            return key

        return await _carried_out(request, services, caller, form, work, "seller.changed")

    @router.post("/sellers/{key}/consent")
    async def consent(request: Request, caller: Listener, key: str) -> Response:
        form = await read_form(request)
        consents = form.get("library") == "true"

        def work(session: Session) -> str:
            visible_seller(caller, key)
            services.coaching.records.consent(session, key, consents=consents, by=caller.name)
            return key

        said = "seller.consent.given" if consents else "seller.consent.withdrawn"
        return await _carried_out(request, services, caller, form, work, said)

    return router


def practice_router(services: Services, views: Views) -> APIRouter:
    """Return the routes by which things are practised."""
    router = APIRouter(include_in_schema=False)

    @router.post("/sellers/{key}/practices")
    async def take_up(request: Request, caller: Listener, key: str) -> Response:
        form = await read_form(request)
        topic, note = form.get("topic", ""), form.get("note", "")

        def work(session: Session) -> str:
            visible_seller(caller, key)
            desk, step, by = services.coaching.desk, step_of(caller), caller.name
            day = _day(form.get("follow_up_on", ""))
            desk.take_up(session, key, topic, step, note, by=by, as_of=now(), follow_up_on=day)
            return key

        return await _carried_out(request, services, caller, form, work, "practice.begun")

    @router.post("/practices/{practice_id}/acknowledge")
    async def acknowledge(request: Request, caller: Listener, practice_id: str) -> Response:
        return await _note(request, services, caller, practice_id, Step.ACKNOWLEDGED, "practice.noted")

    @router.post("/practices/{practice_id}/close")
    async def close(request: Request, caller: Listener, practice_id: str) -> Response:
        return await _note(request, services, caller, practice_id, Step.CLOSED, "practice.ended")

    @router.post("/practices/{practice_id}/follow-up")
    async def follow_up(request: Request, caller: Manager, practice_id: str) -> Response:
        form = await read_form(request)

        def work(session: Session) -> str:
            note, by = form.get("note", ""), caller.name
            return services.coaching.desk.follow_up(session, practice_id, note, by=by, as_of=now()).seller

        return await _carried_out(request, services, caller, form, work, "practice.noted")

    return router


def _seller_page(request: Request, services: Services, views: Views, caller: Caller, key: str) -> Response:
    text, days = language_of(request), chosen_days(request)
    with reading(services.sessions) as session:
        view = services.coaching.desk.seller(session, key, now(), days)
        known = services.coaching.desk.behaviours(session, now())
        teams = team_names(session)
    reader = reader_of(request, services, caller)
    return views.render(
        request,
        "seller.html",
        section="team" if reader.manages else "me",
        page=seller_page(view, reader, clip_source(services, caller)),
        base=seller_url(key),
        manages=reader.manages,
        team_names=teams,
        behaviours=behaviours_view(known, text),
        periods=period_links(request, days),
    )


async def _note(
    request: Request, services: Services, caller: Caller, practice_id: str, step: Step, said: str
) -> Response:
    form = await read_form(request)

    def work(session: Session) -> str:
        practice = visible_practice(session, services, caller, practice_id)
        note, by = form.get("note", ""), caller.name
        services.coaching.records.practices.note(session, practice_id, step, note, by=by)
        return practice.seller

    return await _carried_out(request, services, caller, form, work, said)


async def _carried_out(
    request: Request, services: Services, caller: Caller, form: dict[str, str], work: Change, said: str
) -> Response:
    """Carry out a form in one transaction and go to the page of the seller it was about."""
    check_session_form(request, form, caller)

    def run() -> str:
        with transaction(services.sessions) as session:
            return work(session)

    key = await run_in_threadpool(run)
    own = caller.only_seller is not None
    return done("/team/me" if own else seller_url(key), said)


def _seller_values(form: Mapping[str, str]) -> SellerValues:
    return SellerValues(
        name=form.get("name", ""),
        team=form.get("team", "").strip() or None,
        active=form.get("active") == "true",
        user_name=form.get("user_name", "").strip() or None,
    )


def _day(value: str) -> date | None:
    """Return the day of a form, None for an empty field. Raises InvalidInput for what is no day."""
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise InvalidInput("a day is written as 2026-11-28") from error
