"""Appeals (申诉): a seller's own scores and the way to object, and for managers what waits to be settled."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http.dependencies import Listener, visible_recording
from huaxiang.api.services import Services
from huaxiang.console.present import number
from huaxiang.console.present_review import (
    OwnScore,
    call_title,
    own_score,
    plain_case,
    review_items,
)
from huaxiang.console.recording_view import local_time
from huaxiang.console.review_pages import PAGE, queue_page
from huaxiang.console.review_reading import definition_titles, is_manager, scored_call
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import now, reading
from huaxiang.core.errors import NotFound
from huaxiang.ingest.recordings import RecordingFilters
from huaxiang.quality.review.outcomes import CaseState

SETTLING = (CaseState.APPEALED, CaseState.FINAL)


def appeal_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/appeals``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/appeals")
    def listing(request: Request, caller: Listener, cursor: str | None = None) -> Response:
        if is_manager(caller):
            return queue_page(services, views, request, caller, "/appeals", SETTLING)
        text = language_of(request)
        with reading(services.sessions) as session:
            rows, following = _own_scores(session, services, caller, cursor, text)
        return views.render(
            request,
            "appeals.html",
            section="appeals",
            rows=rows,
            next_url=f"/appeals?{urlencode({'cursor': following})}" if following else "",
            first_url="/appeals" if cursor else "",
        )

    @router.get("/appeals/{recording_id}")
    def ask(request: Request, caller: Listener, recording_id: str, definition: str | None = None) -> Response:
        text, zone = language_of(request), services.reviews.zone
        with reading(services.sessions) as session:
            recording = visible_recording(session, services, caller, recording_id)
            if definition is None:
                definition = services.scorecards.latest(session, recording_id).definition
            known = services.reviews.cases.of_recording(session, recording_id, definition)
            call = scored_call(session, services, recording, definition, text)
        if known is not None:
            return RedirectResponse(f"/review/{known.id}", 303)
        if call.scorecard is None:
            raise NotFound("this call has no score by this scorecard")
        case = plain_case(call.scorecard, recording.metadata.seller, now())
        scored = {item.id: item for item in call.scorecard.items}
        return views.render(
            request,
            "appeal_ask.html",
            section="review" if is_manager(caller) else "appeals",
            title=call_title(recording),
            facts=[local_time(recording.metadata.started_at or recording.received_at, zone), call.definition],
            recording_id=recording_id,
            definition=definition,
            manages=is_manager(caller),
            items=review_items(case, scored, {}, None, text, zone),
            score=f"{number(call.scorecard.score)} / {number(call.scorecard.possible)}",
            turns=call.transcript.turns if call.transcript else (),
            timed=call.transcript.timed if call.transcript else False,
        )

    return router


def _own_scores(
    session: Session, services: Services, caller: Caller, cursor: str | None, text: Texts
) -> tuple[list[OwnScore], str | None]:
    """Return a seller's calls with the scores that hold, newest first, and the way on."""
    filters = RecordingFilters(seller=caller.only_seller)
    page = services.recordings.list(session, cursor, filters, PAGE)
    ids = [recording.id for recording in page.items]
    scores = services.reviews.cases.final(session, ids)
    cases = services.reviews.cases.newest(session, ids)
    titles = definition_titles(session, services, [score.definition for score in scores.values()], text)
    moment = now()
    rows = [
        own_score(
            recording,
            score,
            cases.get(recording.id),
            titles[score.definition],
            text,
            services.reviews.zone,
            moment,
        )
        for recording in page.items
        if (score := scores.get(recording.id)) is not None
    ]
    return rows, page.next_cursor
