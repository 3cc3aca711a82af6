"""Recordings over HTTP: lists, what was made of them, the audio by ranges."""

from __future__ import annotations

import wave
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from api_world import World, add_bare, add_call, sign_in
from invented_call import SAID, SELLER, invented_recording
from pydantic import BaseModel
from starlette.testclient import TestClient

from huaxiang.api.http import schemas, scorecard_schemas
from huaxiang.core.database import transaction
from huaxiang.core.jobs import Workflow
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.types import CallMetadata, RecordingStatus
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues

BASE = invented_recording("x")


@pytest.fixture
def call(world: World) -> str:
    """The id of the invented call, with everything stored."""
    return add_call(world.services)


@pytest.fixture
def manager(world: World) -> dict[str, str]:
    return world.headers("manager")


@pytest.mark.parametrize(
    ("part", "form"),
    [
        ("", schemas.Recording),
        ("/transcript", schemas.Transcript),
        ("/insights", schemas.Insights),
        ("/scorecard", scorecard_schemas.Scorecard),
        ("/scorecards", scorecard_schemas.Scorecards),
        ("/peaks", schemas.Peaks),
    ],
)
def test_answers_have_the_form_that_openapi_shows_and_an_etag(
    client: TestClient, call: str, manager: dict[str, str], part: str, form: type[BaseModel]
) -> None:
    address = f"/v1/recordings/{call}{part}"
    response = client.get(address, headers=manager)
    assert response.status_code == 200
    form.model_validate_json(response.content)
    again = client.get(address, headers={**manager, "If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_transcript_has_every_turn_and_each_finding_quotes_its_turn(
    client: TestClient, call: str, manager: dict[str, str]
) -> None:
    turns = client.get(f"/v1/recordings/{call}/transcript", headers=manager).json()["turns"]
    assert len(turns) == len(SAID)
    findings = client.get(f"/v1/recordings/{call}/insights", headers=manager).json()["findings"]
    assert findings
    for finding in findings:
        for evidence in finding["evidence"]:
            text = turns[evidence["turn"]]["text"]
            assert evidence["quote"] == text[evidence["char_start"] : evidence["char_end"]]


@pytest.mark.parametrize("part", ["transcript", "insights", "scorecard", "audio", "peaks"])
def test_what_is_not_made_yet_is_not_found(
    world: World, client: TestClient, manager: dict[str, str], part: str
) -> None:
    bare = add_bare(world.services, status=RecordingStatus.PROCESSING)
    response = client.get(f"/v1/recordings/{bare}/{part}", headers=manager)
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_a_failed_recording_says_why(world: World, client: TestClient, manager: dict[str, str]) -> None:
    bare = add_bare(world.services)
    with world.services.sessions.begin() as session:
        world.services.recordings.quarantine(session, bare, "not_audio", "the file holds no audio")
    document = client.get(f"/v1/recordings/{bare}", headers=manager).json()
    assert document["status"] == "failed"
    assert document["error"]["code"] == "not_audio"


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_pages_partition_the_list_while_recordings_arrive(
    world: World, client: TestClient, manager: dict[str, str], limit: int
) -> None:
    # Some arrive in the same moment, so that the order needs more than the time.
    before = {
        add_bare(world.services, received_at=BASE.received_at + timedelta(seconds=number // 3))
        for number in range(11)
    }
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/recordings", params=query, headers=manager).json()
        schemas.RecordingPage.model_validate(page)
        assert len(page["items"]) <= limit
        seen += [item["id"] for item in page["items"]]
        add_bare(world.services, received_at=BASE.received_at + timedelta(days=1))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == before


def test_filters_narrow_the_list(world: World, client: TestClient, manager: dict[str, str]) -> None:
    def told(**changes: object) -> CallMetadata:
        return replace(BASE.metadata, **changes)  # type: ignore[arg-type]

    mine = add_bare(world.services)
    other = add_bare(world.services, metadata=told(seller="lin", customer_ref="CRM-2"))
    later = add_bare(
        world.services,
        metadata=told(started_at=BASE.received_at + timedelta(days=3)),
        status=RecordingStatus.DONE,
    )

    def found(**query: str) -> set[str]:
        answer = client.get("/v1/recordings", params=query, headers=manager).json()
        return {item["id"] for item in answer["items"]}

    assert found() == {mine, other, later}
    assert found(seller="lin") == {other}
    assert found(customer="CRM-2") == {other}
    assert found(status="done") == {later}
    assert found(started_from=(BASE.received_at + timedelta(days=1)).isoformat()) == {later}
    assert found(started_before=(BASE.received_at + timedelta(days=1)).isoformat()) == {mine, other}
    assert found(seller="nobody") == set()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "0"}, 422),
        ({"limit": "201"}, 422),
        ({"limit": "many"}, 422),
        ({"status": "odd"}, 422),
        ({"started_from": "2026-11-20T00:00:00"}, 400),
        ({"cursor": "made up"}, 400),
    ],
)
def test_an_odd_query_is_refused_by_name(
    client: TestClient, manager: dict[str, str], query: dict[str, str], status: int
) -> None:
    response = client.get("/v1/recordings", params=query, headers=manager)
    assert response.status_code == status
    schemas.Problem.model_validate(response.json())
    if status == 422:
        assert response.json()["errors"][0]["path"] == f"query.{next(iter(query))}"


