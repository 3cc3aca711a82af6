"""``/v1/search``: conversations by what was said in them, and by what is known of them."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World, add_bare, add_call, sign_in
from history import add_history
from starlette.testclient import TestClient

from huaxiang.api.http.search_schemas import FoundPage
from huaxiang.core.types import FindingKind

# What is tested here does not depend on the database; the list is tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def search(client: TestClient, world: World, **parameters: object) -> dict[str, Any]:
    response = client.get(
        "/v1/search",
        params={name: str(value) for name, value in parameters.items()},
        headers=world.headers("manager"),
    )
    assert response.status_code == 200, response.json()["code"]
    FoundPage.model_validate(response.json())
    document: dict[str, Any] = response.json()
    return document


def test_words_find_the_call_with_the_turn_and_its_second(world: World, client: TestClient) -> None:
    call = add_call(world.services)
    add_bare(world.services)
    found = search(client, world, q="爱人商量", role="customer")
    assert found["total"] == 1
    (item,) = found["items"]
    assert item["recording"]["id"] == call
    assert [hit["turn"] for hit in item["hits"]] == [9]
    assert item["hits"][0]["start_ms"] < item["hits"][0]["end_ms"]
    assert item["score"]["auto_failed"] is True
    assert search(client, world, q="爱人商量", role="agent")["items"] == []
    assert search(client, world)["total"] == 2


def test_filters_and_order_reach_the_list(world: World, client: TestClient) -> None:
    history = add_history(world.services.sessions, 12)
    everything = search(client, world, sort="score")
    shares = [item["score"]["score"] / item["score"]["possible"] for item in everything["items"]]
    assert shares == sorted(shares)
    low = search(client, world, score_from=0, score_before=60)
    assert low["total"] == sum(share < 0.6 for share in shares)
    objected = {
        one.recording.id
        for one in history
        if any(f.kind is FindingKind.OBJECTION and not f.for_review for f in one.insights.findings)
    }
    valid = {i["recording"]["id"] for i in everything["items"] if not i["score"]["auto_failed"]}
    found = search(client, world, label="objection.any", auto_failed="false")["items"]
    assert {item["recording"]["id"] for item in found} == objected & valid
    assert 0 < len(found) < len(history)
    assert search(client, world, review="final")["total"] == 0


def test_pages_are_followed_to_the_end(world: World, client: TestClient) -> None:
    add_history(world.services.sessions, 7)
    seen: list[str] = []
    cursor = ""
    while True:
        page = search(client, world, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [item["recording"]["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page["total"] == 7


def test_a_seller_finds_own_calls_only(world: World, client: TestClient) -> None:
    history = add_history(world.services.sessions, 12)
    own = {one.recording.id for one in history if one.seller.key == "he.yun"}
    sign_in(client, "he.yun")
    items = client.get("/v1/search").json()["items"]
    assert {item["recording"]["id"] for item in items} == own
    assert client.get("/v1/search?seller=lu.qiao").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("q=。，", 400),
        ("sort=secret", 400),
        ("cursor=x", 400),
        ("label=nonsense", 400),
        ("started_from=2026-01-01T00:00:00", 400),
        ("started_from=0001-01-01T00:00:00%2B08:00", 400),
        ("started_before=9999-12-31T23:00:00-08:00", 400),
        ("score_from=120", 422),
        ("role=nobody", 422),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/v1/search?{query}", headers=world.headers("manager")).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/v1/recordings?started_from=0001-01-01T00:00:00%2B08:00",
        "/v1/customers?updated_since=9999-12-31T23:59:59-08:00",
        "/v1/digests/9999-W52",
        "/v1/digests/0001-W01",
    ],
)
def test_a_time_out_of_reach_is_the_callers_mistake(world: World, client: TestClient, path: str) -> None:
    answer = client.get(path, headers=world.headers("manager"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
