"""Comparisons and the lab over HTTP: begun once, read page by page, in the forms that are described."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World
from finished import wait_for
from starlette.testclient import TestClient
from tried import add_indexed_history, changed_text

from huaxiang.api.http import history_schemas as schemas
from huaxiang.quality.loader import DEFAULT

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
COMPARISONS = "/v1/rule-comparisons"


@pytest.fixture
def manager(world: World) -> dict[str, str]:
    return world.headers("manager")


def begin(client: TestClient, headers: dict[str, str], text: str, key: str | None = None) -> Any:
    more = {"Idempotency-Key": key} if key else {}
    return client.post(COMPARISONS, json={"text": text}, headers={**headers, **more})


def finished(client: TestClient, headers: dict[str, str], url: str) -> Any:
    wait_for(lambda: client.get(url, headers=headers).json()["state"] != "running")
    return client.get(url, headers=headers).json()


def test_a_scorecard_is_tried_and_every_conversation_that_changes_is_listed(
    world: World, client: TestClient, manager: dict[str, str]
) -> None:
    add_indexed_history(world.services.sessions, 36)
    begun = begin(client, manager, changed_text())
    assert begun.status_code == 202
    document = finished(client, manager, begun.headers["location"])
    schemas.Comparison.model_validate(document)
    result = document["result"]
    assert (result["before"], result["after"]) == (f"{DEFAULT} @ 1", f"{DEFAULT} @ 2")
    assert result["whole"]["conversations"] == 36
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=5&cursor={cursor}" if cursor else "?limit=5"
        page = client.get(f"{begun.headers['location']}/changes{query}", headers=manager).json()
        schemas.Changes.model_validate(page)
        seen += [change["recording_id"] for change in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == result["whole"]["changed"] > 5
    seller = result["sellers"][0]["key"]
    theirs = client.get(f"{begun.headers['location']}/changes?seller={seller}", headers=manager).json()
    assert len(theirs["items"]) == result["sellers"][0]["changed"]
    foreign = client.get(f"{begun.headers['location']}/changes?cursor=x", headers=manager)
    assert foreign.status_code == 400


def test_a_comparison_is_begun_once_for_a_key(
    world: World, client: TestClient, manager: dict[str, str]
) -> None:
    add_indexed_history(world.services.sessions, 4)
    first = begin(client, manager, changed_text(), "try-1").json()
    again = begin(client, manager, changed_text(), "try-1")
    assert again.json()["id"] == first["id"]
    assert again.headers["idempotency-replayed"] == "true"
    finished(client, manager, f"{COMPARISONS}/{first['id']}")
    second = begin(client, manager, changed_text()).json()
    finished(client, manager, f"{COMPARISONS}/{second['id']}")
    page = client.get(f"{COMPARISONS}?limit=1&scorecard={DEFAULT}", headers=manager).json()
    schemas.Comparisons.model_validate(page)
    assert [one["id"] for one in page["items"]] == [second["id"]]
    rest = client.get(f"{COMPARISONS}?cursor={page['next_cursor']}", headers=manager).json()
    assert [one["id"] for one in rest["items"]] == [first["id"]]


def test_a_file_with_mistakes_and_what_is_not_there_are_refused(
    client: TestClient, manager: dict[str, str]
) -> None:
    refused = begin(client, manager, "scorecard: x\nversion: 1\n")
    assert refused.status_code == 400
    assert refused.json()["code"] == "invalid_rules"
    assert "line" in refused.json()["detail"]
    assert client.get(f"{COMPARISONS}/nothing", headers=manager).status_code == 404
    assert client.get(f"{COMPARISONS}/nothing/changes", headers=manager).status_code == 404


def test_the_lab_is_run_read_and_given_floors(
    world: World, client: TestClient, manager: dict[str, str]
) -> None:
    add_indexed_history(world.services.sessions, 12)
    assert client.get("/v1/rule-lab", headers=manager).json() == {"items": [], "busy": False}
    assert client.post("/v1/rule-lab/run", headers=manager).json() == {"started": True}
    wait_for(lambda: not world.services.history.lab_is_busy)
    lab = client.get(f"/v1/rule-lab?scorecard={DEFAULT}", headers=manager).json()
    schemas.Lab.model_validate(lab)
    assert {item["definition"] for item in lab["items"]} == {f"{DEFAULT} @ 1"}
    set_to = client.put(f"/v1/rule-lab/{DEFAULT}/greeting/floor", json={"floor": 0.7}, headers=manager)
    schemas.Floor.model_validate(set_to.json())
    lab = client.get(f"/v1/rule-lab?scorecard={DEFAULT}", headers=manager).json()
    assert {item["item"]: item["floor"] for item in lab["items"]}["greeting"] == 0.7
    for url, floor in ((f"{DEFAULT}/greeting", 1.2), (f"{DEFAULT}/nothing", 0.5), ("nothing/greeting", 0.5)):
        refused = client.put(f"/v1/rule-lab/{url}/floor", json={"floor": floor}, headers=manager)
        assert refused.status_code in (404, 422)
