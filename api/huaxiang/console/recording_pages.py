"""The page of one recording."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from huaxiang.api.http.dependencies import Listener, Manager
from huaxiang.api.http.jobs import queue_again
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.recording_reading import read_page, read_progress, show_recording, with_form
from huaxiang.console.views import Views
from huaxiang.core.database import transaction


def recording_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/recordings/{id}``."""
    router = APIRouter(include_in_schema=False)

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

    return router


def _requeue(services: Services, recording_id: str) -> None:
    with transaction(services.sessions) as session:
        queue_again(session, services, recording_id)
