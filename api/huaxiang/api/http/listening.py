"""The decoded audio of a recording, by byte ranges, and its outline."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from huaxiang.api.access.callers import Caller
from huaxiang.api.http import schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Listener, ServicesDep, visible_recording
from huaxiang.api.http.peaks import stored_peaks
from huaxiang.api.http.ranges import blob_response
from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Recording

router = APIRouter(prefix="/v1/recordings", tags=["recordings"])
RecordingId = Annotated[str, Path(max_length=36)]
_WAV = {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}


@router.head("/{recording_id}/audio", include_in_schema=False)
@router.get(
    "/{recording_id}/audio",
    summary="Play a recording or a part of it",
    response_class=Response,
    responses={
        200: {"description": "All of it, as 16 kHz 16-bit WAV.", "content": _WAV},
        206: {"description": "The bytes that `Range` asks for.", "content": _WAV},
        304: {"description": "Unchanged, by `If-None-Match`."},
        416: {"description": "The range lies outside the audio."},
    },
)
def get_audio(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return the decoded audio with the recording's own channels; one byte range at a time."""
    recording, key = _decoded(services, caller, recording_id)
    size_bytes = services.blobs.size(key)
    etag = f'"{recording.sha256[:32]}-{size_bytes}"'
    return blob_response(
        request, services.blobs, key, size_bytes=size_bytes, etag=etag, media_type="audio/wav"
    )


@router.get(
    "/{recording_id}/peaks",
    summary="Read the outline of the audio for drawing",
    responses={200: {"model": schemas.Peaks}},
)
def get_peaks(
    request: Request, services: ServicesDep, caller: Listener, recording_id: RecordingId
) -> Response:
    """Return for each channel up to 1,200 peaks between 0 and 1, evenly over the duration."""
    _, key = _decoded(services, caller, recording_id)
    return respond(request, Answer(json.loads(stored_peaks(services.blobs, key))))


def _decoded(services: Services, caller: Caller, recording_id: str) -> tuple[Recording, str]:
    with transaction(services.sessions) as session:
        recording = visible_recording(session, services, caller, recording_id)
        key = services.recordings.decoded_key(session, recording_id)
    if key is None:
        raise NotFound("the recording has no decoded audio yet")
    return recording, key
