"""The calibrations (校准): reviewers score the same calls, blind to each other, and see how they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http.calibrations import open_session
from huaxiang.api.http.dependencies import Manager
from huaxiang.api.reviews.access import actor_of
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present_calibration import call_rows, result_view, session_row
from huaxiang.console.present_review import Said, call_title, plain_case, review_items
from huaxiang.console.recording_view import local_time
from huaxiang.console.review_pages import MAX_FIELDS, said_in
from huaxiang.console.review_reading import (
    Scored,
    definition_titles,
    recordings_of,
    reviewer_names,
    scored_call,
    scored_recordings,
)
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from huaxiang.core.types import Scorecard
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.review.calibration import Calibration, result
from huaxiang.quality.review.outcomes import Judgement, Outcome

PAGE = 50
CHOICE = 40
"""How many of the newest scored calls are offered for a new calibration."""


def calibration_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/review/calibration``."""
    router = APIRouter(include_in_schema=False)
    store = services.reviews.calibrations

    @router.get("/review/calibration")
    def listing(request: Request, caller: Manager, cursor: str | None = None) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            found = store.list(session, cursor=cursor, limit=PAGE + 1)
        rows = [session_row(one, actor_of(caller).name, text, services.reviews.zone) for one in found[:PAGE]]
        more = f"/review/calibration?cursor={rows[-1].id}" if len(found) > PAGE else ""
        first = "/review/calibration" if cursor else ""
        return views.render(
            request, "calibrations.html", section="review", rows=rows, next_url=more, first_url=first
        )

    @router.get("/review/calibration/new")
    def new(request: Request, caller: Manager) -> Response:
        return _new_page(services, views, request, caller)

    @router.post("/review/calibration")
    async def begin(request: Request, caller: Manager) -> Response:
        form = await read_form(request, MAX_FIELDS)
        check_session_form(request, form, caller)
        return await run_in_threadpool(_begin, services, views, request, caller, form)

    @router.get("/review/calibration/{calibration_id}")
    def one(request: Request, caller: Manager, calibration_id: str) -> Response:
        return _session_page(services, views, request, caller, calibration_id)

    @router.post("/review/calibration/{calibration_id}/close")
    async def close(request: Request, caller: Manager, calibration_id: str) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)

        def work() -> None:
            with transaction(services.sessions) as session:
                store.close(session, calibration_id, actor_of(caller))

        await run_in_threadpool(work)
        return done(f"/review/calibration/{calibration_id}", "calibration.done.closed")

    @router.get("/review/calibration/{calibration_id}/{recording_id}")
    def call(request: Request, caller: Manager, calibration_id: str, recording_id: str) -> Response:
        return _call_page(services, views, request, caller, calibration_id, recording_id)

    @router.post("/review/calibration/{calibration_id}/{recording_id}")
    async def score(request: Request, caller: Manager, calibration_id: str, recording_id: str) -> Response:
        form = await read_form(request, MAX_FIELDS)
        check_session_form(request, form, caller)
        return await run_in_threadpool(
            _score, services, views, request, caller, calibration_id, recording_id, form
        )

    return router


