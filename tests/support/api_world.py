"""The HTTP application over real stores, with one caller of every kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI
from invented_call import (
    invented_audio,
    invented_insights,
    invented_recording,
    invented_scorecard,
    invented_transcript,
)
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from huaxiang.api.access.callers import Authenticator
from huaxiang.api.access.passwords import Passwords
from huaxiang.api.access.sign_in import SignIn
from huaxiang.api.access.throttle import Throttle
from huaxiang.api.access.tokens import add_token
from huaxiang.api.access.users import add_user
from huaxiang.api.bootstrap import build_judged_language, build_sentence_encoder
from huaxiang.api.coaching.suite import open_coaching
from huaxiang.api.corrections import Corrections
from huaxiang.api.history.building import build_desk, build_writer
from huaxiang.api.http.app import create_app
from huaxiang.api.http.health import blobs_check, database_check
from huaxiang.api.http.once import Idempotency
from huaxiang.api.reviews.suite import reviews_of
from huaxiang.api.search.suite import build_search, reindex, reindexing
from huaxiang.api.serialise import metadata_json
from huaxiang.api.services import Services
from huaxiang.api.workflow import Stores
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.blobs import MemoryBlobs
from huaxiang.core.database import transaction
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Recording, RecordingStatus, new_id
from huaxiang.ingest.devices import DeviceRegistry
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.ingest.tables import RecordingRow
from huaxiang.ingest.uploads import UploadService
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.nlp.understand import Understanding
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.merge import merge_recording
from huaxiang.quality.scorecard_store import ScorecardStore

KEY = b"a server key of a test, 32 bytes"
PASSWORD = "correct horse battery"
USERS = {"mei": "manager", "root": "admin", "he.yun": "seller"}


@dataclass(frozen=True)
class World:
    """An application, what it works with, and the credentials of its callers.

    ``keys`` has the value for ``Authorization`` by ``device``, ``crm``, ``manager``, ``metrics``
    and ``admin``; people sign in with ``PASSWORD``.
    """

    app: FastAPI
    services: Services
    keys: Mapping[str, str] = field(repr=False)

    def headers(self, who: str) -> dict[str, str]:
        """Return the header by which a caller is known."""
        return {"Authorization": f"Bearer {self.keys[who]}"}


def make_world(engine: Engine, sessions: sessionmaker[Session], data_dir: Path, **settings: object) -> World:
    """Build the application with a device, four tokens and three people."""
    services = make_services(engine, sessions, data_dir, **settings)
    keys = {}
    passwords = Passwords(memory_cost=64, time_cost=1)
    with transaction(sessions) as session:
        for scope in ("crm", "manager", "metrics", "admin"):
            keys[scope] = add_token(session, f"{scope} token", [scope])[1]
        keys["device"] = services.devices.add(session, "badge 1")[1]
        for name, role in USERS.items():
            add_user(session, passwords, name, PASSWORD, role)
    return World(create_app(services), services, keys)


def make_services(
    engine: Engine, sessions: sessionmaker[Session], data_dir: Path, **settings: object
) -> Services:
    """Return the services over real stores; jobs and blobs are the scripted twins."""
    chosen = load_settings(data_dir=data_dir, **settings)
    blobs, jobs = MemoryBlobs(), MemoryJobs()
    devices = DeviceRegistry()
    receiver = Receiver(blobs, jobs, chosen.audio)
    passwords = Passwords(memory_cost=64, time_cost=1)
    search = build_search(engine)
    stores = Stores(RecordingStore(), TranscriptStore(), InsightsStore(), ScorecardStore(), search)
    features = build_writer(chosen, build_sentence_encoder, vectors=False)
    inspecting = features.inspecting

    def understanding() -> Understanding:
        return build_judged_language("keywords @ 1")[0]

    return Services(
        settings=chosen,
        sessions=sessions,
        blobs=blobs,
        jobs=jobs,
        receiver=receiver,
        uploads=UploadService(receiver, blobs, sessions, chosen.upload),
        devices=devices,
        recordings=RecordingStore(),
        transcripts=TranscriptStore(),
        insights=InsightsStore(),
        scorecards=ScorecardStore(),
        corrections=Corrections(
            sessions, stores, inspecting, renewed=(reindexing(stores),), features=features
        ),
        inspecting=inspecting,
        rules=inspecting.rules,
        understanding=understanding,
        customers=CustomerStore(),
        reviews=reviews_of(chosen, inspecting.rules),
        search=search,
        coaching=open_coaching(chosen),
        authenticator=Authenticator(sessions, devices),
        sign_in=SignIn(sessions, passwords, Throttle(sessions, KEY), timedelta(hours=1)),
        idempotency=Idempotency(sessions),
        features=features,
        history=build_desk(sessions, features, understanding),
        login_key=KEY,
        checks={"database": database_check(engine), "blobs": blobs_check(blobs)},
    )


def add_call(services: Services, **changes: object) -> str:
    """Store the invented call with all that the stages make of it, and return its id."""
    identifier = new_id()
    recording = replace(invented_recording(identifier), **changes)  # type: ignore[arg-type]
    transcript = invented_transcript(identifier)
    insights, scorecard = invented_insights(transcript), invented_scorecard(transcript)
    decoded_key = f"decoded/{identifier}.wav"
    services.blobs.put(decoded_key, [invented_audio(transcript)])
    with transaction(services.sessions) as session:
        add_row(session, recording, decoded_key)
        services.transcripts.save(session, transcript, "0" * 64)
        reindex(session, services, identifier)
        services.insights.save(session, identifier, insights, "0" * 64)
        services.scorecards.save(session, identifier, scorecard)
        merge_recording(session, recording, transcript, insights, scorecard)
    return identifier


def add_bare(services: Services, **changes: object) -> str:
    """Store a recording of which nothing was made yet, and return its id."""
    identifier = new_id()
    given = {"status": RecordingStatus.RECEIVED, **changes}
    recording = replace(invented_recording(identifier), audio=None, **given)  # type: ignore[arg-type]
    with transaction(services.sessions) as session:
        add_row(session, replace(recording, sha256=identifier.replace("-", "") * 2))
    return identifier


def add_row(session: Session, recording: Recording, decoded_key: str | None = None) -> None:
    """Write a recording as the receiver and the decode stage would have."""
    metadata = recording.metadata
    audio = recording.audio
    session.add(
        RecordingRow(
            id=recording.id,
            source=recording.source,
            sha256=recording.sha256,
            size_bytes=recording.size_bytes,
            filename=recording.filename,
            blob_key=recording.blob_key,
            received_at=recording.received_at,
            status=recording.status,
            seller=metadata.seller,
            customer_ref=metadata.customer_ref,
            started_at=metadata.started_at,
            metadata_=metadata_json(metadata),
            audio=None
            if audio is None
            else {name: getattr(audio, name) for name in audio.__dataclass_fields__},
            decoded_key=decoded_key,
        )
    )
    session.flush()


def sign_in(client: TestClient, name: str) -> tuple[dict[str, str], str]:
    """Sign in as a person; return the headers of a page's script and the form token."""
    client.cookies.clear()
    page = client.get("/login", headers={"Accept": "text/html"}).text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None
    form = {"name": name, "password": PASSWORD, "csrf": token[1], "next": "/recordings"}
    assert client.post("/login", data=form).status_code == 303
    listing = client.get("/recordings").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', listing)
    assert csrf is not None
    return {"X-CSRF-Token": csrf[1]}, csrf[1]
