"""The HTTP of tus 1.0 over ``UploadService``: https://tus.io/protocols/resumable-upload.

Extensions: creation, creation-with-upload, termination, checksum, expiration. The caller is known
before a byte of a body is read; a body is read in bounded memory and written by worker threads.
"""

# No `from __future__ import annotations`: FastAPI reads the annotations of functions made in a function.

import base64
import binascii
from collections.abc import Callable, MutableMapping
from email.utils import format_datetime
from typing import Annotated, Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from huaxiang.core.errors import InvalidInput, PreconditionFailed, TooLarge, UnsupportedMediaType
from huaxiang.ingest.upload_writer import CHECKSUM_ALGORITHMS, Checksum, Upload, UploadWriter
from huaxiang.ingest.uploads import UploadService

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
BODY_TYPE = "application/offset+octet-stream"
_MAX_METADATA_CHARS = 16 * 1024
_MAX_DIGITS = 15


class TusRoute(APIRoute):
    """Says the protocol's version in every response, those of errors too."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tus-Resumable"] = headers["Tus-Version"] = VERSION
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await super().handle(scope, receive, send_with_version)


def tus_router(
    service: UploadService, authenticate: Callable[..., Any], *, prefix: str = "/v1/uploads"
) -> APIRouter:
    """Return the routes of ``prefix``.

    ``authenticate`` is a FastAPI dependency that gives the source of the caller, the id of a device
    for one, and raises where there is none. Errors are raised as HuaxiangError for the
    application's handlers. A completed upload is answered with ``Huaxiang-Recording-Id`` and
    ``Huaxiang-Duplicate``.
    """

    def know(request: Request, source: Annotated[str, Depends(authenticate)]) -> None:
        if _method(request) != "OPTIONS" and request.headers.get("tus-resumable") != VERSION:
            raise PreconditionFailed(f"send the header Tus-Resumable: {VERSION}")
        request.state.upload_source = source

    router = APIRouter(prefix=prefix, route_class=TusRoute, tags=["upload"], dependencies=[Depends(know)])
    endpoints = TusEndpoints(service)
    router.add_api_route("", endpoints.options, methods=["OPTIONS"], status_code=204)
    router.add_api_route("", endpoints.create, methods=["POST"], status_code=201)
    one = "/{upload_id}"
    router.add_api_route(one, endpoints.options, methods=["OPTIONS"], status_code=204, name="options_of_one")
    router.add_api_route(one, endpoints.head, methods=["HEAD"])
    router.add_api_route(one, endpoints.patch, methods=["PATCH"], status_code=204)
    router.add_api_route(one, endpoints.terminate, methods=["DELETE"], status_code=204)
    router.add_api_route(one, endpoints.post, methods=["POST"], status_code=204)
    return router


class TusEndpoints:
    """What the routes do, for a caller whose source is in ``request.state.upload_source``."""

    def __init__(self, service: UploadService) -> None:
        self._service = service

    def options(self) -> Response:
        """Say which parts of tus are spoken."""
        headers = {
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(self._service.max_bytes),
            "Tus-Checksum-Algorithm": ",".join(CHECKSUM_ALGORITHMS),
        }
        return Response(status_code=204, headers=headers)

    async def create(self, request: Request) -> Response:
        """Begin an upload, with its first bytes where the request has a body."""
        if "upload-defer-length" in request.headers:
            raise InvalidInput("the length has to be known: send Upload-Length")
        length = _number(request, "upload-length")
        metadata = _metadata(request.headers.get("upload-metadata", ""))
        checksum = _checksum(request)
        has_body = _has_body(request)
        if has_body:
            _check_body(request, length)
        upload = await to_thread.run_sync(self._service.create, _source(request), length, metadata)
        if has_body:
            upload = await _append(self._service, request, upload.id, 0, checksum)
        location = f"{request.url.path.rstrip('/')}/{upload.id}"
        return Response(status_code=201, headers={"Location": location, **_headers(upload)})

    async def head(self, request: Request, upload_id: str) -> Response:
        """Say how far an upload is."""
        upload = await to_thread.run_sync(self._service.head, upload_id, _source(request))
        return Response(status_code=200, headers=_headers(upload))

    async def patch(self, request: Request, upload_id: str) -> Response:
        """Append bytes at ``Upload-Offset``."""
        offset = _number(request, "upload-offset")
        _check_body(request, self._service.max_bytes)
        upload = await _append(self._service, request, upload_id, offset, _checksum(request))
        return Response(status_code=204, headers=_headers(upload))

    async def terminate(self, request: Request, upload_id: str) -> Response:
        """Give up an upload; a recording that it became stays."""
        await to_thread.run_sync(self._service.terminate, upload_id, _source(request))
        return Response(status_code=204)

    async def post(self, request: Request, upload_id: str) -> Response:
        """Stand in for PATCH and DELETE where a network lets only POST through."""
        if _method(request) == "PATCH":
            return await self.patch(request, upload_id)
        if _method(request) == "DELETE":
            return await self.terminate(request, upload_id)
        raise InvalidInput("POST to an upload needs X-HTTP-Method-Override: PATCH or DELETE")


async def _append(
    service: UploadService, request: Request, upload_id: str, offset_bytes: int, checksum: Checksum | None
) -> Upload:
    """Write the body. A body that breaks off is kept as far as it came."""
    writer = await to_thread.run_sync(service.open, upload_id, _source(request), offset_bytes, checksum)
    try:
        await _copy(request, writer)
        return await to_thread.run_sync(writer.finish)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(writer.close)


async def _copy(request: Request, writer: UploadWriter) -> None:
    try:
        async for chunk in request.stream():
            writer.take(chunk)
            if writer.due:
                await to_thread.run_sync(writer.flush)
    except ClientDisconnect:
        return


def _headers(upload: Upload) -> MutableMapping[str, str]:
    headers = {
        "Upload-Offset": str(upload.offset_bytes),
        "Upload-Length": str(upload.length_bytes),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }
    if upload.recording_id is not None:
        headers["Huaxiang-Recording-Id"] = upload.recording_id
        headers["Huaxiang-Duplicate"] = "true" if upload.duplicate else "false"
    return headers


def _source(request: Request) -> str:
    return str(request.state.upload_source)


def _method(request: Request) -> str:
    return request.headers.get("x-http-method-override", request.method).upper()


def _number(request: Request, name: str) -> int:
    value = request.headers.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        raise InvalidInput(f"the header {name.title()} is a number of bytes")
    return int(value)


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _check_body(request: Request, most_bytes: int) -> None:
    """Refuse a body by its headers, before it is read."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != BODY_TYPE:
        raise UnsupportedMediaType(f"send the bytes as Content-Type: {BODY_TYPE}")
    if "content-length" in request.headers and _number(request, "content-length") > most_bytes:
        raise TooLarge(f"the body has more than {most_bytes} bytes")


def _metadata(header: str) -> dict[str, str]:
    """Read ``Upload-Metadata``: pairs of a key and a base64 value, parted by commas."""
    if len(header) > _MAX_METADATA_CHARS:
        raise InvalidInput(f"Upload-Metadata has at most {_MAX_METADATA_CHARS} characters")
    read: dict[str, str] = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(f"Upload-Metadata: the value of {key[:50]!r} is no base64 of UTF-8") from error
        if key in read:
            raise InvalidInput(f"Upload-Metadata: {key[:50]!r} is there twice")
        read[key] = text
    return read


def _checksum(request: Request) -> Checksum | None:
    header = request.headers.get("upload-checksum")
    if header is None:
        return None
    algorithm, _, value = header.strip().partition(" ")
    try:
        return Checksum(algorithm.lower(), base64.b64decode(value.strip(), validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("Upload-Checksum is an algorithm and a base64 sum") from error
