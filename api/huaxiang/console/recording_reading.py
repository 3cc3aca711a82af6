"""Reads what the page of one recording shows, and renders it: whole, or the parts that changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from sqlalchemy import func, select

from huaxiang.api.access.callers import Caller, CallerKind
from huaxiang.api.access.scopes import Scope
from huaxiang.api.held_scores import grade_names, held_scores
from huaxiang.api.http.dependencies import visible_recording
from huaxiang.api.progress import progress_of
from huaxiang.api.services import Services
from huaxiang.asr.tables import TurnRow
from huaxiang.console.present_corrections import findings_of, turn_form
from huaxiang.console.present_progress import ProgressView
from huaxiang.console.recording_view import RecordingPage, Stored, progress_view, recording_page
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import reading
from huaxiang.core.errors import NotFound
from huaxiang.core.types import RecordingStatus
from huaxiang.profile.tables import ConversationRow
from huaxiang.quality.review.corrected_scorecards import with_corrected

_T = TypeVar("_T")


def read_page(services: Services, request: Request, caller: Caller, recording_id: str) -> RecordingPage:
    """Return all that the page of a recording shows to a caller. Raises NotFound."""
    zone = ZoneInfo(services.settings.default_zone)
    stored = _stored(services, caller, recording_id)
    return recording_page(stored, language_of(request), zone, request.state.csp_nonce)


def read_progress(
    services: Services, request: Request, caller: Caller, recording_id: str
) -> ProgressView | None:
    """Return how far a recording is, in few queries; None for one that is done or has failed."""
    with reading(services.sessions) as session:
        recording = visible_recording(session, services, caller, recording_id)
        progress = progress_of(session, [recording_id]).get(recording_id)
        turns = session.scalar(select(func.count()).where(TurnRow.recording_id == recording_id)) or 0
    return progress_view(recording, progress, turns, language_of(request))


def with_form(services: Services, request: Request, page: RecordingPage, turn: int) -> RecordingPage:
    """Return a page with the form of one turn open. Raises NotFound for a turn that is not there."""
    if not page.corrects:
        return page
    with reading(services.sessions) as session:
        call = services.corrections.form(session, page.id)
    found = next((one for one in call.transcript.turns if one.index == turn), None)
    if found is None:
        raise NotFound("this recording has no such turn")
    heard = next((one for one in call.automatic.turns if one.index == turn), None)
    findings = findings_of(call.insights, turn)
    return replace(page, form=turn_form(found, heard, findings, call.seen, language_of(request)))


def show_recording(
    views: Views, request: Request, caller: Caller, page: RecordingPage, status: int = 200
) -> Response:
    """Return the page of a recording."""
    return views.render(
        request,
        "recording.html",
        status=status,
        section="recordings",
        page=page,
        reprocesses=caller.may(Scope.MANAGER),
    )


def _stored(services: Services, caller: Caller, recording_id: str) -> Stored:
    with reading(services.sessions) as session:
        recording = visible_recording(session, services, caller, recording_id)
        past = session.get(ConversationRow, recording_id)
        failure = services.recordings.failure(session, recording_id)
        call = _or_none(lambda: services.corrections.form(session, recording_id))
        transcript = call.transcript if call else None
        scorecards = services.scorecards.current(session, recording_id)
        finals = held_scores(services.rules, session, recording_id, scorecards)
        return Stored(
            recording=recording,
            transcript=transcript or _or_none(lambda: services.transcripts.load(session, recording_id)),
            insights=call.insights if call else None,
            scorecards=with_corrected(session, recording_id, scorecards),
            playable=services.recordings.decoded_key(session, recording_id) is not None,
            customer_id=past.customer_id if past else None,
            error_code=failure.code if failure else None,
            error_message=failure.message if failure else None,
            finals=finals,
            grades=grade_names(services.rules, session, finals),
            automatic=call.automatic if call else None,
            log=call.log if call else (),
            reader=caller.key,
            decides=caller.may(Scope.MANAGER),
            progress=progress_of(session, [recording_id]).get(recording_id),
            corrects=caller.kind is CallerKind.USER and recording.status is RecordingStatus.DONE,
        )


def _or_none(load: Callable[[], _T]) -> _T | None:
    """Return what a stage stored; None where it has not come to this recording yet."""
    try:
        return load()
    except NotFound:
        return None
