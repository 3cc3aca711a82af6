"""Handing over recordings to a real server: one request, or tus, with a device's key."""

from __future__ import annotations

import io
import socket
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_world import World, add_call, make_world
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient
from tus_server import PATH, serving
from tusclient.client import TusClient

from huaxiang.api.http import schemas
from huaxiang.ingest.tables import RecordingRow

# What is tested here does not depend on the database; the receiver is tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TOLD = {
    "seller": "wang.fang",
    "customer_ref": "CRM-7",
    "started_at": "2026-11-20T09:30:00+08:00",
    "setting": "phone",
    "consent": "true",
}


def wav(frames: int = 8000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(256)) * (frames // 128))
    return buffer.getvalue()


@pytest.fixture
def device(world: World) -> dict[str, str]:
    return world.headers("device")


@pytest.fixture
def served(world: World) -> Iterator[str]:
    """The application on a port of loopback."""
    with serving(world.app) as address:
        yield address.removesuffix(PATH)


def send(client: TestClient, headers: dict[str, str], content: bytes, **fields: str) -> Any:
    files = {"file": ("录音-1.wav", content)}
    return client.post("/v1/recordings", data=fields, files=files, headers=headers)


def test_a_recording_is_kept_and_queued_with_what_was_told(
    world: World, client: TestClient, device: dict[str, str]
) -> None:
    response = send(client, device, wav(), **TOLD)
    assert response.status_code == 201
    received = schemas.Received.model_validate(response.json())
    assert not received.duplicate
    assert response.headers["location"] == f"/v1/recordings/{received.id}"
    document = client.get(response.headers["location"], headers=world.headers("manager")).json()
    schemas.Recording.model_validate(document)
    assert document["status"] == "received"
    assert document["filename"] == "录音-1.wav"
    assert document["size_bytes"] == len(wav())
    metadata = document["metadata"]
    assert (metadata["seller"], metadata["customer_ref"], metadata["consent"]) == ("wang.fang", "CRM-7", True)
    assert metadata["started_at"] == "2026-11-20T01:30:00Z"
    job = client.get(f"/v1/jobs/{received.id}", headers=world.headers("manager")).json()
    assert job["state"] == "queued"
    assert not list((world.services.settings.data_dir / "incoming").iterdir())


def test_the_same_bytes_of_a_device_are_one_recording_and_the_answer_says_so(
    world: World, client: TestClient, device: dict[str, str]
) -> None:
    first = send(client, device, wav())
    again = send(client, device, wav())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    elsewhere = send(client, world.headers("admin"), wav())
    assert elsewhere.status_code == 201


def test_a_repeated_upload_with_its_key_gets_the_first_answer(
    client: TestClient, device: dict[str, str]
) -> None:
    keyed = {**device, "Idempotency-Key": "upload-1"}
    first = send(client, keyed, wav(), **TOLD)
    again = send(client, keyed, wav(), **TOLD)  # the boundary of the form is another one
    assert (again.status_code, again.json()) == (201, first.json())
    assert send(client, keyed, wav(16_000), **TOLD).status_code == 409


@pytest.mark.parametrize(("content", "code"), [(b"no audio at all" * 100, "not_audio"), (b"", "empty_audio")])
def test_what_is_no_audio_is_refused_by_its_code_and_kept_in_the_quarantine(
    world: World, client: TestClient, device: dict[str, str], content: bytes, code: str
) -> None:
    response = send(client, device, content)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    address = f"/v1/recordings/{response.json()['recording_id']}"
    document = client.get(address, headers=world.headers("manager")).json()
    assert (document["status"], document["error"]["code"]) == ("failed", code)


@pytest.mark.parametrize(
    "fields", [{"started_at": "2026-11-20T09:30:00"}, {"consent": "perhaps"}, {"colour": "red"}]
)
def test_metadata_that_cannot_be_read_is_refused_and_nothing_is_kept(
    world: World, client: TestClient, device: dict[str, str], fields: dict[str, str]
) -> None:
    response = send(client, device, wav(), **fields)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_metadata")
    with world.services.sessions() as session:
        assert session.scalar(select(func.count()).select_from(RecordingRow)) == 0


def test_a_recording_over_the_limit_is_refused_and_leaves_nothing(
    engine: Engine, sessions: sessionmaker[Session], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data_dir = tmp_path_factory.mktemp("data")
    world = make_world(engine, sessions, data_dir, audio={"max_upload_bytes": 10_000})
    with TestClient(world.app, base_url="http://127.0.0.1") as client:
        response = send(client, world.headers("device"), wav(16_000))
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert not list((data_dir / "incoming").iterdir())


def test_an_unknown_caller_is_refused_before_the_body_is_sent(served: str) -> None:
    address = httpx.URL(served)
    request = (
        "POST /v1/recordings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        connection.sendall(request.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")


def test_a_tus_client_hands_over_a_recording_with_a_device_key(
    world: World, served: str, device: dict[str, str]
) -> None:
    client = TusClient(f"{served}{PATH}", headers=device)
    uploader = client.uploader(
        file_stream=io.BytesIO(wav(80_000)), chunk_size=50_000, metadata={**TOLD, "filename": "call.wav"}
    )
    uploader.upload()
    with world.services.sessions() as session:
        row = session.scalars(select(RecordingRow)).one()
    assert (row.filename, row.seller, row.size_bytes) == ("call.wav", "wang.fang", len(wav(80_000)))
    with world.services.sessions() as session:
        devices = world.services.devices.list(session)
    assert row.source == devices[0].id


def test_tus_errors_are_problems_and_tus_needs_the_scope(world: World, served: str) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    with httpx.Client(base_url=served) as client:
        missing = client.head("/v1/uploads/none", headers={**tus, **world.headers("device")})
        assert missing.status_code == 404
        refused = client.post("/v1/uploads", headers={**tus, **world.headers("crm"), "Upload-Length": "5"})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        odd = client.post("/v1/uploads", headers={**tus, **world.headers("device"), "Upload-Length": "x"})
        assert (odd.status_code, odd.headers["content-type"]) == (400, "application/problem+json")


def test_audio_is_streamed_by_a_real_server(world: World, served: str) -> None:
    call = add_call(world.services)
    with httpx.Client(base_url=served, headers=world.headers("manager")) as client:
        part = client.get(f"/v1/recordings/{call}/audio", headers={"Range": "bytes=100-199"})
        assert (part.status_code, len(part.content)) == (206, 100)
        assert client.head(f"/v1/recordings/{call}/audio").headers["accept-ranges"] == "bytes"
