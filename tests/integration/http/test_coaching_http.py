"""Coaching over HTTP: sellers, teams, the objection map, the library, practices, the digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from api_world import World, sign_in
from coached import add_coached_history
from coached_file import coached_file
from pydantic import BaseModel
from sqlalchemy import Engine
from starlette.testclient import TestClient

from huaxiang.api.http import answer_schemas, coaching_schemas
from huaxiang.profile.coaching.digest import week_of
from huaxiang.profile.coaching.sellers import SellerValues

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SELLER, OTHER = "he.yun", "mo.xi"


@pytest.fixture(scope="module")
def sqlite_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with eight weeks of twelve sellers, in the place of an empty one."""
    return coached_file(sqlite_template, tmp_path_factory.mktemp("coached")).path


@pytest.fixture
def manager(world: World, engine: Engine) -> dict[str, str]:
    """The header of a manager, in a store with eight weeks of twelve sellers."""
    if engine.dialect.name != "sqlite":
        add_coached_history(world.services.sessions, 60)
    return world.headers("manager")


def last_week() -> str:
    return week_of((datetime.now(UTC) - timedelta(days=7)).date())


def read(client: TestClient, path: str, headers: dict[str, str], **query: object) -> Any:
    response = client.get(path, params=query, headers=headers)  # type: ignore[arg-type]
    assert response.status_code == 200, (path, response.text[:200])
    return response.json()


def advised(client: TestClient, headers: dict[str, str]) -> tuple[str, str]:
    """Return a seller to whom something is advised, and what."""
    for line in read(client, "/v1/sellers", headers, days=366)["items"]:
        key = line["seller"]["key"]
        for advice in read(client, f"/v1/sellers/{key}", headers)["advice"]:
            return key, advice["suggestion"]["topic"]
    pytest.fail("nothing is advised to anybody")


def test_answers_have_the_form_that_openapi_shows(client: TestClient, manager: dict[str, str]) -> None:
    found = read(client, "/v1/objections", manager)
    cell = found["cells"][0]
    forms: dict[str, type[BaseModel]] = {
        "/v1/sellers": coaching_schemas.SellerPage,
        f"/v1/sellers/{SELLER}": coaching_schemas.SellerView,
        "/v1/teams": coaching_schemas.Teams,
        "/v1/teams/门店组": coaching_schemas.TeamView,
        "/v1/behaviours": coaching_schemas.Behaviours,
        "/v1/objections": answer_schemas.ObjectionMap,
        f"/v1/objections/{cell['objection']}/{cell['answer']}": answer_schemas.CoursePage,
        "/v1/library": answer_schemas.EntryPage,
        "/v1/library/candidates": answer_schemas.Candidates,
        f"/v1/digests/{last_week()}": answer_schemas.Digest,
    }
    for path, form in forms.items():
        form.model_validate(read(client, path, manager))


@ON_SQLITE
def test_sellers_are_listed_page_by_page_with_their_scores(
    client: TestClient, manager: dict[str, str]
) -> None:
    keys, cursor = [], None
    while True:
        page = read(client, "/v1/sellers", manager, limit=5, **({"cursor": cursor} if cursor else {}))
        keys += [line["seller"]["key"] for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys)) == 12
    assert client.get("/v1/sellers?cursor=made-up", headers=manager).status_code == 400
    own = read(client, "/v1/sellers", manager, team="门店组")["items"]
    assert {line["seller"]["team"] for line in own} == {"门店组"}


@ON_SQLITE
def test_every_cell_of_the_map_opens_just_what_it_counts(client: TestClient, manager: dict[str, str]) -> None:
    found = read(client, "/v1/objections", manager)
    assert sum(cell["n"] for cell in found["cells"]) == found["n"] > 0
    for cell in found["cells"]:
        path = f"/v1/objections/{cell['objection']}/{cell['answer']}"
        courses: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = read(client, path, manager, limit=3, **({"cursor": cursor} if cursor else {}))
            courses += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len({(c["recording_id"], c["turn"]) for c in courses}) == len(courses) == cell["n"]
        assert sum(c["settled"] for c in courses) == round(cell["settled"]["value"] * cell["n"])
        assert [c["held_at"] for c in courses] == sorted((c["held_at"] for c in courses), reverse=True)
        for course in courses:
            assert course["quotes"][0]["part"] == "objection"
            assert course["quotes"][0]["evidence"]["turn"] == course["turn"]


@ON_SQLITE
def test_a_seller_reads_their_own_page_and_no_others(client: TestClient, manager: dict[str, str]) -> None:
    headers, _ = sign_in(client, SELLER)
    assert read(client, f"/v1/sellers/{SELLER}", headers)["seller"]["key"] == SELLER
    for path in (f"/v1/sellers/{OTHER}", "/v1/sellers/nobody"):
        assert client.get(path, headers=headers).status_code == 404
    refused = client.put(f"/v1/sellers/{OTHER}/consent", json={"library": True}, headers=headers)
    assert refused.status_code == 404
    assert client.get("/v1/objections", headers=headers).status_code == 403


@ON_SQLITE
def test_a_manager_writes_a_seller_and_repeats_safely(client: TestClient, manager: dict[str, str]) -> None:
    repeated = {**manager, "Idempotency-Key": "write-1"}
    for _ in range(2):
        made = client.put("/v1/sellers/xin", json={"name": "新人", "team": "门店组"}, headers=repeated)
        assert made.status_code == 201
    changed = client.put("/v1/sellers/xin", json={"team": None}, headers=manager)
    assert (changed.status_code, changed.json()["team"], changed.json()["name"]) == (200, None, "新人")
    stale = {**manager, "If-Match": made.headers["etag"]}
    assert client.put("/v1/sellers/xin", json={"team": "x"}, headers=stale).status_code == 412
    assert client.put("/v1/sellers/xin", json={"name": None}, headers=manager).status_code == 400
    linked = client.put("/v1/sellers/xin", json={"user_name": "mei"}, headers=manager)
    assert linked.json()["user_name"] == "mei"
    taken = client.put(f"/v1/sellers/{OTHER}", json={"user_name": "mei"}, headers=manager)
    assert taken.status_code == 409


