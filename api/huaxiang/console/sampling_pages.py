"""The sampling plans (抽检计划): what they draw, tried before it is done, and what was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from huaxiang.api.access.callers import Caller
from huaxiang.api.http.dependencies import Manager
from huaxiang.api.reviews.access import actor_of
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present_sampling import (
    PRESETS,
    DrawnView,
    drawn_view,
    mistake_lines,
    past_row,
    plan_row,
    preset_text,
    unsaved,
)
from huaxiang.console.review_reading import recordings_of, reviewer_names
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.quality.review.plan import Period, parse_plan
from huaxiang.quality.review.plan_store import StoredPlan

PAST = 20


@dataclass(frozen=True, slots=True)
class _Editor:
    """What the page of a plan shows: the text as written, and what came of trying it."""

    stored: StoredPlan | None
    text: str
    on: str = ""
    tried: DrawnView | None = None
    wrong: str = ""
    status: int = 200


def sampling_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/review/plans``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/review/plans")
    def listing(request: Request, caller: Manager) -> Response:
        text, zone, plans = language_of(request), services.reviews.zone, services.reviews.plans
        with reading(services.sessions) as session:
            rows = []
            for stored in plans.list(session):
                last = next(iter(plans.past(session, stored.plan.name, limit=1)), None)
                rows.append(plan_row(stored, last, text, zone))
        return views.render(request, "plans.html", section="review", rows=rows)

    @router.get("/review/plans/new")
    def new(request: Request, caller: Manager, preset: str = "random") -> Response:
        chosen = preset if preset in PRESETS else "random"
        with reading(services.sessions) as session:
            written = preset_text(chosen, reviewer_names(session))
        return _page(services, views, request, _Editor(None, written), preset=chosen)

    @router.post("/review/plans/try")
    async def tried(request: Request, caller: Manager) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        editor = await run_in_threadpool(_try, services, request, caller, form)
        return await run_in_threadpool(_page, services, views, request, editor)

    @router.post("/review/plans")
    async def save(request: Request, caller: Manager) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        return await run_in_threadpool(_save, services, views, request, caller, form)

    @router.get("/review/plans/{name}")
    def one(request: Request, caller: Manager, name: str) -> Response:
        with reading(services.sessions) as session:
            stored = services.reviews.plans.get(session, name)
        return _page(services, views, request, _Editor(stored, stored.text))

    @router.post("/review/plans/{name}/rest")
    async def rest(request: Request, caller: Manager, name: str) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        active = form.get("active") == "true"
        await run_in_threadpool(_rest, services, caller, name, active)
        return done(f"/review/plans/{name}", "sampling.done.active" if active else "sampling.done.rest")

    @router.post("/review/plans/{name}/draw")
    async def draw(request: Request, caller: Manager, name: str) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        return await run_in_threadpool(_draw, services, views, request, caller, name, form)

    return router


def _page(services: Services, views: Views, request: Request, editor: _Editor, preset: str = "") -> Response:
    text, zone = language_of(request), services.reviews.zone
    _, mistakes = parse_plan(editor.text)
    shown: dict[str, Any] = {"past": [], "row": None}
    with reading(services.sessions) as session:
        people = reviewer_names(session)
        if editor.stored is not None:
            past = services.reviews.plans.past(session, editor.stored.plan.name, limit=PAST)
            shown["past"] = [past_row(one, zone) for one in past]
            shown["row"] = plan_row(editor.stored, next(iter(past), None), text, zone)
    return views.render(
        request,
        "plan.html",
        section="review",
        status=editor.status,
        text=editor.text,
        on=editor.on,
        tried=editor.tried,
        wrong=editor.wrong,
        mistakes=mistake_lines(mistakes, text.language),
        people=people,
        presets=list(PRESETS),
        preset=preset,
        **shown,
    )


def _known(services: Services, name: str) -> StoredPlan | None:
    with reading(services.sessions) as session:
        try:
            return services.reviews.plans.get(session, name)
        except NotFound:
            return None


def _try(services: Services, request: Request, caller: Caller, form: Mapping[str, str]) -> _Editor:
    """Return what the written plan would draw; nothing is saved."""
    written, on = form.get("text", ""), form.get("on", "")
    plan, mistakes = parse_plan(written)
    known = _known(services, plan.name) if plan.name else None
    if mistakes:
        return _Editor(known, written, on, status=400)
    candidate = unsaved(plan, written, known, actor_of(caller).name, now())
    try:
        period = _period(services, candidate, on)
    except InvalidInput:
        return _Editor(known, written, on, wrong=language_of(request)("sampling.no_day"), status=400)
    with reading(services.sessions) as session:
        drawing = services.reviews.sampler.propose(session, candidate, period).drawing
        recordings = recordings_of(session, [pick.recording_id for pick in drawing.sample.picks])
    view = drawn_view(drawing, recordings, language_of(request), services.reviews.zone)
    return _Editor(known, written, on, view)


def _save(
    services: Services, views: Views, request: Request, caller: Caller, form: Mapping[str, str]
) -> Response:
    written = form.get("text", "")
    plan, mistakes = parse_plan(written)
    if mistakes:
        known = _known(services, plan.name) if plan.name else None
        return _page(services, views, request, _Editor(known, written, form.get("on", ""), status=400))
    with transaction(services.sessions) as session:
        services.reviews.plans.save(session, written, actor_of(caller), active=form.get("active") == "true")
    return done(f"/review/plans/{plan.name}", "sampling.done.saved")


def _rest(services: Services, caller: Caller, name: str, active: bool) -> None:
    """Put a plan to rest, or wake it: a version of its own, as nothing is overwritten."""
    with transaction(services.sessions) as session:
        stored = services.reviews.plans.get(session, name)
        services.reviews.plans.save(session, stored.text, actor_of(caller), active=active)


def _draw(
    services: Services, views: Views, request: Request, caller: Caller, name: str, form: Mapping[str, str]
) -> Response:
    on, moment = form.get("on", ""), now()
    with reading(services.sessions) as session:
        stored = services.reviews.plans.get(session, name)
    try:
        period = _period(services, stored, on)
    except InvalidInput:
        wrong = language_of(request)("sampling.no_day")
        return _page(services, views, request, _Editor(stored, stored.text, on, wrong=wrong, status=400))
    try:
        with transaction(services.sessions) as session:
            services.reviews.sampler.draw(session, stored, period, actor_of(caller), moment)
    except Conflict:
        key = "sampling.drawn_already" if period.end <= moment else "sampling.not_over"
        wrong = language_of(request)(key)
        return _page(services, views, request, _Editor(stored, stored.text, on, wrong=wrong, status=409))
    return done(f"/review/plans/{name}", "sampling.done.drawn")


def _period(services: Services, stored: StoredPlan, on: str) -> Period:
    """Return the period that a day lies in; the last whole one for none, or for what is no day."""
    sampler, zone = services.reviews.sampler, services.reviews.zone
    try:
        day = date.fromisoformat(on)
    except ValueError:
        return sampler.last_period(stored, now())
    return sampler.period(stored, datetime.combine(day, time(12), zone))
