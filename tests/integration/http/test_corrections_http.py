"""Corrections over /v1 and on the pages: added, scored anew, undone; a seller's are proposals."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from api_world import World, add_bare, sign_in
from corrected_calls import CALMER, add_scored_call
from invented_call import SAID
from sqlalchemy import func, select
from starlette.testclient import TestClient

from huaxiang.core.database import transaction
from huaxiang.core.types import RecordingStatus
from huaxiang.quality.review.tables import CorrectedScoreRow

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}


@pytest.fixture
def call(world: World) -> str:
    return add_scored_call(world.services)


def post(client: TestClient, world: World, call: str, expected: int = 201, **body: Any) -> dict[str, Any]:
    response = client.post(f"/v1/recordings/{call}/corrections", json=body, headers=world.headers("manager"))
    assert response.status_code == expected, response.text
    answer: dict[str, Any] = response.json()
    return answer


def get(client: TestClient, world: World, call: str, what: str) -> dict[str, Any]:
    response = client.get(f"/v1/recordings/{call}/{what}", headers=world.headers("manager"))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def item(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for card in document["scorecards"] for one in card["items"] if one["id"] == name
    )
    return found


def finding(document: dict[str, Any], label: str) -> dict[str, Any] | None:
    return next((one for one in document["findings"] if one["label"] == label), None)


def meant(one: dict[str, Any]) -> dict[str, Any]:
    return {"id": one["id"], "kind": one["kind"], "label": one["label"], "turn": one["evidence"][0]["turn"]}


def test_a_corrected_text_changes_the_corrected_form_and_leaves_the_automatic_one(
    world: World, client: TestClient, call: str
) -> None:
    before = get(client, world, call, "transcript")
    added = post(client, world, call, kind="turn_text", turn=7, text=CALMER, reason="重听", seen=0)
    assert (added["state"], added["sequence"], added["by"]) == ("in_force", 1, "manager token")
    corrected = get(client, world, call, "corrected")
    assert corrected["turns"][7]["text"] == CALMER
    assert corrected["seen"] == 1
    assert get(client, world, call, "transcript") == before
    for one in corrected["findings"]:
        for part in one["evidence"]:
            said = corrected["turns"][part["turn"]]["text"]
            assert said[part["char_start"] : part["char_end"]] == part["quote"]


def test_a_finding_that_is_wrong_is_scored_without_and_its_undoing_scores_as_before(
    world: World, client: TestClient, call: str
) -> None:
    before = get(client, world, call, "corrected")
    assert item(before, "overpromise")["passed"] is False
    promised = finding(before, "overpromise")
    assert promised is not None
    added = post(client, world, call, kind="finding_wrong", finding=meant(promised))
    after = get(client, world, call, "corrected")
    assert finding(after, "overpromise") is None
    assert item(after, "overpromise")["passed"] is True
    automatic = get(client, world, call, "scorecard")
    assert {one["id"]: one["passed"] for one in automatic["items"]}["overpromise"] is False
    undone = post(client, world, call, kind="undo", target=added["id"])
    assert undone["state"] is None
    again = get(client, world, call, "corrected")
    assert item(again, "overpromise")["passed"] is False
    assert again["findings"] == before["findings"]
    with world.services.sessions() as session:
        rows = session.scalar(select(func.count()).select_from(CorrectedScoreRow))
    assert rows == 2 * len(before["scorecards"])


def test_the_log_is_paged_newest_first_and_tells_what_is_in_force(
    world: World, client: TestClient, call: str
) -> None:
    first = post(client, world, call, kind="turn_role", turn=9, role="agent")
    post(client, world, call, kind="turn_text", turn=0, text="您好。")
    post(client, world, call, kind="undo", target=first["id"])
    seen = []
    cursor = ""
    while True:
        page = get(client, world, call, f"corrections?limit=2{cursor}")
        seen += [(one["sequence"], one["state"]) for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [(3, None), (2, "in_force"), (1, "undone")]


def test_what_was_read_before_somebody_else_corrected_is_refused_and_nothing_is_written(
    world: World, client: TestClient, call: str
) -> None:
    post(client, world, call, kind="turn_role", turn=9, role="agent")
    answer = post(client, world, call, 409, kind="turn_text", turn=0, text="您好。", seen=0)
    assert answer["code"] == "out_of_date"
    assert len(get(client, world, call, "corrections")["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "turn_text", "turn": 7}, 400),
        ({"kind": "turn_text", "turn": 99, "text": "好"}, 404),
        ({"kind": "turn_role", "turn": 7, "role": "unknown"}, 422),
        ({"kind": "finding_missed", "turn": 5, "finding_kind": "intent", "label": "made_up",
          "char_start": 0, "char_end": 2}, 400),
        ({"kind": "finding_missed", "turn": 5, "finding_kind": "intent", "label": "negotiate",
          "char_start": 0, "char_end": 200}, 400),
        ({"kind": "undo", "target": "nothing"}, 404),
        ({"kind": "erase", "turn": 1}, 422),
        ({"kind": "turn_text", "turn": 7, "text": "好", "author": "x"}, 422),
    ],
)  # fmt: skip
def test_a_correction_that_lacks_something_or_means_nothing_is_refused(
    world: World, client: TestClient, call: str, body: dict[str, Any], status: int
) -> None:
    answer = post(client, world, call, status, **body)
    assert SAID[7][1] not in str(answer)
    assert get(client, world, call, "corrections")["items"] == []


def test_a_correction_is_written_once_for_its_key(world: World, client: TestClient, call: str) -> None:
    headers = {**world.headers("manager"), "Idempotency-Key": "correct-1"}
    body = {"kind": "turn_text", "turn": 7, "text": CALMER}
    first = client.post(f"/v1/recordings/{call}/corrections", json=body, headers=headers)
    again = client.post(f"/v1/recordings/{call}/corrections", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(get(client, world, call, "corrections")["items"]) == 1


def test_a_repetition_is_answered_as_before_though_the_call_is_processed_meanwhile(
    world: World, client: TestClient, call: str
) -> None:
    headers = {**world.headers("manager"), "Idempotency-Key": "once"}
    address, body = f"/v1/recordings/{call}/corrections", {"kind": "turn_text", "turn": 7, "text": CALMER}
    first = client.post(address, json=body, headers=headers)
    with transaction(world.services.sessions) as session:
        world.services.recordings.set_status(session, call, RecordingStatus.PROCESSING)
    again = client.post(address, json=body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post(address, json={**body, "turn": 1}, headers=headers)
    assert other.status_code == 409


def test_a_recording_in_work_cannot_be_corrected(world: World, client: TestClient, call: str) -> None:
    with world.services.sessions.begin() as session:
        world.services.recordings.set_status(session, call, RecordingStatus.PROCESSING)
    post(client, world, call, 409, kind="turn_text", turn=7, text=CALMER)
    post(client, world, add_bare(world.services), 404, kind="turn_text", turn=7, text=CALMER)


def test_a_seller_proposes_and_a_manager_decides(world: World, client: TestClient, call: str) -> None:
    headers, _ = sign_in(client, "he.yun")
    address = f"/v1/recordings/{call}/corrections"
    body = {"kind": "turn_text", "turn": 7, "text": CALMER}
    proposed = client.post(address, json=body, headers=headers).json()
    assert (proposed["state"], proposed["proposed"]) == ("waiting", True)
    accept = {"kind": "accept", "target": proposed["id"]}
    assert client.post(address, json=accept, headers=headers).status_code == 403
    client.cookies.clear()
    assert get(client, world, call, "corrected")["turns"][7]["text"] == SAID[7][1]
    post(client, world, call, **accept)
    assert get(client, world, call, "corrected")["turns"][7]["text"] == CALMER


def test_another_seller_s_call_is_not_there(world: World, client: TestClient) -> None:
    other = add_scored_call(world.services, seller="lin")
    headers, csrf = sign_in(client, "he.yun")
    body = {"kind": "turn_text", "turn": 7, "text": CALMER}
    assert client.post(f"/v1/recordings/{other}/corrections", json=body, headers=headers).status_code == 404
    for path in ("corrections", "corrected"):
        assert client.get(f"/v1/recordings/{other}/{path}", headers=headers).status_code == 404
    form = {"csrf": csrf, "text": CALMER}
    assert client.post(f"/recordings/{other}/turns/7", data=form, headers=PAGE).status_code == 404


def test_corrected_words_are_found_and_those_in_their_place_are_not(
    world: World, client: TestClient, call: str
) -> None:
    def found(words: str) -> list[str]:
        answer = client.get("/v1/search", params={"q": words}, headers=world.headers("manager"))
        return [one["recording"]["id"] for one in answer.json()["items"]]

    assert (found("太贵了吧"), found("有点贵吧")) == ([call], [])
    added = post(client, world, call, kind="turn_text", turn=7, text=CALMER)
    assert (found("太贵了吧"), found("有点贵吧")) == ([], [call])
    post(client, world, call, kind="undo", target=added["id"])
    assert (found("太贵了吧"), found("有点贵吧")) == ([call], [])


def turn_of(page: str, index: int) -> str:
    found = re.search(rf'<li class="turn[^>]*id="turn-{index}".*?</li>', page, re.DOTALL)
    assert found is not None
    return html.unescape(re.sub(r"<[^>]+>", "", found[0]))


def form_of(page: str) -> dict[str, str]:
    """Return the fields of the turn's form as the page gives them."""
    form = re.search(r'<li class="turn[^>]*turn--form.*?</form>', page, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", form[0], re.DOTALL)
    role = re.search(r'name="role" value="(\w+)" checked', form[0])
    assert text is not None
    assert role is not None
    selects = dict.fromkeys(re.findall(r'<select name="([^"]+)"', form[0]), "")
    return {**fields, **selects, "text": html.unescape(text[1]), "role": role[1], "quote": "", "reason": ""}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_turn_is_corrected_and_undone_without_a_script(
    world: World, client: TestClient, call: str, language: str
) -> None:
    _, csrf = sign_in(client, "mei")
    client.cookies.set("huaxiang_lang", language)
    form = form_of(client.get(f"/recordings/{call}?edit=7", headers=PAGE).text)
    assert form["text"] == SAID[7][1]
    sent = client.post(f"/recordings/{call}/turns/7", data={**form, "text": CALMER}, headers=PAGE)
    assert (sent.status_code, sent.headers["location"]) == (303, f"/recordings/{call}#turn-7")
    page = client.get(f"/recordings/{call}", headers=PAGE).text
    assert CALMER in turn_of(page, 7)
    undo = re.search(rf'action="(/recordings/{call}/corrections/[^/]+/undo)"', page)
    assert undo is not None
    assert client.post(undo[1], data={"csrf": csrf}, headers=PAGE).status_code == 303
    page = client.get(f"/recordings/{call}", headers=PAGE).text
    assert SAID[7][1] in turn_of(page, 7)
    redo = re.search(rf'action="(/recordings/{call}/corrections/[^/]+/undo)"', page)
    assert redo is not None
    client.post(redo[1], data={"csrf": csrf}, headers=PAGE)
    assert CALMER in turn_of(client.get(f"/recordings/{call}", headers=PAGE).text, 7)


def test_a_form_that_changes_nothing_writes_nothing(world: World, client: TestClient, call: str) -> None:
    sign_in(client, "mei")
    form = form_of(client.get(f"/recordings/{call}?edit=7", headers=PAGE).text)
    assert client.post(f"/recordings/{call}/turns/7", data=form, headers=PAGE).status_code == 303
    client.cookies.clear()
    assert get(client, world, call, "corrections")["items"] == []


def test_one_form_corrects_text_speaker_and_findings(world: World, client: TestClient, call: str) -> None:
    sign_in(client, "mei")
    form = form_of(client.get(f"/recordings/{call}?edit=7", headers=PAGE).text)
    before = world.services.insights
    with world.services.sessions() as session:
        insights = before.load(session, call)
    price = next(one for one in insights.findings if one.label == "price")
    form |= {f"finding.{price.id}": "label:trust", "missed": "intent:negotiate", "quote": "一年才三千"}
    form |= {"text": CALMER}
    assert client.post(f"/recordings/{call}/turns/7", data=form, headers=PAGE).status_code == 303
    client.cookies.clear()
    corrected = get(client, world, call, "corrected")
    at_turn = {one["label"] for one in corrected["findings"] if one["evidence"][0]["turn"] == 7}
    assert {"trust", "negotiate"} <= at_turn
    assert "price" not in at_turn
    added = finding(corrected, "negotiate")
    assert added is not None
    assert added["evidence"][0]["quote"] == "一年才三千"
    kinds = [one["kind"] for one in get(client, world, call, "corrections")["items"]]
    assert kinds == ["finding_missed", "finding_label", "turn_text"]


def test_a_form_with_mistakes_comes_back_as_it_was_filled_in(
    world: World, client: TestClient, call: str
) -> None:
    sign_in(client, "mei")
    form = form_of(client.get(f"/recordings/{call}?edit=7", headers=PAGE).text)
    form |= {"text": CALMER, "missed": "intent:negotiate", "quote": "没说过的话"}
    sent = client.post(f"/recordings/{call}/turns/7", data=form, headers=PAGE)
    assert sent.status_code == 422
    again = form_of(sent.text)
    assert again["text"] == CALMER
    assert "这一句里没有这几个字" in sent.text
    client.cookies.clear()
    assert get(client, world, call, "corrections")["items"] == []


def test_a_script_gets_the_parts_that_changed(world: World, client: TestClient, call: str) -> None:
    headers, _ = sign_in(client, "mei")
    script = {**headers, "HX-Request": "true"}
    form = form_of(client.get(f"/recordings/{call}/turns/8/edit", headers=script).text)
    with world.services.sessions() as session:
        insights = world.services.insights.load(session, call)
    promised = next(one for one in insights.findings if one.label == "overpromise")
    form |= {f"finding.{promised.id}": "wrong"}
    answer = client.post(f"/recordings/{call}/turns/8", data=form, headers=script)
    assert answer.status_code == 200
    assert answer.text.count('id="turn-8"') == 1
    assert 'id="turn-8" hx-swap-oob' not in answer.text
    for panel in ("scorecards", "corrections", "doubts", "metrics"):
        assert re.search(rf'id="{panel}"[^>]*hx-swap-oob="true"', answer.text)
    assert "<html" not in answer.text
    assert "toast" in answer.headers["hx-trigger"]
    shown = re.search(
        r'<li class="item item--(\w+)" id="item-overpromise">(.*?)</li>', answer.text, re.DOTALL
    )
    assert shown is not None
    assert shown[1] == "passed"
    assert re.search(r"机评 <b>未通过</b>.*更正后 <b>通过</b>", shown[2], re.DOTALL)


def test_a_form_without_the_session_s_token_is_refused(world: World, client: TestClient, call: str) -> None:
    sign_in(client, "mei")
    form = {"csrf": "made up", "text": CALMER}
    assert client.post(f"/recordings/{call}/turns/7", data=form, headers=PAGE).status_code == 403