@ON_SQLITE
def test_an_answer_is_adopted_by_consent_only_and_goes_with_it(
    client: TestClient, manager: dict[str, str]
) -> None:
    candidates = read(client, "/v1/library/candidates", manager, limit=100)["items"]
    refused = next(one for one in candidates if not one["consents"])
    best = next(one["course"] for one in candidates if one["consents"])

    def wanted(course: dict[str, Any]) -> dict[str, Any]:
        named = {name: course[name] for name in ("recording_id", "objection", "turn")}
        return {**named, "title": "先认同再算账", "tags": ["价格"]}

    assert client.post("/v1/library", json=wanted(refused["course"]), headers=manager).status_code == 403
    made = client.post("/v1/library", json=wanted(best), headers=manager)
    assert made.status_code == 201
    assert client.post("/v1/library", json=wanted(best), headers=manager).status_code == 409
    entry = made.json()
    assert entry["passage"]["seller"] == best["seller"]
    path = f"/v1/library/{entry['id']}"
    edited = client.put(path, json={"title": "算给他听", "tags": []}, headers=manager).json()
    assert [event["title"] for event in edited["history"]] == ["先认同再算账", "算给他听"]
    after = read(client, "/v1/library/candidates", manager, limit=100)["items"]
    assert best not in [one["course"] for one in after]
    headers, _ = sign_in(client, SELLER)
    assert [one["id"] for one in read(client, "/v1/library", headers)["items"]] == [entry["id"]]
    gone = client.put(f"/v1/sellers/{best['seller']}/consent", json={"library": False}, headers=manager)
    assert gone.json()["library_consent"] is False
    assert read(client, "/v1/library", manager)["items"] == []
    assert client.get(path, headers=manager).status_code == 404


@ON_SQLITE
def test_what_is_advised_is_assigned_acknowledged_followed_up_and_closed(
    client: TestClient, manager: dict[str, str]
) -> None:
    key, topic = advised(client, manager)
    path = f"/v1/sellers/{key}/practices"
    assert client.post(path, json={"topic": "item.made_up"}, headers=manager).status_code == 404
    made = client.post(path, json={"topic": topic, "note": "先听三段"}, headers=manager)
    assert made.status_code == 201
    practice = made.json()
    assert client.post(path, json={"topic": topic}, headers=manager).status_code == 404  # no longer advised
    view = read(client, f"/v1/sellers/{key}", manager)
    assert topic not in [advice["suggestion"]["topic"] for advice in view["advice"]]
    assert [one["practice"]["id"] for one in view["practices"]] == [practice["id"]]
    assert topic in view["trends"]
    own = f"/v1/practices/{practice['id']}"
    read_it = client.post(f"{own}/acknowledge", json={"note": "好"}, headers=manager)
    assert read_it.json()["acknowledged_at"] is not None
    assert client.post(f"{own}/acknowledge", json={}, headers=manager).status_code == 409
    followed = client.post(f"{own}/follow-up", json={"note": "看看"}, headers=manager).json()
    assert set(followed["history"][-1]["figures"]) == {"since", "change", "moved"}
    closed = client.post(f"{own}/close", json={}, headers=manager).json()
    kinds = ["assigned", "acknowledged", "followed_up", "closed"]
    assert ([event["kind"] for event in closed["history"]], closed["closed"]) == (kinds, True)
    assert client.post(f"{own}/follow-up", json={}, headers=manager).status_code == 409


@ON_SQLITE
def test_a_seller_sees_only_own_practices(world: World, client: TestClient, manager: dict[str, str]) -> None:
    key, topic = advised(client, manager)
    made = client.post(f"/v1/sellers/{key}/practices", json={"topic": topic}, headers=manager).json()
    with world.services.sessions.begin() as session:
        sellers = world.services.coaching.records.sellers
        sellers.add(session, "somebody", SellerValues(user_name=SELLER), by="test")
    headers, _ = sign_in(client, SELLER)
    for step in ("acknowledge", "close"):
        refused = client.post(f"/v1/practices/{made['id']}/{step}", json={}, headers=headers)
        assert refused.status_code == 404
    refused = client.post(f"/v1/practices/{made['id']}/follow-up", json={}, headers=headers)
    assert refused.status_code == 403


@ON_SQLITE
def test_the_digest_counts_the_week_and_refuses_what_is_none(
    client: TestClient, manager: dict[str, str]
) -> None:
    found = read(client, f"/v1/digests/{last_week()}", manager)
    assert found["teams"][0]["team"] is None
    assert found["teams"][0]["conversations"] == sum(t["conversations"] for t in found["teams"][1:]) > 0
    assert sum(found["outcomes"].values()) == found["teams"][0]["conversations"]
    one_team = read(client, f"/v1/digests/{last_week()}", manager, team="方案组")
    assert one_team["teams"][0]["conversations"] < found["teams"][0]["conversations"]
    assert client.get("/v1/digests/2026-W99", headers=manager).status_code == 400
    assert client.get("/v1/digests/2999-W01", headers=manager).status_code == 400
    missing = client.get(f"/v1/digests/{last_week()}", params={"team": "无"}, headers=manager)
    assert missing.status_code == 404
