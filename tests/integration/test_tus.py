"""The tus router over real HTTP, spoken to by tuspy, by hand, and by a socket that lies."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import tus_server
from audio_files import STEREO_CALL
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from huaxiang.core.blobs import BlobStore, make_blob_store
from huaxiang.core.database import make_engine, now, session_factory, transaction
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits, UploadSettings
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.ingest.tables import RecordingRow
from huaxiang.ingest.uploads import UploadService

_T = TypeVar("_T")
CALL = STEREO_CALL.read_bytes()
BASE = {"Authorization": "Bearer one", "Tus-Resumable": "1.0.0"}
ON_SQLITE = pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # where the database is no matter
BODY = {"Content-Type": "application/offset+octet-stream"}


class Later:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.delta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.delta


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def url(sessions: sessionmaker[Session], blobs: BlobStore, clock: Later) -> Iterator[str]:
    receiver = Receiver(blobs, MemoryJobs(), AudioLimits(max_upload_bytes=2_000_000))
    settings = UploadSettings(part_bytes=tus_server.PART_BYTES, lease_s=2, expire_s=3600)
    service = UploadService(receiver, blobs, sessions, settings, clock)
    with tus_server.serving(tus_server.make_app(service)) as address:
        yield address


def metadata(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def create(url: str, length: int = len(CALL), headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.post(url, headers={**BASE, "Upload-Length": str(length), **(headers or {})})


def begun(url: str, length: int = len(CALL)) -> str:
    response = create(url, length)
    assert response.status_code == 201
    return str(httpx.URL(url).join(response.headers["location"]))


def patch(upload: str, offset: int, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    given = {**BASE, **BODY, "Upload-Offset": str(offset), **headers}
    return httpx.patch(upload, content=content, headers=given, timeout=30)


def head(upload: str, **headers: str) -> httpx.Response:
    return httpx.head(upload, headers={**BASE, **headers})


def offset_of(upload: str) -> int:
    return int(head(upload).headers["upload-offset"])


def content_of(sessions: sessionmaker[Session], blobs: BlobStore, recording_id: str) -> bytes:
    with transaction(sessions) as session:
        return b"".join(blobs.read(RecordingStore().get(session, recording_id).blob_key))


def test_an_independent_client_uploads_a_call_in_chunks(
    url: str, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    client = TusClient(url, headers={"Authorization": "Bearer one"})
    told = {
        "filename": "回访.mp3",
        "started_at": "2026-03-01T10:00:00+08:00",
        "channel_map": "agent,customer",
    }
    with STEREO_CALL.open("rb") as file:
        uploader: Any = client.uploader(
            file_stream=file, chunk_size=100_000, metadata=told, upload_checksum=True, retries=0
        )
        uploader.upload()
        answer = uploader.request.response_headers

    recording_id = answer["huaxiang-recording-id"]
    assert answer["huaxiang-duplicate"] == "false"
    assert content_of(sessions, blobs, recording_id) == CALL
    with transaction(sessions) as session:
        recording = RecordingStore().get(session, recording_id)
    assert recording.filename == "回访.mp3"
    assert recording.source == "device-1"
    assert recording.metadata.agent_channel == 0
    assert recording.metadata.started_at == datetime(2026, 3, 1, 2, tzinfo=UTC)


def test_the_same_call_again_is_said_to_be_a_duplicate(url: str) -> None:
    first = patch(begun(url), 0, CALL)
    upload = begun(url)
    again = patch(upload, 0, CALL)

    assert first.status_code == again.status_code == 204
    assert first.headers["huaxiang-duplicate"] == "false"
    assert again.headers["huaxiang-duplicate"] == "true"
    assert again.headers["huaxiang-recording-id"] == first.headers["huaxiang-recording-id"]
    asked = head(upload)
    assert asked.headers["huaxiang-duplicate"] == "true"
    assert asked.headers["upload-offset"] == str(len(CALL))


@ON_SQLITE
def test_the_server_says_what_it_speaks(url: str) -> None:
    response = httpx.options(url, headers={"Authorization": "Bearer one"})

    assert response.status_code == 204
    assert response.headers["tus-version"] == "1.0.0"
    assert set(response.headers["tus-extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "termination",
        "checksum",
        "expiration",
    }
    assert response.headers["tus-checksum-algorithm"] == "sha1,sha256"
    assert response.headers["tus-max-size"] == "2000000"


@ON_SQLITE
@pytest.mark.parametrize("version", [None, "0.2.2", "2.0.0"])
def test_another_version_is_refused_with_ours(version: str | None, url: str) -> None:
    headers = {"Authorization": "Bearer one", "Upload-Length": "10"}
    if version is not None:
        headers["Tus-Resumable"] = version
    response = httpx.post(url, headers=headers)

    assert response.status_code == 412
    assert response.headers["tus-version"] == "1.0.0"
    assert response.headers["tus-resumable"] == "1.0.0"


def test_a_stranger_is_sent_away_before_a_byte_of_the_body_is_read(url: str, blobs: BlobStore) -> None:
    upload = begun(url)
    for method, address in (("POST", url), ("PATCH", upload)):
        with connection(url) as sock:
            sock.sendall(
                request(method, address, {**BASE, **BODY, "Authorization": "Bearer three"}, 1_000_000)
            )
            assert status(sock) == 401
    for call in (httpx.head, httpx.delete, httpx.options):
        assert call(upload, headers={"Tus-Resumable": "1.0.0"}).status_code == 401
    assert blobs.list() == []


def test_another_device_does_not_see_the_upload(url: str) -> None:
    upload = begun(url)

    assert head(upload, Authorization="Bearer two").status_code == 404
    assert patch(upload, 0, CALL, Authorization="Bearer two").status_code == 404
    assert httpx.delete(upload, headers={**BASE, "Authorization": "Bearer two"}).status_code == 404
    assert head(upload).headers["upload-offset"] == "0"


@ON_SQLITE
@pytest.mark.parametrize(
    ("headers", "status_code", "code"),
    [
        ({"Upload-Length": "0"}, 422, "empty_audio"),
        ({"Upload-Length": "2000001"}, 413, "too_large"),
        ({"Upload-Length": "-1"}, 400, "invalid_input"),
        ({"Upload-Length": "1" * 400}, 400, "invalid_input"),
        ({"Upload-Length": "ten"}, 400, "invalid_input"),
        ({"Upload-Defer-Length": "1"}, 400, "invalid_input"),
        ({"Upload-Metadata": "started_at ***"}, 400, "invalid_input"),
        ({"Upload-Metadata": "title aGk=,title aGk="}, 400, "invalid_input"),
        ({"Upload-Metadata": f"title {'A' * 20_000}"}, 400, "invalid_input"),
        ({"Upload-Metadata": metadata(started_at="2026-03-01T10:00:00")}, 400, "invalid_metadata"),
        ({"Upload-Metadata": metadata(shoe_size="44")}, 400, "invalid_metadata"),
    ],
)
def test_what_cannot_be_an_upload_is_refused(
    headers: dict[str, str], status_code: int, code: str, url: str
) -> None:
    response = create(url, headers=headers)

    assert (response.status_code, response.json()["code"]) == (status_code, code)
    assert response.headers["tus-resumable"] == "1.0.0"


@ON_SQLITE
def test_metadata_without_a_value_says_nothing(url: str) -> None:
    assert create(url, headers={"Upload-Metadata": "consent, title ,seller"}).status_code == 201


def test_the_first_bytes_may_come_with_the_creation(
    url: str, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    headers = {**BASE, **BODY, "Upload-Length": str(len(CALL))}
    begin = httpx.post(url, headers=headers, content=CALL[:70_000])
    assert (begin.status_code, begin.headers["upload-offset"]) == (201, "70000")
    done = patch(str(httpx.URL(url).join(begin.headers["location"])), 70_000, CALL[70_000:])
    assert content_of(sessions, blobs, done.headers["huaxiang-recording-id"]) == CALL

    whole = httpx.post(url, headers=headers, content=CALL)
    assert (whole.status_code, whole.headers["huaxiang-duplicate"]) == (201, "true")


@ON_SQLITE
@pytest.mark.parametrize(
    ("headers", "status_code"),
    [
        ({"Content-Type": "audio/mpeg"}, 415),
        ({"Upload-Offset": "7"}, 409),
        ({"Upload-Offset": "x"}, 400),
        ({"Upload-Checksum": "md5 AAAA"}, 400),
        ({"Upload-Checksum": "sha1 !"}, 400),
        ({"Upload-Checksum": f"sha1 {base64.b64encode(b'x' * 20).decode()}"}, 460),
        ({"Upload-Checksum": f"sha256 {base64.b64encode(b'x' * 32).decode()}"}, 460),
    ],
)
def test_a_bad_patch_changes_nothing(headers: dict[str, str], status_code: int, url: str) -> None:
    upload = begun(url)

    assert patch(upload, 0, CALL, **headers).status_code == status_code
    assert head(upload).headers["upload-offset"] == "0"
    right = base64.b64encode(hashlib.sha1(CALL, usedforsecurity=False).digest()).decode()
    assert patch(upload, 0, CALL, **{"Upload-Checksum": f"sha1 {right}"}).status_code == 204


@ON_SQLITE
def test_more_bytes_than_announced_are_refused(url: str) -> None:
    upload = begun(url, 1000)

    assert patch(upload, 0, b"x" * 1001).status_code == 413
    assert patch(upload, 0, iter([b"x" * 600, b"x" * 600])).status_code == 413
    assert head(upload).headers["upload-offset"] == "0"


def test_an_upload_expires(url: str, clock: Later) -> None:
    upload = begun(url)
    told = parsedate_to_datetime(head(upload).headers["upload-expires"])
    assert abs(told - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=60)
    clock.delta = timedelta(hours=2)

    assert head(upload).status_code == 410
    assert patch(upload, 0, CALL).status_code == 410


def test_an_upload_is_terminated(url: str, blobs: BlobStore) -> None:
    upload = begun(url)
    patch(upload, 0, CALL[:100_000])

    assert httpx.delete(upload, headers=BASE).status_code == 204
    assert head(upload).status_code == 404
    assert blobs.list() == []


@ON_SQLITE
def test_a_network_that_lets_only_post_through_is_enough(url: str) -> None:
    upload = begun(url, 10)
    headers = {**BASE, **BODY, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}

    assert httpx.post(upload, headers=BASE).status_code == 400
    assert httpx.post(upload, headers=headers, content=b"12345").headers["upload-offset"] == "5"
    gone = httpx.post(upload, headers={**BASE, "X-HTTP-Method-Override": "DELETE"})
    assert gone.status_code == 204
    assert head(upload).status_code == 404


def test_a_connection_that_breaks_keeps_what_arrived(
    url: str, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    upload = begun(url)
    with connection(url) as sock:
        sock.sendall(request("PATCH", upload, {**BASE, **BODY, "Upload-Offset": "0"}, len(CALL)))
        sock.sendall(CALL[:200_000])
        confirmed = until(lambda: offset_of(upload), lambda offset: offset >= tus_server.PART_BYTES)

    # What the server had read and not stored when the connection broke may be lost, no more than that.
    offsets: list[int] = []

    def go_on() -> httpx.Response:
        offsets.append(offset_of(upload))
        return patch(upload, offsets[-1], CALL[offsets[-1] :])

    done = until(go_on, lambda response: response.status_code not in (409, 423))
    assert done.status_code == 204
    assert confirmed <= offsets[-1] <= 200_000
    assert content_of(sessions, blobs, done.headers["huaxiang-recording-id"]) == CALL


def test_a_connection_that_hangs_is_taken_over_when_its_lease_ends(
    url: str, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    upload = begun(url)
    with connection(url) as hanging:
        hanging.sendall(request("PATCH", upload, {**BASE, **BODY, "Upload-Offset": "0"}, len(CALL)))
        hanging.sendall(b"\xff" * 1000)
        until(lambda: patch(upload, 0, b"").status_code == 423)
        done = until(lambda: patch(upload, 0, CALL), lambda response: response.status_code != 423)
        assert done.status_code == 204
        hanging.sendall(b"\xff" * (len(CALL) - 1000))
        assert status(hanging) == 423

    assert content_of(sessions, blobs, done.headers["huaxiang-recording-id"]) == CALL


def test_of_parallel_patches_one_writes_and_the_others_are_told_to_wait(
    url: str, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    upload = begun(url)
    answers: list[httpx.Response] = []
    start = threading.Barrier(5)

    def slowly() -> Iterator[bytes]:
        for at in range(0, len(CALL), 50_000):
            time.sleep(0.02)
            yield CALL[at : at + 50_000]

    def send() -> None:
        start.wait()
        answers.append(patch(upload, 0, slowly()))

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 409, 423}
    assert content_of(sessions, blobs, head(upload).headers["huaxiang-recording-id"]) == CALL


def test_a_client_that_gave_up_goes_on_where_it_was(url: str, tmp_path: Path) -> None:
    client = TusClient(url, headers={"Authorization": "Bearer one"})
    with STEREO_CALL.open("rb") as file:
        first = client.uploader(file_stream=file, chunk_size=60_000)
        first.upload(stop_at=180_000)
    with STEREO_CALL.open("rb") as file:
        second: Any = client.uploader(file_stream=file, chunk_size=60_000, url=first.url)
        assert second.offset == 180_000
        second.upload()

    assert second.request.response_headers["upload-offset"] == str(len(CALL))


@ON_SQLITE
def test_a_server_killed_in_the_middle_loses_no_byte_that_it_confirmed(
    database_url: str, tmp_path: Path
) -> None:
    folder, port = tmp_path / "blobs", free_port()
    url = f"http://127.0.0.1:{port}{tus_server.PATH}"
    data = os.urandom(3_000_000)
    confirmed = 0
    with program(database_url, folder, port) as server:
        upload = begun(url, len(data))
        assert patch(upload, 0, data[:500_000]).status_code == 204
        with connection(url) as sock:
            sock.sendall(request("PATCH", upload, {**BASE, **BODY, "Upload-Offset": "500000"}, 2_500_000))
            sock.sendall(data[500_000:2_000_000])
            confirmed = until(
                lambda: int(head(upload).headers["upload-offset"]), lambda offset: offset > 1_000_000
            )
            server.send_signal(signal.SIGKILL)
            server.wait()
    with program(database_url, folder, port) as server:
        offset = int(head(upload).headers["upload-offset"])
        assert offset >= confirmed
        client = TusClient(url, headers={"Authorization": "Bearer one"})
        source = tmp_path / "call"
        source.write_bytes(data)
        with source.open("rb") as file:
            resumed: Any = client.uploader(
                file_stream=file, url=upload, chunk_size=400_000, retries=20, retry_delay=0.2
            )
            resumed.upload()
        recording_id = resumed.request.response_headers["huaxiang-recording-id"]

    engine = make_engine(database_url)
    blobs = make_blob_store(folder.as_uri())
    assert content_of(session_factory(engine), blobs, recording_id) == data
    with transaction(session_factory(engine)) as session:
        assert list(session.scalars(select(RecordingRow.id))) == [recording_id]
    assert blobs.list("uploads") == []
    engine.dispose()


@ON_SQLITE
def test_a_large_upload_takes_little_memory(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}{tus_server.PATH}"
    size = 96 * 1024 * 1024

    def zeros() -> Iterator[bytes]:
        for _ in range(size // 65_536):
            yield bytes(65_536)

    with program(database_url, tmp_path / "blobs", port, 4 * 1024 * 1024) as server:
        patch(begun(url, 100_000), 0, bytes(100_000))
        memory = psutil.Process(server.pid)
        before = memory.memory_info().rss
        done = patch(begun(url, size), 0, zeros())
        assert done.headers["upload-offset"] == str(size)
        assert memory.memory_info().rss - before < 40 * 1024 * 1024


@ON_SQLITE
def test_a_refused_creation_fails_in_the_client_too(url: str) -> None:
    with STEREO_CALL.open("rb") as file:
        bad = TusClient(url, headers={"Authorization": "Bearer one"}).uploader(
            file_stream=file, metadata={"started_at": "noon"}
        )
        with pytest.raises(TusCommunicationError):
            bad.upload()
    with STEREO_CALL.open("rb") as file:
        stranger = TusClient(url, headers={"Authorization": "Bearer two"}).uploader(
            file_stream=file, chunk_size=1000
        )
        stranger.set_url(begun(url))
        with pytest.raises(TusUploadFailed):
            stranger.upload()


def until(ask: Callable[[], _T], good: Callable[[_T], bool] = bool) -> _T:
    """Ask again until the answer is good, for at most twenty seconds."""
    end = time.monotonic() + 20
    while not good(answer := ask()):
        assert time.monotonic() < end, "it did not come to this"
        time.sleep(0.05)
    return answer


@contextmanager
def connection(url: str) -> Iterator[socket.socket]:
    """Give a bare connection to the server."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as sock:
        yield sock


def request(method: str, url: str, headers: dict[str, str], length: int) -> bytes:
    """Return the head of a request that announces a body."""
    lines = [f"{method} {urlsplit(url).path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def status(sock: socket.socket) -> int:
    """Read the status of the answer."""
    return int(sock.recv(4096).split(b" ")[1])


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def program(
    database_url: str, folder: Path, port: int, part_bytes: int = tus_server.PART_BYTES
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server as a process of its own until it answers; kill it at the end."""
    arguments = [sys.executable, tus_server.__file__, database_url, str(folder), str(port), str(part_bytes)]
    with subprocess.Popen(arguments) as server:
        try:
            until(lambda: _answers(port))
            yield server
        finally:
            server.kill()


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
