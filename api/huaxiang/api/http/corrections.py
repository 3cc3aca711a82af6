"""Corrections of what was heard, over ``/v1``: read the log, add to it, read the corrected form."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.access.scopes import Scope
from huaxiang.api.http import correction_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Listener, ServicesDep, answered, once, visible_recording
from huaxiang.api.serialise import (
    JsonObject,
    finding_json,
    scorecard_json,
    skipped_json,
    time_json,
    turn_json,
)
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json, Role
from huaxiang.quality.review.corrected_scorecards import with_corrected
from huaxiang.quality.review.corrections import (
    Change,
    Correction,
    Standing,
    Target,
    standing,
    state_of,
)
from huaxiang.quality.review.outcomes import Actor

router = APIRouter(prefix="/v1/recordings", tags=["corrections"])
RecordingId = Annotated[str, Path(max_length=36, examples=["01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"])]


@router.get(
    "/{recording_id}/corrections",
    summary="List the corrections of a recording",
    responses={200: {"model": schemas.CorrectionPage}},
)
def get_corrections(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    recording_id: RecordingId,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    """Return the log, newest first, with what is in force, undone, declined or waits for a decision."""
    before = _sequence(cursor)
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
        log = services.corrections.log.load(session, recording_id)
    now = standing(log)
    rest = [one for one in reversed(log) if before is None or one.sequence < before]
    shown = rest[:limit]
    items: list[Json] = [_correction_json(one, now) for one in shown]
    more = str(shown[-1].sequence) if len(rest) > limit else None
    return respond(request, Answer({"items": items, "next_cursor": more}))


@router.post(
    "/{recording_id}/corrections",
    summary="Correct what was heard",
    status_code=201,
    responses={201: {"model": schemas.Correction}},
)
def post_correction(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    recording_id: RecordingId,
    body: schemas.CorrectionIn,
) -> Response:
    """Add a correction, and score the recording anew by what it says then.

    Of a seller it is a proposal, which counts when a manager accepts it. Nothing is taken away: ``undo``
    is a further row.
    """
    actor, proposed = Actor(caller.key, caller.name), not caller.may(Scope.MANAGER)
    change = _change(body)
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
    before = answered(request, caller)
    if before is not None:
        return before
    foreseen = services.corrections.foresee(recording_id, [change], actor, proposed=proposed)

    def work(session: Session) -> Answer:
        (added,) = services.corrections.add(
            session, recording_id, foreseen, actor, proposed=proposed, reason=body.reason, seen=body.seen
        )
        now = standing(services.corrections.log.load(session, recording_id))
        location = f"/v1/recordings/{recording_id}/corrected"
        return Answer(_correction_json(added, now), 201, {"Location": location})

    return once(request, caller, work)


@router.get(
    "/{recording_id}/corrected",
    summary="Read a recording as corrected",
    responses={200: {"model": schemas.CorrectedCall}},
)
def get_corrected(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return turns, findings, metrics and scores as people say they are, else as they were recognised."""
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
        call = services.corrections.form(session, recording_id)
        scorecards = with_corrected(session, recording_id, call.scorecards)
    document: Json = {
        "recording_id": recording_id,
        "seen": call.seen,
        "turns": [turn_json(turn, timed=call.transcript.timed) for turn in call.transcript.turns],
        "findings": [finding_json(finding) for finding in call.insights.findings],
        "metrics": dict(call.insights.metrics),
        "scorecards": [scorecard_json(scorecard) for scorecard in scorecards],
        "skipped": skipped_json(call.insights.skipped),
    }
    return respond(request, Answer(document))


def _sequence(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit():
        raise InvalidInput("this cursor is not one that was given", fields="cursor")
    return int(cursor)


def _change(body: schemas.CorrectionIn) -> Change:
    meant = body.finding
    return Change(
        kind=body.kind,
        turn=body.turn,
        text=body.text,
        role=Role(body.role) if body.role else None,
        finding=Target(meant.id, meant.kind, meant.label, meant.turn) if meant else None,
        finding_kind=body.finding_kind,
        label=body.label,
        char_start=body.char_start,
        char_end=body.char_end,
        value=body.value,
        target=body.target,
        heard=body.heard,
    )


def _correction_json(one: Correction, now: Standing) -> JsonObject:
    change = one.change
    meant = change.finding
    finding: Json = None
    if meant is not None:
        finding = {"id": meant.id, "kind": meant.kind.value, "label": meant.label, "turn": meant.turn}
    return {
        "id": one.id,
        "sequence": one.sequence,
        "kind": change.kind.value,
        "state": state_of(one, now),
        "turn": change.turn,
        "text": change.text,
        "role": change.role.value if change.role else None,
        "finding": finding,
        "finding_kind": change.finding_kind.value if change.finding_kind else None,
        "label": change.label,
        "char_start": change.char_start,
        "char_end": change.char_end,
        "value": change.value,
        "target": change.target,
        "proposed": one.proposed,
        "reason": one.reason,
        "by": one.actor.name,
        "at": time_json(one.at),
    }
