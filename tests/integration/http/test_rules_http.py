"""Scorecards over HTTP: read, checked, tried, published and retired."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World, sign_in
from rule_files import ruleset_text, scorecard_text
from starlette.testclient import TestClient

from huaxiang.api.http import rule_schemas as schemas
from huaxiang.quality.loader import shipped_texts


@pytest.fixture
def manager(world: World) -> dict[str, str]:
    return world.headers("manager")


def post(client: TestClient, address: str, headers: dict[str, str], **body: Any) -> Any:
    return client.post(f"/v1/rules{address}", json=body, headers=headers)


def test_what_ships_is_listed_page_by_page(client: TestClient, manager: dict[str, str]) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/rules", params=query, headers=manager).json()
        schemas.RulePage.model_validate(page)
        assert all(item["shipped"] and item["in_use"] for item in page["items"])
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(name.removesuffix(".yaml") for name in shipped_texts())


def test_a_file_is_published_read_replaced_and_retired(client: TestClient, manager: dict[str, str]) -> None:
    text = scorecard_text()
    dry = post(client, "", manager, text=text, dry_run=True)
    assert (dry.status_code, dry.json()["dry_run"]) == (200, True)
    assert client.get("/v1/rules/house", headers=manager).status_code == 404

    made = post(client, "", manager, text=text, note="第一版")
    assert (made.status_code, made.headers["location"]) == (201, "/v1/rules/house")
    schemas.Publication.model_validate(made.json())
    assert post(client, "", manager, text=text).status_code == 200
    taken = post(client, "", manager, text=scorecard_text(points=20))
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert post(client, "", manager, text=scorecard_text(version=2)).json()["before"] == "house @ 1"

    shown = client.get("/v1/rules/house", params={"version": 1}, headers=manager)
    document = schemas.RuleText.model_validate(shown.json())
    assert (document.text, document.note, document.published_by) == (text, "第一版", "manager token")
    assert [one.version for one in document.versions] == [2, 1]

    assert post(client, "/house/retire", manager, dry_run=True).json()["in_use"] is True
    retired = post(client, "/house/retire", manager, note="不用了")
    schemas.Retired.model_validate(retired.json())
    assert retired.json()["in_use"] is False
    assert post(client, "/house/retire", manager).status_code == 409


def test_publishing_is_done_once_for_a_key(client: TestClient, manager: dict[str, str]) -> None:
    headers = {**manager, "Idempotency-Key": "publish-1"}
    first = post(client, "", headers, text=scorecard_text())
    again = post(client, "", headers, text=scorecard_text())
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()


def test_mistakes_are_named_in_both_languages_and_not_published(
    client: TestClient, manager: dict[str, str]
) -> None:
    text = scorecard_text(condition="{act: greets}")
    for language, words in (("en", "did you mean 'greeting'?"), ("zh", "是不是 'greeting'？")):
        answer = post(client, "/check", manager, text=text, language=language)
        (mistake,) = schemas.RuleMistakes.model_validate(answer.json()).mistakes
        assert (mistake.line, mistake.code, mistake.cure) == (11, "none_of", words)
    refused = post(client, "", manager, text=text)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_rules")
    assert "greets" not in refused.text  # what was sent is not repeated in an error
    assert "line 11" in refused.json()["detail"]


def test_a_file_may_refer_to_published_rules(client: TestClient, manager: dict[str, str]) -> None:
    text = scorecard_text(condition="{rule: greets}")
    before = post(client, "/check", manager, text=text).json()["mistakes"]
    assert [mistake["code"] for mistake in before] == ["unknown_rule"]
    post(client, "", manager, text=ruleset_text())
    assert post(client, "/check", manager, text=text).json()["mistakes"] == []
    assert post(client, "", manager, text=text).json()["pins"] == {"greets": "words @ 1"}


def test_examples_are_run(client: TestClient, manager: dict[str, str]) -> None:
    examples = (
        "        examples:\n"
        "          - {turns: [{agent: 您好。}], holds: true}\n"
        "          - {turns: [{agent: 早。}], holds: true}\n"
    )
    answer = post(client, "/test", manager, text=scorecard_text() + examples)
    document = schemas.RuleExamples.model_validate(answer.json())
    assert [one.agrees for one in document.examples] == [True, False]
    assert (document.agree, document.mistakes) == (1, [])
    wrong = post(client, "/test", manager, text="scorecard: x").json()
    assert wrong["examples"] == []
    assert wrong["mistakes"]
    many = "          - {turns: [{agent: 您好。}], holds: true}\n" * 50
    files = scorecard_text().split("      - id: one")
    items = "".join(f"      - id: item{place}{files[1]}        examples:\n{many}" for place in range(5))
    refused = post(client, "/test", manager, text=files[0] + items)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")


def test_who_is_no_manager_may_not_read_or_write_rules(world: World, client: TestClient) -> None:
    seller, _ = sign_in(client, "he.yun")
    for headers in (seller, world.headers("crm"), world.headers("device")):
        assert client.get("/v1/rules", headers=headers).status_code == 403
        assert post(client, "", headers, text=scorecard_text()).status_code == 403