def test_audio_is_played_whole_and_in_parts(client: TestClient, call: str, manager: dict[str, str]) -> None:
    address = f"/v1/recordings/{call}/audio"
    whole = client.get(address, headers=manager)
    assert whole.status_code == 200
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "audio/wav"
    with wave.open(BytesIO(whole.content)) as audio:
        assert (audio.getnchannels(), audio.getframerate()) == (2, 16_000)
    size = len(whole.content)
    parts = []
    for start in range(0, size, size // 3 + 1):
        end = min(start + size // 3, size - 1)
        part = client.get(address, headers={**manager, "Range": f"bytes={start}-{end}"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {start}-{end}/{size}"
        parts.append(part.content)
    assert b"".join(parts) == whole.content
    tail = client.get(address, headers={**manager, "Range": "bytes=-100"})
    assert tail.content == whole.content[-100:]


def test_audio_answers_head_if_range_and_impossible_ranges(
    client: TestClient, call: str, manager: dict[str, str]
) -> None:
    address = f"/v1/recordings/{call}/audio"
    head = client.head(address, headers=manager)
    assert (head.status_code, head.content) == (200, b"")
    size, etag = int(head.headers["content-length"]), head.headers["etag"]
    first = {**manager, "Range": "bytes=0-9"}
    assert client.get(address, headers={**first, "If-Range": etag}).status_code == 206
    assert client.get(address, headers={**first, "If-Range": '"older"'}).status_code == 200
    assert client.get(address, headers={**manager, "If-None-Match": etag}).status_code == 304
    beyond = client.get(address, headers={**manager, "Range": f"bytes={size}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    assert beyond.json()["code"] == "range_not_satisfiable"


def test_a_seller_sees_own_recordings_only(world: World, client: TestClient, call: str) -> None:
    other = add_bare(world.services, metadata=replace(BASE.metadata, seller="lin"))
    unknown = add_bare(world.services, metadata=replace(BASE.metadata, seller=None))
    sign_in(client, SELLER)
    listed = client.get("/v1/recordings").json()["items"]
    assert [item["id"] for item in listed] == [call]
    assert client.get("/v1/recordings", params={"seller": "lin"}).status_code == 404
    for part in ("", "/transcript", "/insights", "/scorecard", "/scorecards", "/audio", "/peaks"):
        assert client.get(f"/v1/recordings/{call}{part}").status_code == 200
        for foreign in (other, unknown):
            assert client.get(f"/v1/recordings/{foreign}{part}").status_code == 404
    page = {"Accept": "text/html"}
    assert client.get(f"/recordings/{call}", headers=page).status_code == 200
    assert client.get(f"/recordings/{other}", headers=page).status_code == 404


def test_a_sign_in_that_is_linked_to_a_seller_sees_that_sellers_recordings(
    world: World, client: TestClient, call: str
) -> None:
    other = add_bare(world.services, metadata=replace(BASE.metadata, seller="lin"))
    headers, _ = sign_in(client, "he.yun")
    with transaction(world.services.sessions) as session:
        SellerStore().add(session, "lin", SellerValues(user_name="he.yun"), by="test")
    listed = client.get("/v1/recordings", headers=headers).json()["items"]
    assert [item["id"] for item in listed] == [other]
    assert client.get(f"/v1/recordings/{call}", headers=headers).status_code == 404


def test_a_sign_in_whose_name_is_the_key_of_somebody_elses_seller_sees_nothing(
    world: World, client: TestClient, call: str
) -> None:
    headers, _ = sign_in(client, "he.yun")
    with transaction(world.services.sessions) as session:
        SellerStore().add(session, "he.yun", SellerValues(user_name="he.yun.2"), by="test")
    for path in ("/v1/recordings", f"/v1/recordings/{call}", "/recordings"):
        assert client.get(path, headers=headers).status_code == 403


def test_a_recording_is_processed_again_when_its_job_is_finished(
    world: World, client: TestClient, manager: dict[str, str]
) -> None:
    bare = add_bare(world.services)
    address = f"/v1/recordings/{bare}/reprocess"
    assert client.post(address, headers=manager).status_code == 404
    with world.services.sessions.begin() as session:
        world.services.jobs.enqueue(session, bare)
    assert client.post(address, headers=manager).status_code == 409
    job = client.get(f"/v1/jobs/{bare}", headers=manager)
    schemas.Job.model_validate(job.json())
    assert job.json()["state"] == "queued"


def test_a_failed_recording_waits_again_after_it_was_queued_again(
    world: World, client: TestClient, manager: dict[str, str]
) -> None:
    bare = add_bare(world.services)
    jobs = world.services.jobs
    assert isinstance(jobs, MemoryJobs)
    with world.services.sessions.begin() as session:
        jobs.enqueue(session, bare)
        world.services.recordings.quarantine(session, bare, "not_audio", "the file holds no audio")
    jobs.run_all(Workflow(run=lambda stages, recording_id: None, stage_names=()))
    keyed = {**manager, "Idempotency-Key": "again"}
    first = client.post(f"/v1/recordings/{bare}/reprocess", headers=keyed)
    assert first.status_code == 202
    schemas.Queued.model_validate(first.json())
    assert client.post(f"/v1/recordings/{bare}/reprocess", headers=keyed).json() == first.json()
    assert client.get(first.headers["location"], headers=manager).json()["id"] == first.json()["id"]
    document = client.get(f"/v1/recordings/{bare}", headers=manager).json()
    assert (document["status"], document["error"]) == ("received", None)


def test_jobs_are_listed_page_by_page(world: World, client: TestClient, manager: dict[str, str]) -> None:
    queued = []
    for _ in range(5):
        queued.append(add_bare(world.services))
        with world.services.sessions.begin() as session:
            world.services.jobs.enqueue(session, queued[-1])
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        page = client.get("/v1/jobs", params=query, headers=manager).json()
        schemas.JobPage.model_validate(page)
        seen += [job["recording_id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == queued[::-1]
