"""Handing over a recording in one request, for clients that cannot speak tus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.http import schemas
from huaxiang.api.http.answers import Answer
from huaxiang.api.http.dependencies import ServicesDep, Uploader, once
from huaxiang.api.http.multipart import SpooledFile, spooled
from huaxiang.api.http.problems import PROBLEM_TYPE, problem_document, request_id_of
from huaxiang.api.services import Services
from huaxiang.core.types import Json
from huaxiang.ingest.metadata import parse_filename, parse_metadata

router = APIRouter(prefix="/v1/recordings", tags=["upload"])
_TEXT = {"type": "string"}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "started_at": {**_TEXT, "example": "2026-11-20T09:30:00+08:00"},
                        "zone": {**_TEXT, "example": "Asia/Shanghai"},
                        "seller": {**_TEXT, "example": "wang.fang"},
                        "customer_ref": {**_TEXT, "description": "CRM id or phone number."},
                        "direction": {**_TEXT, "enum": ["inbound", "outbound"]},
                        "setting": {**_TEXT, "enum": ["phone", "onsite", "meeting"]},
                        "agent_channel": {**_TEXT, "example": "0"},
                        "channel_map": {**_TEXT, "example": "agent,customer"},
                        "consent": {**_TEXT, "enum": ["true", "false"]},
                        "title": _TEXT,
                        "device": _TEXT,
                        "filename": {**_TEXT, "description": "In place of the name that the file part has."},
                    },
                }
            }
        },
    }
}


@router.post(
    "",
    summary="Hand over a recording",
    openapi_extra=_FORM,
    status_code=201,
    responses={
        200: {"model": schemas.Received, "description": "These bytes were here before: `duplicate` is true."},
        201: {"model": schemas.Received},
        422: {"description": "No usable audio: kept in the quarantine as `recording_id`, with the reason."},
    },
)
async def upload(request: Request, services: ServicesDep, caller: Uploader) -> Response:
    """Take a file and what is known about it, and queue it.

    The same bytes from the same device are one recording. Over a poor link use `/v1/uploads` (tus),
    which goes on where it was broken off.
    """
    folder = services.settings.data_dir / "incoming"
    async with spooled(request, folder, services.settings.audio.max_upload_bytes) as file:
        return await run_in_threadpool(_receive, request, services, caller, file)


def _receive(request: Request, services: Services, caller: Caller, file: SpooledFile) -> Response:
    metadata = parse_metadata(file.fields)
    filename = parse_filename(file.fields, file.filename)

    def work(session: Session) -> Answer:
        received = services.receiver.receive_file(session, caller.source, file.path, filename, metadata)
        location = {"Location": f"/v1/recordings/{received.recording_id}"}
        if received.error is not None:
            error = received.error
            document: dict[str, Json] = problem_document(
                error.status, error.code, error.message, request_id=request_id_of(request)
            )
            document["recording_id"] = received.recording_id
            return Answer(document, error.status, {**location, "Content-Type": PROBLEM_TYPE})
        answer: Json = {"id": received.recording_id, "duplicate": received.duplicate}
        return Answer(answer, 200 if received.duplicate else 201, location)

    content = f"{file.sha256} {filename} {sorted(file.fields.items())}"
    return once(request, caller, work, content=content)
