"""The list of recordings and the page of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.dependencies import Listener, Manager, visible_recording
from huaxiang.api.http.jobs import queue_again
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present import clock, number
from huaxiang.console.recording_view import Stored, local_time, recording_page
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Recording, RecordingStatus
from huaxiang.ingest.recordings import RecordingFilters
from huaxiang.profile.tables import ConversationRow

PAGE = 50
_T = TypeVar("_T")


def recording_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/recordings``."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/recordings")
    def listing(request: Request, caller: Listener) -> Response:
        text, query = language_of(request), request.query_params
        names = ("status", "seller", "customer", "from", "to")
        chosen = {name: query.get(name, "").strip() for name in names}
        filters = _filters(chosen, caller, zone)
        with transaction(services.sessions) as session:
            page = services.recordings.list(session, query.get("cursor"), filters, PAGE)
            past = _conversations(session, [recording.id for recording in page.items])
        kept = {name: value for name, value in chosen.items() if value}
        more = {**kept, "cursor": page.next_cursor}
        return views.render(
            request,
            "recordings.html",
            section="recordings",
            rows=[_row(recording, past.get(recording.id), text, zone) for recording in page.items],
            chosen=chosen,
            filtered=bool(kept),
            paged="cursor" in query,
            statuses=[status.value for status in RecordingStatus],
            only_seller=caller.only_seller is not None,
            first_url=f"/recordings?{urlencode(kept)}",
            next_url=f"/recordings?{urlencode(more)}" if page.next_cursor else None,
        )

    @router.get("/recordings/{recording_id}")
    def one(request: Request, caller: Listener, recording_id: str) -> Response:
        stored = _stored(services, caller, recording_id)
        page = recording_page(stored, language_of(request), zone, request.state.csp_nonce)
        reprocesses = caller.may(Scope.MANAGER)
        return views.render(
            request, "recording.html", section="recordings", page=page, reprocesses=reprocesses
        )

    @router.post("/recordings/{recording_id}/reprocess")
    async def again(request: Request, caller: Manager, recording_id: str) -> Response:
        check_session_form(request, await read_form(request), caller)
        await run_in_threadpool(_requeue, services, recording_id)
        return RedirectResponse(f"/recordings/{recording_id}", 303)

    @router.get("/recordings/{recording_id}/state")
    def state(request: Request, caller: Listener, recording_id: str, seen: str = "") -> Response:
        """Tell the waiting page whether to reload: nothing changed (204), or it has."""
        with transaction(services.sessions) as session:
            recording = visible_recording(session, services, caller, recording_id)
        if recording.status.value == seen:
            return Response(status_code=204)
        return Response(headers={"HX-Refresh": "true"})

    return router


def _requeue(services: Services, recording_id: str) -> None:
    with transaction(services.sessions) as session:
        queue_again(session, services, recording_id)


def _stored(services: Services, caller: Caller, recording_id: str) -> Stored:
    with transaction(services.sessions) as session:
        recording = visible_recording(session, services, caller, recording_id)
        past = _conversations(session, [recording_id]).get(recording_id)
        failure = services.recordings.failure(session, recording_id)
        return Stored(
            recording=recording,
            transcript=_or_none(lambda: services.transcripts.load(session, recording_id)),
            insights=_or_none(lambda: services.insights.load(session, recording_id)),
            scorecard=_or_none(lambda: services.scorecards.latest(session, recording_id)),
            playable=services.recordings.decoded_key(session, recording_id) is not None,
            customer_id=past.customer_id if past else None,
            error_code=failure.code if failure else None,
            error_message=failure.message if failure else None,
        )


def _or_none(load: Callable[[], _T]) -> _T | None:
    """Return what a stage stored; None where it has not come to this recording yet."""
    try:
        return load()
    except NotFound:
        return None


def _conversations(session: Session, recording_ids: Sequence[str]) -> Mapping[str, ConversationRow]:
    """Return what the profile stage noted of some recordings: customer and score, in one query."""
    rows = session.scalars(select(ConversationRow).where(ConversationRow.recording_id.in_(recording_ids)))
    return {row.recording_id: row for row in rows}


def _filters(chosen: Mapping[str, str], caller: Caller, zone: ZoneInfo) -> RecordingFilters:
    status = chosen["status"]
    return RecordingFilters(
        status=RecordingStatus(status) if status in set(RecordingStatus) else None,
        seller=caller.only_seller or chosen["seller"] or None,
        customer_ref=chosen["customer"] or None,
        started_from=_day(chosen["from"], zone),
        started_before=_day(chosen["to"], zone, timedelta(days=1)),
    )


def _day(value: str, zone: ZoneInfo, later: timedelta = timedelta()) -> datetime | None:
    """Return the start of a day in the page's zone; None for an empty or impossible one."""
    try:
        return datetime.combine(date.fromisoformat(value), time(), zone) + later
    except ValueError:
        return None


def _row(recording: Recording, past: ConversationRow | None, text: Texts, zone: ZoneInfo) -> dict[str, Any]:
    metadata, audio = recording.metadata, recording.audio
    score = ""
    if past is not None and past.score is not None and past.possible is not None:
        score = f"{number(past.score)}/{number(past.possible)}"
    return {
        "id": recording.id,
        "title": metadata.title or recording.filename,
        "setting": text(f"setting.{metadata.setting.value}") if metadata.setting else "",
        "when": local_time(metadata.started_at or recording.received_at, zone),
        "seller": metadata.seller or "",
        "customer": metadata.customer_ref or "",
        "customer_url": f"/customers/{past.customer_id}" if past else None,
        "duration": clock(audio.duration_ms) if audio else "",
        "score": score,
        "auto_failed": bool(past and past.summary.get("auto_failed")),
        "status": recording.status.value,
    }
