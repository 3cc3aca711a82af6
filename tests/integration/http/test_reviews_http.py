"""Reviews over HTTP: from the queue to the final decision, plans that draw, calibrations that are blind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from api_world import World, sign_in
from pydantic import BaseModel
from reviews import DEFINITION, store_conversations
from starlette.testclient import TestClient

from huaxiang.api.access.tokens import add_token
from huaxiang.api.http import review_schemas as schemas
from huaxiang.core.database import now, transaction
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.quality import rule_store

SELLER = "he.yun"
PLAN = "plan: daily\ntitle: 每天抽一半\nperiod: day\nseed: 7\ndraws: [{share: 0.5}]\nreviewers: [mei]\n"


class Person:
    """Somebody who calls: a program with a key, or a person with a session."""

    def __init__(self, client: TestClient, headers: dict[str, str], cookies: dict[str, str]) -> None:
        self._client, self._headers, self._cookies = client, headers, cookies

    def get(self, path: str, form: type[BaseModel], **query: Any) -> Any:
        answer = self._send("GET", path, 200, params=query)
        form.model_validate_json(answer.content)
        return answer.json()

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        return self._send("POST", path, status, json=body).json()

    def _send(self, method: str, path: str, status: int, **more: Any) -> Any:
        self._client.cookies.clear()
        for name, value in self._cookies.items():
            self._client.cookies.set(name, value)
        answer = self._client.request(method, path, headers=self._headers, **more)
        assert answer.status_code == status, answer.text
        return answer


def signed_in(client: TestClient, name: str) -> Person:
    headers, _ = sign_in(client, name)
    return Person(client, headers, dict(client.cookies.items()))


@pytest.fixture
def mei(client: TestClient) -> Person:
    return signed_in(client, "mei")


@pytest.fixture
def seller(client: TestClient) -> Person:
    return signed_in(client, SELLER)


@pytest.fixture
def manager(client: TestClient) -> Person:
    """Another manager than mei."""
    return signed_in(client, "root")


def program(world: World, client: TestClient, name: str) -> Person:
    """A program whose token has the scope of a manager and this name."""
    with transaction(world.services.sessions) as session:
        _, value = add_token(session, name, ["manager"])
    return Person(client, {"Authorization": f"Bearer {value}"}, {})


def call_of(world: World, seller: str = SELLER, start: int = 0) -> str:
    (call,) = store_conversations(world.services.sessions, start=start, seller=seller)
    return call.recording.id


def flipped(case: dict[str, Any], reason: str = "听了录音") -> dict[str, str]:
    """Return a judgement of the first item that says the contrary."""
    item = case["items"][0]
    outcome = "failed" if item["automatic"] == "passed" else "passed"
    return {"item": item["id"], "outcome": outcome, "reason": reason}


def test_a_score_is_reviewed_appealed_and_settled_and_its_history_shows_all(
    world: World, mei: Person, seller: Person, manager: Person
) -> None:
    call = call_of(world)
    case = mei.post("/v1/reviews", {"recording_id": call}, 201)
    assert (case["state"], case["origin"], case["seller"]) == ("to_review", "chosen", SELLER)
    path = f"/v1/reviews/{case['id']}"
    said = flipped(case)
    kept = mei.post(f"{path}/judge", {"judgements": [said], "seen": 1})
    assert kept["items"][0]["reviewed"]["outcome"] == said["outcome"]
    assert kept["score"]["changed"] is False  # it counts when it is handed in
    seen_by_seller = seller.get(path, schemas.Case)
    assert seen_by_seller["items"][0]["reviewed"] is None
    assert [act["kind"] for act in seen_by_seller["history"]] == ["opened"]

    done = mei.post(f"{path}/submit", {"judgements": [], "seen": kept["version"]})
    assert done["state"] == "reviewed"
    assert done["score"]["changed"] is True
    assert seller.get(path, schemas.Case)["items"][0]["reviewed"]["by"] == "mei"
    assert manager.post(f"{path}/appeal", {"reason": "不同意"}, 403)["code"] == "forbidden"
    appealed = seller.post(
        f"{path}/appeal", {"reason": "第 3 句说了", "items": [said["item"]], "seen": done["version"]}
    )
    assert appealed["appeal"]["items"] == [said["item"]]
    back = {**said, "outcome": case["items"][0]["automatic"], "reason": "确实说了"}
    body = {"judgements": [back], "reason": "申诉成立", "seen": appealed["version"]}
    assert mei.post(f"{path}/settle", body, 403)["code"] == "forbidden"  # who reviewed does not settle
    manager.post(f"{path}/settle", body)
    final = seller.get(path, schemas.Case)
    assert final["state"] == "final"
    assert final["score"]["score"] == final["score"]["automatic_score"]
    assert [act["kind"] for act in final["history"]] == [
        "opened", "judged", "reviewed", "appealed", "judged", "settled",
    ]  # fmt: skip
    assert mei.post(f"{path}/reopen", {"reason": "再看", "seen": 6}, 409)["code"] == "illegal_transition"


def test_a_seller_asks_for_the_review_of_an_own_call_with_a_reason_and_sees_no_others(
    world: World, mei: Person, seller: Person
) -> None:
    mine, other = (
        call_of(world),
        call_of(world, "lin", 1),
    )
    assert seller.post("/v1/reviews", {"recording_id": mine}, 400)["code"] == "invalid_input"
    asked = seller.post("/v1/reviews", {"recording_id": mine, "reason": "第 3 句说了"}, 201)
    assert (asked["origin"], asked["request"]) == ("seller", "第 3 句说了")
    assert mei.post("/v1/reviews", {"recording_id": mine}, 409)["code"] == "conflict"
    seller.post("/v1/reviews", {"recording_id": other, "reason": "看看"}, 404)
    theirs = mei.post("/v1/reviews", {"recording_id": other}, 201)
    seller._send("GET", f"/v1/reviews/{theirs['id']}", 404)
    seller.post(f"/v1/reviews/{theirs['id']}/appeal", {"reason": "不同意"}, 404)
    listed = seller.get("/v1/reviews", schemas.CasePage)
    assert [item["id"] for item in listed["items"]] == [asked["id"]]
    assert listed["counts"]["to_review"] == 1
    assert mei.get("/v1/reviews", schemas.CasePage)["counts"]["to_review"] == 2
    seller._send("GET", "/v1/reviews?seller=lin", 404)


def test_two_reviewers_do_not_overwrite_each_other(world: World, mei: Person, manager: Person) -> None:
    case = mei.post("/v1/reviews", {"recording_id": call_of(world)}, 201)
    path, first, second = f"/v1/reviews/{case['id']}", case["items"][0], case["items"][1]

    def same(item: dict[str, Any]) -> dict[str, Any]:
        return {"judgements": [{"item": item["id"], "outcome": item["automatic"]}], "seen": 1}

    mei.post(f"{path}/judge", same(first))
    manager.post(f"{path}/judge", same(second))
    assert manager.post(f"{path}/judge", same(first), 409)["code"] == "out_of_date"
    assert manager.post(f"{path}/submit", {**same(first)}, 409)["code"] == "out_of_date"
    unknown = {"judgements": [{"item": "nothing", "outcome": "passed"}], "seen": 3}
    assert manager.post(f"{path}/judge", unknown, 404)["code"] == "not_found"
    changed = {"judgements": [flipped(case, "")], "seen": 3}
    assert manager.post(f"{path}/judge", changed, 400)["code"] == "invalid_input"


def test_who_is_linked_to_the_seller_of_a_call_does_not_review_it(world: World, mei: Person) -> None:
    call = call_of(world, "S-17")
    with transaction(world.services.sessions) as session:
        SellerStore().add(session, "S-17", SellerValues(user_name="mei"), by="root")
    case = mei.post("/v1/reviews", {"recording_id": call}, 201)
    said = {"judgements": [flipped(case)], "seen": 1}
    assert mei.post(f"/v1/reviews/{case['id']}/submit", said, 403)["code"] == "forbidden"
    session_of_own = {"title": "周会", "reviewers": ["mei", "root"], "recordings": [call]}
    assert mei.post("/v1/calibrations", session_of_own, 403)["code"] == "forbidden"


def test_what_a_case_was_scored_by_is_kept_when_the_package_is_renewed(
    world: World, mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = mei.post("/v1/reviews", {"recording_id": call_of(world)}, 201)
    monkeypatch.setattr(rule_store, "shipped_files", lambda: ())
    rule_store._shipped.cache_clear()
    world.services.rules._read.clear()
    try:
        again = mei.get(f"/v1/reviews/{case['id']}", schemas.Case)
    finally:
        rule_store._shipped.cache_clear()
    assert again["score"] == case["score"]


def test_the_queue_is_paged_filtered_and_shared_out(world: World, mei: Person) -> None:
    calls = store_conversations(world.services.sessions, 5)
    for call in calls:
        mei.post("/v1/reviews", {"recording_id": call.recording.id}, 201)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = mei.get("/v1/reviews", schemas.CasePage, **query)
        seen += [item["recording_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(call.recording.id for call in calls)
    newest = mei.get("/v1/reviews", schemas.CasePage, order="newest")["items"]
    assert [item["recording_id"] for item in newest] == seen[::-1]
    first = newest[0]
    mei.post(f"/v1/reviews/{first['id']}/assign", {"assignee": "lao.li", "seen": 1})
    mine = mei.get("/v1/reviews", schemas.CasePage, assignee="mei", state="to_review")["items"]
    assert first["id"] not in {item["id"] for item in mine}
    assert len(mine) == 4
    own = {"assignee": first["seller"], "seen": 2}
    assert mei.post(f"/v1/reviews/{first['id']}/assign", own, 403)["code"] == "forbidden"


def test_a_plan_is_saved_by_version_tried_dry_and_draws_a_period_once(world: World, mei: Person) -> None:
    yesterday = now() - timedelta(days=1)
    store_conversations(world.services.sessions, 6, started_at=yesterday)
    wrong = mei.post("/v1/sampling-plans", {"text": PLAN.replace("0.5", "2")}, 400)
    assert (wrong["code"], "line 5" in wrong["detail"]) == ("invalid_rules", True)
    mei.post("/v1/sampling-plans", {"text": PLAN, "active": False}, 201)
    saved = mei.post("/v1/sampling-plans", {"text": PLAN}, 201)
    assert (saved["version"], saved["active"]) == (2, True)
    assert mei.get("/v1/sampling-plans/daily", schemas.Plan) == saved
    assert mei.get("/v1/sampling-plans", schemas.PlanPage, limit=1) == {"items": [saved], "next_cursor": None}
    on = {"on": yesterday.isoformat()}
    tried = mei.post("/v1/sampling-plans/daily/draw", {**on, "dry_run": True})
    assert (tried["id"], tried["population"], tried["drawn"]) == (None, 6, 3)
    assert mei.get("/v1/reviews", schemas.CasePage)["items"] == []
    drawn = mei.post("/v1/sampling-plans/daily/draw", on)
    schemas.Drawing.model_validate(drawn)
    assert drawn["calls"] == tried["calls"]
    assert {call["probability"] for call in drawn["calls"]} == {0.5}
    assert mei.post("/v1/sampling-plans/daily/draw", on, 409)["code"] == "conflict"
    assert mei.post("/v1/sampling-plans/daily/draw", {"on": now().isoformat()}, 409)["code"] == "conflict"
    cases = mei.get("/v1/reviews", schemas.CasePage, assignee="mei")["items"]
    assert {case["recording_id"] for case in cases} == {call["recording_id"] for call in drawn["calls"]}
    (past,) = mei.get("/v1/sampling-plans/daily/draws", schemas.PastDrawingPage)["items"]
    assert (past["id"], past["drawn"]) == (drawn["id"], 3)
    for day in ("0001-01-01T00:00:00+08:00", "9999-12-31T23:00:00-08:00"):
        assert mei.post("/v1/sampling-plans/daily/draw", {"on": day}, 400)["code"] == "invalid_input"
    mei._send("GET", "/v1/sampling-plans/none", 404)


def test_a_calibration_is_blind_until_it_is_closed(world: World, mei: Person, client: TestClient) -> None:
    root = signed_in(client, "root")
    calls = [one.recording.id for one in store_conversations(world.services.sessions, 3, seller=SELLER)]
    own = {"title": "周会", "reviewers": ["mei", SELLER], "recordings": calls}
    assert mei.post("/v1/calibrations", own, 403)["code"] == "forbidden"
    opened = mei.post("/v1/calibrations", {**own, "reviewers": ["mei", "root"]}, 201)
    path = f"/v1/calibrations/{opened['id']}"
    ids = [item.id for item in DEFINITION.items]
    for person, outcome in ((mei, "passed"), (root, "failed")):
        for call in calls:
            said = [{"item": one, "outcome": "passed"} for one in ids[1:]]
            person.post(f"{path}/calls/{call}", {"judgements": [{"item": ids[0], "outcome": outcome}, *said]})
    seen = root.get(path, schemas.Calibration)
    assert {one["reviewer"] for one in seen["scores"]} == {"root"}
    assert (seen["result"], seen["scored"]) == (None, {"mei": 3, "root": 3})
    closed = root.post(f"{path}/close", {})
    assert {one["reviewer"] for one in closed["scores"]} == {"mei", "root"}
    agreed = mei.get(path, schemas.Calibration)["result"]
    assert agreed["items"][ids[0]]["unanimous"] == 0
    assert agreed["overall"]["units"] == 3 * len(ids)
    assert mei.post(f"{path}/close", {}, 409)["code"] == "illegal_transition"
    listed = mei.get("/v1/calibrations", schemas.CalibrationPage, limit=1)
    assert [one["id"] for one in listed["items"]] == [opened["id"]]


def test_a_token_named_like_a_reviewer_is_not_that_reviewer(
    world: World, mei: Person, client: TestClient
) -> None:
    call = call_of(world)
    opened = mei.post(
        "/v1/calibrations", {"title": "周会", "reviewers": ["mei", "root"], "recordings": [call]}, 201
    )
    path = f"/v1/calibrations/{opened['id']}"
    said = {"judgements": [{"item": one.id, "outcome": "passed"} for one in DEFINITION.items]}
    mei.post(f"{path}/calls/{call}", said)
    robot = program(world, client, "mei")
    assert robot.get(path, schemas.Calibration)["scores"] == []
    assert robot.post(f"{path}/calls/{call}", said, 403)["code"] == "forbidden"
    assert [one["reviewer"] for one in mei.get(path, schemas.Calibration)["scores"]] == ["mei"]
    assert mei.get(path, schemas.Calibration)["scored"] == {"mei": 1, "root": 0}


def test_a_token_neither_judges_nor_appeals_nor_settles_whatever_its_name(
    world: World, mei: Person, seller: Person, client: TestClient
) -> None:
    robot, named = program(world, client, "mei"), program(world, client, SELLER)
    case = robot.post("/v1/reviews", {"recording_id": call_of(world)}, 201)
    assert case["history"][0]["by"] == "token:mei"
    path = f"/v1/reviews/{case['id']}"
    said = {"judgements": [flipped(case)], "seen": 1}
    for act in ("judge", "submit"):
        assert robot.post(f"{path}/{act}", said, 403)["code"] == "forbidden"
    done = mei.post(f"{path}/submit", said)
    appeal = {"reason": "第 3 句说了", "seen": done["version"]}
    assert named.post(f"{path}/appeal", appeal, 403)["code"] == "forbidden"
    appealed = seller.post(f"{path}/appeal", appeal)
    settled = {"judgements": [], "reason": "申诉成立", "seen": appealed["version"]}
    assert robot.post(f"{path}/settle", settled, 403)["code"] == "forbidden"
    judged = {"judgements": [flipped(case)], "seen": appealed["version"]}
    assert robot.post(f"{path}/judge", judged, 403)["code"] == "forbidden"
    assert mei.get(path, schemas.Case)["state"] == "appealed"


def test_a_repeated_opening_with_the_same_key_is_done_once(world: World, client: TestClient) -> None:
    body = {"recording_id": call_of(world)}
    headers = {**world.headers("manager"), "Idempotency-Key": "open-1"}
    first = client.post("/v1/reviews", json=body, headers=headers)
    again = client.post("/v1/reviews", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
