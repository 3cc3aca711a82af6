"""A server of the tus router alone: in a thread of the test, or as a program that a test can kill."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from huaxiang.core.blobs import make_blob_store
from huaxiang.core.database import make_engine, session_factory
from huaxiang.core.errors import HuaxiangError, Unauthenticated
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits, UploadSettings
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.tus import tus_router
from huaxiang.ingest.uploads import UploadService

PATH = "/v1/uploads"
PART_BYTES = 64 * 1024
KEYS = {"Bearer one": "device-1", "Bearer two": "device-2"}


def make_app(service: UploadService) -> FastAPI:
    """Return an application with the uploads of two devices, known by ``Bearer one`` and ``Bearer two``."""
    app = FastAPI()

    def source_of(request: Request) -> str:
        try:
            return KEYS[request.headers.get("authorization", "")]
        except KeyError:
            raise Unauthenticated("who are you?") from None

    def answer(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HuaxiangError)
        return JSONResponse({"code": error.code, "detail": error.message}, error.status)

    app.add_exception_handler(HuaxiangError, answer)
    app.include_router(tus_router(service, source_of, prefix=PATH))
    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of loopback, in a thread; give the address of its uploads."""
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}{PATH}"
    finally:
        server.should_exit = True
        thread.join()


def _config(app: FastAPI, port: int = 0) -> uvicorn.Config:
    return uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none", lifespan="off")


def main(database_url: str, blob_folder: str, port: str, part_bytes: str) -> None:
    """Serve a database and a folder of blobs on a port, until killed."""
    receiver = Receiver(make_blob_store(Path(blob_folder).as_uri()), MemoryJobs(), AudioLimits())
    service = UploadService(
        receiver,
        make_blob_store(Path(blob_folder).as_uri()),
        session_factory(make_engine(database_url)),
        UploadSettings(part_bytes=int(part_bytes), lease_s=1),
    )
    uvicorn.Server(_config(make_app(service), int(port))).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
