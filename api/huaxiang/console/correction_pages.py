"""Corrections on the page of a recording: a turn is corrected where it stands, undone in the list beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.dependencies import Listener, visible_recording
from huaxiang.api.services import Services
from huaxiang.console.correction_form import Sent, read_changes
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present_corrections import TurnForm, findings_of
from huaxiang.console.recording_reading import read_page, show_recording, with_form
from huaxiang.console.recording_view import RecordingPage
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of, toast
from huaxiang.core.database import reading, transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.quality.review.corrections import Change, CorrectionKind
from huaxiang.quality.review.outcomes import Actor

RecordingId = Annotated[str, Path(max_length=36)]
TurnIndex = Annotated[int, Path(ge=0, le=1_000_000)]
_ACTS = {"undo": CorrectionKind.UNDO, "accept": CorrectionKind.ACCEPT, "decline": CorrectionKind.DECLINE}


def correction_router(services: Services, views: Views) -> APIRouter:
    """Return the routes under ``/recordings/{id}`` that correct it."""
    router = APIRouter(include_in_schema=False)
    desk = _Desk(services, views)

    @router.get("/recordings/{recording_id}/turns/{turn}")
    def turn_alone(
        request: Request, caller: Listener, recording_id: RecordingId, turn: TurnIndex
    ) -> Response:
        """Give a turn as it is read, in place of its form."""
        return desk.turn(request, caller, recording_id, turn)

    @router.get("/recordings/{recording_id}/turns/{turn}/edit")
    def turn_form(request: Request, caller: Listener, recording_id: RecordingId, turn: TurnIndex) -> Response:
        """Give the form of a turn in its place."""
        return desk.form(request, caller, recording_id, turn)

    @router.post("/recordings/{recording_id}/turns/{turn}")
    async def correct(request: Request, caller: Listener, recording_id: RecordingId, turn: str) -> Response:
        """Correct a turn and what was found in it."""
        form = await read_form(request)
        check_session_form(request, form, caller)
        if not (turn.isascii() and turn.isdigit() and len(turn) < 7):
            raise NotFound("this recording has no such turn")
        return await run_in_threadpool(desk.correct, request, caller, recording_id, int(turn), form)

    @router.post("/recordings/{recording_id}/corrections/{correction_id}/{act}")
    async def answer(
        request: Request,
        caller: Listener,
        recording_id: RecordingId,
        correction_id: Annotated[str, Path(max_length=36)],
        act: str,
    ) -> Response:
        """Undo a correction, or decide on one that was proposed."""
        form = await read_form(request)
        check_session_form(request, form, caller)
        if act not in _ACTS:
            raise NotFound("this cannot be done to a correction")
        change = Change(_ACTS[act], target=correction_id)
        return await run_in_threadpool(desk.answer, request, caller, recording_id, change)

    return router


@dataclass(frozen=True, slots=True)
class _Desk:
    """Does what the routes say, in a thread of its own."""

    services: Services
    views: Views

    def turn(self, request: Request, caller: Caller, recording_id: str, turn: int) -> Response:
        if not _by_htmx(request):
            return RedirectResponse(_address(recording_id, turn), 303)
        page = read_page(self.services, request, caller, recording_id)
        return self._parts(request, page, [turn], turn, panels=False)

    def form(self, request: Request, caller: Caller, recording_id: str, turn: int) -> Response:
        if not _by_htmx(request):
            return RedirectResponse(f"/recordings/{recording_id}?edit={turn}#turn-{turn}", 303)
        page = read_page(self.services, request, caller, recording_id)
        page = with_form(self.services, request, page, turn)
        if page.form is None:
            raise NotFound("this recording cannot be corrected now")
        return self._parts(request, page, [turn], turn, panels=False)

    def correct(
        self, request: Request, caller: Caller, recording_id: str, turn: int, form: dict[str, str]
    ) -> Response:
        before = read_page(self.services, request, caller, recording_id)
        sent = self._read(caller, recording_id, turn, form)
        if sent.wrong:
            return self._wrong(request, caller, before, turn, form, sent)
        words = "correct.nothing"
        if sent.changes:
            proposed = not caller.may(Scope.MANAGER)
            self._write(caller, recording_id, sent.changes, form.get("reason", ""), _seen(form))
            words = "correct.proposed" if proposed else "correct.done"
        return self._changed(request, caller, before, words, turn)

    def answer(self, request: Request, caller: Caller, recording_id: str, change: Change) -> Response:
        before = read_page(self.services, request, caller, recording_id)
        self._write(caller, recording_id, [change], "", None)
        return self._changed(request, caller, before, f"correction.answered.{change.kind.value}")

    def _read(self, caller: Caller, recording_id: str, turn: int, form: Mapping[str, str]) -> Sent:
        with reading(self.services.sessions) as session:
            visible_recording(session, self.services, caller, recording_id)
            call = self.services.corrections.form(session, recording_id)
        found = next((one for one in call.transcript.turns if one.index == turn), None)
        if found is None:
            raise NotFound("this recording has no such turn")
        return read_changes(form, found, findings_of(call.insights, turn))

    def _write(
        self,
        caller: Caller,
        recording_id: str,
        changes: Sequence[Change],
        reason: str,
        seen: int | None,
    ) -> None:
        """Correct; of a seller it is a proposal, as it is on ``/v1``."""
        actor, proposed = Actor(caller.key, caller.name), not caller.may(Scope.MANAGER)
        corrections = self.services.corrections
        with reading(self.services.sessions) as session:
            visible_recording(session, self.services, caller, recording_id)
        foreseen = corrections.foresee(recording_id, changes, actor, proposed=proposed)
        with transaction(self.services.sessions) as session:
            corrections.add(
                session, recording_id, foreseen, actor, proposed=proposed, reason=reason, seen=seen
            )

    def _wrong(
        self,
        request: Request,
        caller: Caller,
        page: RecordingPage,
        turn: int,
        form: Mapping[str, str],
        sent: Sent,
    ) -> Response:
        """Give the form back with what was filled in, each mistake beside its field."""
        page = with_form(self.services, request, page, turn)
        if page.form is None:
            raise NotFound("this recording cannot be corrected now")
        page = replace(page, form=_filled(page.form, form, sent, language_of(request)))
        if not _by_htmx(request):
            return show_recording(self.views, request, caller, page, status=422)
        return self._parts(request, page, [turn], turn, panels=False)

    def _changed(
        self,
        request: Request,
        caller: Caller,
        before: RecordingPage,
        words: str,
        turn: int | None = None,
    ) -> Response:
        """Give what is different now: turns and panels, each in its place."""
        if not _by_htmx(request):
            return done(_address(before.id, turn), words)
        after = read_page(self.services, request, caller, before.id)
        earlier = set(before.turns)
        changed = [view.index for view in after.turns if view not in earlier or view.index == turn]
        response = self._parts(request, after, changed, turn)
        return toast(response, language_of(request)(words))

    def _parts(
        self,
        request: Request,
        page: RecordingPage,
        turns: Sequence[int],
        main: int | None,
        *,
        panels: bool = True,
    ) -> Response:
        shown = [view for view in page.turns if view.index in turns]
        if main is not None and all(view.index != main for view in shown):
            raise NotFound("this recording has no such turn")
        return self.views.render(
            request, "_recording_parts.html", page=page, turns=shown, main=main, panels=panels
        )


def _filled(blank: TurnForm, form: Mapping[str, str], sent: Sent, text: Texts) -> TurnForm:
    return replace(
        blank,
        text=form.get("text", blank.text),
        role=form.get("role", blank.role),
        findings=tuple(replace(one, value=form.get(one.name, "")) for one in blank.findings),
        missed_label=form.get("missed", ""),
        quote=form.get("quote", ""),
        reason=form.get("reason", ""),
        wrong={name: text(key) for name, key in sent.wrong.items()},
    )


def _seen(form: Mapping[str, str]) -> int | None:
    seen = form.get("seen", "")
    if not seen:
        return None
    if not seen.isascii() or not seen.isdigit():
        raise InvalidInput("the form is not one that this page gave", fields="seen")
    return int(seen)


def _by_htmx(request: Request) -> bool:
    return "hx-request" in request.headers


def _address(recording_id: str, turn: int | None) -> str:
    return f"/recordings/{recording_id}" + (f"#turn-{turn}" if turn is not None else "#corrections")
