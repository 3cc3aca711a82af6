"""The list of recordings and the page of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http.dependencies import Listener, Manager
from huaxiang.api.http.jobs import queue_again
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present import clock, number
from huaxiang.console.recording_reading import read_page, read_progress, show_recording, with_form
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import transaction
from huaxiang.core.types import Recording, RecordingStatus
from huaxiang.ingest.recordings import RecordingFilters
from huaxiang.profile.tables import ConversationRow

PAGE = 50


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

    _add_one(router, services, views)
    return router


def _add_one(router: APIRouter, services: Services, views: Views) -> None:
    """Add the routes of ``/recordings/{id}``."""

    @router.get("/recordings/{recording_id}")
    def one(
        request: Request,
        caller: Listener,
        recording_id: str,
        edit: Annotated[int | None, Query(ge=0)] = None,
    ) -> Response:
        """Show a recording; ``edit`` opens the form of that turn, where no script does."""
        page = read_page(services, request, caller, recording_id)
        if edit is not None:
            page = with_form(services, request, page, edit)
        return show_recording(views, request, caller, page)

    @router.post("/recordings/{recording_id}/reprocess")
    async def again(request: Request, caller: Manager, recording_id: str) -> Response:
        check_session_form(request, await read_form(request), caller)
        await run_in_threadpool(_requeue, services, recording_id)
        return RedirectResponse(f"/recordings/{recording_id}", 303)

    @router.get("/recordings/{recording_id}/state")
    def state(
        request: Request, caller: Listener, recording_id: str, seen: str = "", turns: int = 0, at: str = ""
    ) -> Response:
        """Tell the waiting page how far it is, or to reload where there is more to read.

        Where nothing changed since the page was ``seen`` there is nothing to say (204).
        """
        now = read_progress(services, request, caller, recording_id)
        if now is None or now.status != seen or (now.turns > 0 and turns == 0):
            return Response(headers={"HX-Refresh": "true"})
        if now.at == at:
            return Response(status_code=204)
        return views.render(request, "_recording_progress.html", state=now)


def _requeue(services: Services, recording_id: str) -> None:
    with transaction(services.sessions) as session:
        queue_again(session, services, recording_id)


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