def _new_page(
    services: Services,
    views: Views,
    request: Request,
    caller: Caller,
    form: Mapping[str, str] | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    text, zone = language_of(request), services.reviews.zone
    with reading(services.sessions) as session:
        offered = scored_recordings(session, CHOICE)
        titles = definition_titles(session, services, [definition for _, definition in offered], text)
        people, sellers = reviewer_names(session), SellerStore().names(session)
    calls = [
        {
            "id": recording.id,
            "title": call_title(recording),
            "when": local_time(recording.metadata.started_at or recording.received_at, zone),
            "seller": sellers.get(recording.metadata.seller or "", recording.metadata.seller or ""),
            "definition": titles[definition],
        }
        for recording, definition in offered
    ]
    return views.render(
        request,
        "calibration_new.html",
        section="review",
        status=status,
        calls=calls,
        people=people,
        written=form or {f"reviewer.{actor_of(caller).name}": "true"},
        wrong=wrong,
    )


def _begin(
    services: Services, views: Views, request: Request, caller: Caller, form: Mapping[str, str]
) -> Response:
    reviewers = [name.removeprefix("reviewer.") for name in form if name.startswith("reviewer.")]
    calls = [name.removeprefix("call.") for name in form if name.startswith("call.")]
    try:
        with transaction(services.sessions) as session:
            opened = open_session(session, services, caller, form.get("title", ""), reviewers, calls)
    except (InvalidInput, Conflict, Forbidden) as error:
        words = language_of(request).words
        field = error.context.get("fields", "")
        wrong = words.get(f"wrong.calibration_{field or error.code}", error.message)
        return _new_page(services, views, request, caller, form, wrong, error.status)
    return done(f"/review/calibration/{opened.id}", "calibration.done.opened")


def _session_page(
    services: Services, views: Views, request: Request, caller: Caller, calibration_id: str
) -> Response:
    text, zone, me = language_of(request), services.reviews.zone, actor_of(caller).name
    with reading(services.sessions) as session:
        found = services.reviews.calibrations.get(session, calibration_id)
        recordings = recordings_of(session, [call.recording_id for call in found.calls])
        definition = services.reviews.definition_for(session, found.definition)
    calls = call_rows(found, recordings, me, zone)
    agreed = None
    if found.open_to_all:
        agreed = result_view(found, result(found, definition), definition, calls, text)
    return views.render(
        request,
        "calibration.html",
        section="review",
        row=session_row(found, me, text, zone),
        definition=definition.title_en if text.language == "en" else definition.title_zh,
        progress=[(name, len(found.scored_by(name))) for name in found.reviewers],
        is_reviewer=me in found.reviewers,
        complete=found.complete,
        calls=calls,
        result=agreed,
    )


def _open_call(
    session: Session, services: Services, caller: Caller, calibration_id: str, recording_id: str
) -> Calibration:
    """Return a calibration in which the caller may score a call. Raises Forbidden and NotFound."""
    found = services.reviews.calibrations.get(session, calibration_id)
    if actor_of(caller).name not in found.reviewers:
        raise Forbidden("you are not among the reviewers of this calibration")
    if recording_id not in {call.recording_id for call in found.calls}:
        raise NotFound("this calibration has no such call")
    return found


def _call_page(
    services: Services,
    views: Views,
    request: Request,
    caller: Caller,
    calibration_id: str,
    recording_id: str,
    said: Mapping[str, Said] | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    text = language_of(request)
    with reading(services.sessions) as session:
        found = _open_call(session, services, caller, calibration_id, recording_id)
        recording = services.recordings.get(session, recording_id)
        call = scored_call(session, services, recording, found.definition, text)
    if found.open_to_all:
        return RedirectResponse(f"/review/calibration/{calibration_id}", 303)
    if call.scorecard is None:
        raise NotFound("this call has no score by this scorecard any more")
    mine = found.scored_by(actor_of(caller).name).get(recording_id)
    if said is None and mine is not None:
        said = {
            item: Said(outcome.value, mine.reasons.get(item, "")) for item, outcome in mine.outcomes.items()
        }
    return views.render(
        request,
        "calibration_call.html",
        section="review",
        status=status,
        session_id=calibration_id,
        session_title=found.title,
        title=call_title(recording),
        recording_id=recording_id,
        wrong=wrong,
        scored=mine is not None,
        **_call_context(services, call, call.scorecard, said, text),
    )


def _call_context(
    services: Services, call: Scored, scorecard: Scorecard, said: Mapping[str, Said] | None, text: Texts
) -> dict[str, Any]:
    scored = {item.id: item for item in scorecard.items}
    case = plain_case(scorecard, call.recording.metadata.seller, now())
    return {
        "items": review_items(case, scored, {}, said, text, services.reviews.zone),
        "turns": call.transcript.turns if call.transcript else (),
        "timed": call.transcript.timed if call.transcript else False,
        "definition": call.definition,
    }


def _score(
    services: Services,
    views: Views,
    request: Request,
    caller: Caller,
    calibration_id: str,
    recording_id: str,
    form: Mapping[str, str],
) -> Response:
    said = said_in(form)
    judgements = [
        Judgement(item, Outcome(one.outcome), one.reason) for item, one in said.items() if one.outcome
    ]
    try:
        with transaction(services.sessions) as session:
            found = services.reviews.calibrations.score(
                session, calibration_id, recording_id, actor_of(caller).name, judgements
            )
    except (InvalidInput, Conflict) as error:
        words = language_of(request).words
        wrong = words.get(f"wrong.calibration_{error.code}", error.message)
        return _call_page(
            services, views, request, caller, calibration_id, recording_id, said, wrong, error.status
        )
    scored = found.scored_by(actor_of(caller).name)
    left = [call.recording_id for call in found.calls if call.recording_id not in scored]
    base = f"/review/calibration/{calibration_id}"
    return done(f"{base}/{left[0]}" if left else base, "calibration.done.scored")
