"""The queue of reviews (复核) and the page of one case, with its appeal (申诉) and settlement (终审)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http.dependencies import Listener, Manager
from huaxiang.api.http.reviews import open_review
from huaxiang.api.reviews.access import ability, acting_on, actor_of, visible_case
from huaxiang.api.search.choices import sellers_heard
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.listing import Listing
from huaxiang.console.present import clock
from huaxiang.console.present_case_history import history
from huaxiang.console.present_list import with_present
from huaxiang.console.present_review import (
    Said,
    appeal_left,
    call_title,
    needs_reason,
    outcome_before,
    review_items,
    score_view,
)
from huaxiang.console.recording_view import local_time
from huaxiang.console.review_reading import (
    OpenedCase,
    case_rows,
    is_manager,
    next_case,
    opened_case,
    reviewer_names,
)
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.errors import Conflict, Forbidden, InvalidInput
from huaxiang.quality.review.outcomes import CaseState, Judgement, Outcome
from huaxiang.quality.review.queue import QueueFilters, counts, queue
from huaxiang.quality.review.review_store import StoredCase

PAGE = 50
MAX_FIELDS = 2000


def review_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/review``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/review")
    def listing(request: Request, caller: Manager) -> Response:
        return queue_page(services, views, request, caller, "/review", tuple(CaseState))

    @router.post("/review")
    async def begin(request: Request, caller: Listener) -> Response:
        form = await _form(request, caller)
        case_id = await run_in_threadpool(_open, services, caller, form)
        return RedirectResponse(f"/review/{case_id}", 303)

    @router.get("/review/next")
    def following(request: Request, caller: Manager, after: str | None = None) -> Response:
        with reading(services.sessions) as session:
            case_id = next_case(session, caller, after)
        return RedirectResponse(f"/review/{case_id}" if case_id else "/review", 303)

    @router.get("/review/{case_id}")
    def one(request: Request, caller: Listener, case_id: str) -> Response:
        return case_page(services, views, request, caller, case_id)

    @router.post("/review/{case_id}/{act}")
    async def act(request: Request, caller: Listener, case_id: str, act: str) -> Response:
        form = await _form(request, caller)
        return await run_in_threadpool(_act, services, views, request, caller, case_id, act, form)

    return router


def queue_page(
    services: Services,
    views: Views,
    request: Request,
    caller: Caller,
    path: str,
    states: Sequence[CaseState],
) -> Response:
    """Return the list of cases in one of ``states``: what waits oldest first, what is done newest first."""
    text, query = language_of(request), request.query_params
    chosen = {name: query.get(name, "").strip() for name in ("state", "seller", "mine")}
    state = next((one for one in states if one.value == chosen["state"]), states[0])
    waits = state in (CaseState.TO_REVIEW, CaseState.APPEALED)
    filters = QueueFilters(
        states=frozenset({state}),
        assignee=actor_of(caller).name if chosen["mine"] else None,
        seller=chosen["seller"] or None,
    )
    with reading(services.sessions) as session:
        page = queue(session, filters, cursor=query.get("cursor"), limit=PAGE, newest_first=not waits)
        rows = case_rows(session, services, page.cases, text)
        found = counts(session)
        sellers = sellers_heard(session)
    listing = Listing(path, {name: value for name, value in chosen.items() if value})
    return views.render(
        request,
        "review.html",
        section="review",
        rows=rows,
        state=state.value,
        states=[
            (text(f"case.{one.value}"), found[one], listing.url(state=one.value), one is state)
            for one in states
        ],
        tab="queue" if path == "/review" else "appeals",
        chosen=chosen,
        sellers=with_present(sellers, chosen["seller"]),
        waiting=found[CaseState.TO_REVIEW],
        next_url=listing.url(cursor=page.next_cursor) if page.next_cursor else "",
        first_url=listing.url() if "cursor" in query else "",
        filtered=bool(chosen["seller"] or chosen["mine"]),
    )


def case_page(
    services: Services,
    views: Views,
    request: Request,
    caller: Caller,
    case_id: str,
    *,
    said: Mapping[str, Said] | None = None,
    form: Mapping[str, str] | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    """Return the page of a case; what was written into its form stands there again where it was wrong."""
    text, moment = language_of(request), now()
    with reading(services.sessions) as session:
        opened = opened_case(session, services, caller, case_id, text)
        actor = acting_on(session, caller, opened.stored)
        may = ability(opened.stored.case, actor, moment, manages=is_manager(caller))
        people = reviewer_names(session) if is_manager(caller) else []
    return views.render(
        request,
        "review_case.html",
        status=status,
        section="review" if is_manager(caller) else "appeals",
        mode=may.mode.value,
        hindrance=may.hindrance.value if may.hindrance else "",
        people=people,
        me=actor_of(caller).name,
        manages=is_manager(caller),
        written=form or {},
        wrong=wrong,
        **_case_context(services, opened, said, text),
        appeal_until=appeal_left(opened.stored.case, moment, services.reviews.zone),
    )


def _case_context(
    services: Services, opened: OpenedCase, said: Mapping[str, Said] | None, text: Texts
) -> dict[str, Any]:
    """Return what the template shows of a case."""
    stored, call, zone = opened.stored, opened.call, services.reviews.zone
    case, recording = stored.case, call.recording
    scored = {item.id: item for item in call.scorecard.items} if call.scorecard else {}
    finals = {item.id: item for item in opened.score.items}
    items = review_items(case, scored, finals, said, text, zone)
    titles = {item.id: item.title for item in items}
    facts = [local_time(recording.metadata.started_at or recording.received_at, zone)]
    if call.transcript is not None:
        facts.append(clock(call.transcript.duration_ms))
    return {
        "case": case,
        "case_id": stored.id,
        "recording_id": stored.recording_id,
        "title": call_title(recording),
        "facts": [*facts, opened.seller, call.definition],
        "items": items,
        "score": score_view(opened.score),
        "turns": call.transcript.turns if call.transcript else (),
        "timed": call.transcript.timed if call.transcript else False,
        "history": history(stored.acts, titles, text, zone),
        "appeal": None
        if case.appeal is None
        else {
            "by": case.appeal.by.name,
            "when": local_time(case.appeal.at, zone),
            "reason": case.appeal.reason,
            "items": [titles.get(one, one) for one in case.appeal.items],
        },
    }


async def _form(request: Request, caller: Caller) -> dict[str, str]:
    form = await read_form(request, MAX_FIELDS)
    check_session_form(request, form, caller)
    return form


def _open(services: Services, caller: Caller, form: Mapping[str, str]) -> str:
    with transaction(services.sessions) as session:
        stored = open_review(
            session,
            services,
            caller,
            form.get("recording", ""),
            form.get("definition") or None,
            form.get("reason", ""),
        )
    return stored.id


def _act(
    services: Services,
    views: Views,
    request: Request,
    caller: Caller,
    case_id: str,
    act: str,
    form: Mapping[str, str],
) -> Response:
    """Do what a form asks for; what cannot be done comes back as the page with all that was written."""
    said = said_in(form)
    try:
        with transaction(services.sessions) as session:
            visible_case(session, services.reviews, caller, case_id)
            _do(session, services, caller, case_id, act, form, said)
            following = next_case(session, caller, case_id) if act == "submit" else None
    except (InvalidInput, Conflict) as error:
        words = language_of(request).words
        wrong = words.get(f"wrong.{act}_{error.code}") or words.get(f"wrong.{error.code}", error.message)
        return case_page(
            services,
            views,
            request,
            caller,
            case_id,
            said=said,
            form=form,
            wrong=wrong,
            status=error.status,
        )
    if act == "submit":
        return done(f"/review/{following}" if following else "/review", f"case_done.{act}")
    return done(f"/review/{case_id}", f"case_done.{act}")


def _do(
    session: Session,
    services: Services,
    caller: Caller,
    case_id: str,
    act: str,
    form: Mapping[str, str],
    said: Mapping[str, Said],
) -> StoredCase:
    """Do one act on a case. Raises InvalidInput for an unknown one or a missing reason."""
    cases, seen, reason = services.reviews.cases, _seen(form), form.get("reason", "")
    stored = cases.get(session, case_id)
    actor = acting_on(session, caller, stored)
    if act == "appeal":
        items = [name.removeprefix("item.") for name in form if name.startswith("item.")]
        return cases.appeal(session, case_id, actor, reason, items, seen)
    if not is_manager(caller):
        raise Forbidden("reviewing is for managers")
    if act in ("submit", "keep", "settle"):
        _check_reasons(stored, said)
    judgements = _new_judgements(stored, said)
    acts: dict[str, Callable[[], StoredCase]] = {
        "submit": lambda: cases.submit(session, case_id, actor, judgements, seen, reason),
        "keep": lambda: cases.judge(session, case_id, actor, judgements, seen),
        "settle": lambda: cases.settle(session, case_id, actor, judgements, reason, seen),
        "reopen": lambda: cases.reopen(session, case_id, actor, reason, seen),
        "assign": lambda: cases.assign(session, case_id, actor, form.get("assignee") or None, seen),
    }
    if act not in acts:
        raise InvalidInput("this cannot be done to a case")
    return acts[act]()


def _check_reasons(stored: StoredCase, said: Mapping[str, Said]) -> None:
    for item in stored.case.items:
        if needs_reason(said.get(item.automatic.id, Said()), outcome_before(stored.case, item)):
            raise InvalidInput("a judgement that changes an outcome needs a reason", fields="reason")


def _new_judgements(stored: StoredCase, said: Mapping[str, Said]) -> list[Judgement]:
    """Return what is said that is not kept already, so that sending a form again adds no rows."""
    appealed = stored.case.state is CaseState.APPEALED
    kept = {
        item.automatic.id: Said(judged.outcome.value, judged.reason)
        for item in stored.case.items
        if (judged := item.settled if appealed else item.reviewed) is not None
    }
    return [
        Judgement(item, Outcome(one.outcome), one.reason)
        for item, one in said.items()
        if one.outcome and kept.get(item) != one
    ]


def said_in(form: Mapping[str, str]) -> dict[str, Said]:
    """Return what a form says of the items: fields ``outcome.<item>`` and ``reason.<item>``."""
    names = [name.partition(".")[2] for name in form if name.startswith(("outcome.", "reason."))]
    known = {outcome.value for outcome in Outcome}
    return {
        name: Said(
            form.get(f"outcome.{name}", "") if form.get(f"outcome.{name}", "") in known else "",
            form.get(f"reason.{name}", "").strip(),
        )
        for name in dict.fromkeys(names)
    }


def _seen(form: Mapping[str, str]) -> int:
    seen = form.get("seen", "")
    if not seen.isascii() or not seen.isdigit() or len(seen) > 9:
        raise InvalidInput("the form does not say which version it was opened at; open the page again")
    return int(seen)
