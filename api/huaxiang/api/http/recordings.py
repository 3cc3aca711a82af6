"""Recordings and what was made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import schemas, scorecard_schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Listener, ServicesDep, visible_recording
from huaxiang.api.serialise import (
    JsonObject,
    finding_json,
    quality_json,
    recording_json,
    scorecard_json,
    skipped_json,
    turn_json,
)
from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import Json, Recording, RecordingStatus
from huaxiang.ingest.recordings import RecordingFilters

router = APIRouter(prefix="/v1/recordings", tags=["recordings"])
RecordingId = Annotated[str, Path(max_length=36, examples=["01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"])]
Moment = Annotated[datetime | None, Query(examples=["2026-11-20T00:00:00+08:00"])]


@router.get("", summary="List recordings", responses={200: {"model": schemas.RecordingPage}})
def get_recordings(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    status: RecordingStatus | None = None,
    seller: Annotated[str | None, Query(max_length=200)] = None,
    customer: Annotated[
        str | None, Query(max_length=200, description="The customer as the device told it.")
    ] = None,
    started_from: Moment = None,
    started_before: Moment = None,
) -> Response:
    """Return recordings, those received last first; follow ``next_cursor`` for more.

    A page of a list never repeats or leaves out a recording that was there when the list began.
    """
    for moment in (started_from, started_before):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput("times need an offset, like 2026-11-20T00:00:00+08:00")
    only = caller.only_seller
    if only is not None and seller not in (None, only):
        raise NotFound("there are no recordings of this seller for you")
    filters = RecordingFilters(
        status=status,
        seller=only or seller,
        customer_ref=customer,
        started_from=started_from,
        started_before=started_before,
    )
    with transaction(services.sessions) as session:
        page = services.recordings.list(session, cursor, filters, limit)
    items: list[Json] = [recording_json(recording) for recording in page.items]
    return respond(request, Answer({"items": items, "next_cursor": page.next_cursor}))


@router.get(
    "/{recording_id}", summary="Read a recording's state", responses={200: {"model": schemas.Recording}}
)
def get_recording(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return what was told about a recording, its format, how far it has come, and why it failed."""
    with transaction(services.sessions) as session:
        recording = visible_recording(session, services, caller, recording_id)
        document = with_error(session, services, recording)
    return respond(request, Answer(document))


@router.get(
    "/{recording_id}/transcript", summary="Read the turns", responses={200: {"model": schemas.Transcript}}
)
def get_transcript(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return all turns with words and times; 404 until the recording was transcribed."""
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
        transcript = services.transcripts.load(session, recording_id)
    document: Json = {
        "recording_id": recording_id,
        "duration_ms": transcript.duration_ms,
        "channels": transcript.channels,
        "recogniser": transcript.recogniser,
        "turns": [turn_json(turn, timed=transcript.timed) for turn in transcript.turns],
        "quality": quality_json(transcript),
        "skipped": skipped_json(transcript.skipped),
    }
    return respond(request, Answer(document))


@router.get(
    "/{recording_id}/insights",
    summary="Read findings and metrics",
    responses={200: {"model": schemas.Insights}},
)
def get_insights(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return findings, each with its evidence, and the metrics; 404 until they were made."""
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
        insights = services.insights.load(session, recording_id)
    document: Json = {
        "recording_id": recording_id,
        "model": insights.model,
        "findings": [finding_json(finding) for finding in insights.findings],
        "metrics": dict(insights.metrics),
        "skipped": skipped_json(insights.skipped),
    }
    return respond(request, Answer(document))


@router.get(
    "/{recording_id}/scorecard",
    summary="Read the score",
    responses={200: {"model": scorecard_schemas.Scorecard}},
)
def get_scorecard(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return the main automatic score, each item with its evidence or the window searched."""
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
        scorecard = services.scorecards.latest(session, recording_id)
    return respond(request, Answer(scorecard_json(scorecard)))


@router.get(
    "/{recording_id}/scorecards",
    summary="Read all scores",
    responses={200: {"model": scorecard_schemas.Scorecards}},
)
def get_scorecards(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return the automatic scores by all scorecards that apply to a recording, the main one first."""
    with transaction(services.sessions) as session:
        visible_recording(session, services, caller, recording_id)
        scorecards = services.scorecards.current(session, recording_id)
    items: list[Json] = [scorecard_json(scorecard) for scorecard in scorecards]
    return respond(request, Answer({"recording_id": recording_id, "items": items}))


def with_error(session: Session, services: Services, recording: Recording) -> JsonObject:
    """Return a recording with the reason why it failed, where it did."""
    failure = services.recordings.failure(session, recording.id)
    error: Json = {"code": failure.code, "message": failure.message} if failure else None
    return {**recording_json(recording), "error": error}
