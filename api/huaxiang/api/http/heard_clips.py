"""A clip of somebody else's conversation, for those who may hear just these words of it.

A seller hears own recordings only. What a colleague lets others learn from is an exception that is bound
to the words: a page that shows them gives the address with a proof, an HMAC over recording and span, and
the colleague's consent is asked again each time the clip is played, so withdrawing it acts at once.
"""

from __future__ import annotations

import io
import wave
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.secret_values import keyed_hash, same
from huaxiang.api.http.answers import not_modified
from huaxiang.api.http.dependencies import Listener, ServicesDep
from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import Recording

router = APIRouter(prefix="/v1/clips", tags=["coaching"])
MAX_CLIP_MS = 180_000
_HEAD_BYTES = 4096
_SAMPLE_BYTES = 2
_WAV = {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}
Position = Annotated[int, Query(ge=0)]


def clip_url(key: bytes, recording_id: str, start_ms: int, end_ms: int) -> str:
    """Return the address at which these words may be heard as long as their seller consents."""
    query = {"start_ms": start_ms, "end_ms": end_ms, "proof": _proof(key, recording_id, start_ms, end_ms)}
    return f"/v1/clips/{recording_id}?{urlencode(query)}"


@router.get(
    "/{recording_id}",
    summary="Play the words that a colleague lets others learn from",
    response_class=Response,
    responses={200: {"description": "The span, as 16 kHz 16-bit WAV.", "content": _WAV}},
)
def get_clip(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    recording_id: Annotated[str, Path(max_length=36)],
    start_ms: Position,
    end_ms: Position,
    proof: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Return one span of up to three minutes; 404 without the proof that a page gave, or without consent."""
    if not start_ms < end_ms <= start_ms + MAX_CLIP_MS:
        raise InvalidInput(f"a clip has 1 to {MAX_CLIP_MS} ms")
    with transaction(services.sessions) as session:
        recording = services.recordings.get(session, recording_id)
        seller = recording.metadata.seller
        consents = seller in services.coaching.records.sellers.consenting(session)
        proved = same(proof, _proof(services.login_key, recording_id, start_ms, end_ms))
        if not (_is_own(caller, recording) or (consents and proved)):
            raise NotFound("there is no such clip")
        key = services.recordings.decoded_key(session, recording_id)
    if key is None:
        raise NotFound("the recording has no decoded audio yet")
    etag = f'"{recording.sha256[:32]}-{start_ms}-{end_ms}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if not_modified(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(cut(services.blobs, key, start_ms, end_ms), 200, headers, "audio/wav")


def cut(blobs: BlobStore, key: str, start_ms: int, end_ms: int) -> bytes:
    """Return a span of decoded audio as a WAV file of its own, reading no more than the span."""
    size_bytes = blobs.size(key)
    head = io.BytesIO(b"".join(blobs.read(key, 0, min(_HEAD_BYTES, size_bytes))))
    with wave.open(head) as stored:
        channels = stored.getnchannels()
        first = head.tell()
    frame_bytes = channels * _SAMPLE_BYTES
    from_byte = first + start_ms * SAMPLE_RATE // 1000 * frame_bytes
    to_byte = min(first + end_ms * SAMPLE_RATE // 1000 * frame_bytes, size_bytes)
    if from_byte >= to_byte:
        raise NotFound("the recording is shorter than this clip's beginning")
    samples = b"".join(blobs.read(key, from_byte, to_byte))
    clip = io.BytesIO()
    with wave.open(clip, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples)
    return clip.getvalue()


def _is_own(caller: Caller, recording: Recording) -> bool:
    return caller.only_seller in (None, recording.metadata.seller)


def _proof(key: bytes, recording_id: str, start_ms: int, end_ms: int) -> str:
    return keyed_hash(key, "clip", f"{recording_id} {start_ms} {end_ms}")
