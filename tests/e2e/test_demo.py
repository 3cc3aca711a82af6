"""The demo on real audio: two calls go in over HTTP, and every claim of the profile can be heard."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The demo's server after its run, and a client that may read everything."""
    data_dir = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "huaxiang.api.demo", "--data-dir", str(data_dir), "--port", "8797"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stdout[-500:]
    state = json.loads((data_dir / "demo.json").read_text(encoding="utf-8"))
    with httpx.Client(
        base_url=state["url"], headers={"authorization": f"Bearer {state['token']}"}, timeout=30
    ) as client:
        yield client
    subprocess.run([*command, "--stop"], capture_output=True, check=True)


@pytest.fixture(scope="module")
def recordings(demo: httpx.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = demo.get("/v1/recordings").raise_for_status().json()["items"]
    return items


def spans(document: Any) -> Iterator[dict[str, Any]]:
    """Every quoted span in a JSON document."""
    if isinstance(document, dict):
        if {"quote", "turn", "char_start"} <= document.keys():
            yield document
        for value in document.values():
            yield from spans(value)
    elif isinstance(document, list):
        for value in document:
            yield from spans(value)


def test_both_calls_came_through_every_stage(recordings: list[dict[str, Any]]) -> None:
    assert [recording["status"] for recording in recordings] == ["done", "done"]


def test_every_claim_quotes_the_turn_that_it_names(
    demo: httpx.Client, recordings: list[dict[str, Any]]
) -> None:
    for recording in recordings:
        url = f"/v1/recordings/{recording['id']}"
        turns = demo.get(f"{url}/transcript").raise_for_status().json()["turns"]
        claims = [
            *spans(demo.get(f"{url}/insights").raise_for_status().json()),
            *spans(demo.get(f"{url}/scorecard").raise_for_status().json()),
        ]
        assert claims
        wrong = [
            claim["turn"]
            for claim in claims
            if turns[claim["turn"]]["text"][claim["char_start"] : claim["char_end"]] != claim["quote"]
        ]
        assert not wrong
        outside = [
            claim["turn"]
            for claim in claims
            if not 0 <= claim["start_ms"] <= claim["end_ms"] <= recording["duration_ms"] + 1000
        ]
        assert not outside


def test_every_tag_of_a_profile_can_be_traced_to_a_second_of_audio(
    demo: httpx.Client, recordings: list[dict[str, Any]]
) -> None:
    profile = demo.get("/v1/customers/DEMO-001/profile").raise_for_status().json()
    assert profile["tags"]
    known = {recording["id"] for recording in recordings}
    for tag in profile["tags"]:
        evidence = list(spans(tag))
        assert evidence
        assert {span["recording_id"] for span in evidence} <= known
        assert tag["source"]
        assert tag["observed_at"]


def test_the_crm_field_keeps_its_source_beside_what_was_heard(demo: httpx.Client) -> None:
    profile = demo.get("/v1/customers/DEMO-001/profile").raise_for_status().json()
    assert '"source": "crm"' in json.dumps(profile["fields"])


def test_the_second_of_a_finding_can_be_played(demo: httpx.Client, recordings: list[dict[str, Any]]) -> None:
    url = f"/v1/recordings/{recordings[0]['id']}"
    span = next(spans(demo.get(f"{url}/insights").json()))
    header = demo.get(f"{url}/audio", headers={"range": "bytes=0-43"})
    assert header.status_code == 206
    with wave.open(io.BytesIO(header.content)) as described:
        frame_bytes, rate = described.getsampwidth() * described.getnchannels(), described.getframerate()
    start = 44 + span["start_ms"] * rate // 1000 * frame_bytes
    clip = demo.get(f"{url}/audio", headers={"range": f"bytes={start}-{start + rate * frame_bytes - 1}"})
    assert clip.status_code == 206
    assert len(clip.content) == rate * frame_bytes
    assert len(set(clip.content)) > 16


def test_the_page_of_a_call_asks_for_a_sign_in(demo: httpx.Client, recordings: list[dict[str, Any]]) -> None:
    page = httpx.get(f"{demo.base_url}/recordings/{recordings[0]['id']}", follow_redirects=False)
    assert page.status_code in (302, 303, 307, 401)


def test_the_same_bytes_again_are_the_same_recording(
    demo: httpx.Client, recordings: list[dict[str, Any]]
) -> None:
    assert len(recordings) == 2
    assert len({recording["sha256"] for recording in recordings}) == 2


def test_the_log_of_the_server_holds_nothing_that_was_said(
    demo: httpx.Client, recordings: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = "".join(
        path.read_text(encoding="utf-8") for path in tmp_path_factory.getbasetemp().glob("demo*/server.log")
    )
    assert log
    for recording in recordings:
        turns = demo.get(f"/v1/recordings/{recording['id']}/transcript").json()["turns"]
        said = [turn["index"] for turn in turns if len(turn["text"]) >= 4 and turn["text"] in log]
        assert not said
