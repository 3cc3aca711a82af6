"""The editor of rules beside comparing: examples, work without scripts, rule sets, new scorecards."""

from __future__ import annotations

import re

import pytest
from api_world import World, sign_in
from rule_files import ruleset_text, scorecard_text
from starlette.testclient import TestClient
from tried import changed_text

from huaxiang.core.database import transaction
from huaxiang.quality.loader import DEFAULT

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}


@pytest.fixture
def csrf(client: TestClient) -> str:
    """The form token of a manager who is signed in."""
    return sign_in(client, "mei")[1]


def sent(client: TestClient, csrf: str, rule: str, text: str, do: str) -> tuple[int, str]:
    """Send the editor's form as a browser without scripts does; return status and page or address."""
    answer = client.post(f"/rules/{rule}/edit", data={"text": text, "do": do, "csrf": csrf}, headers={**PAGE})
    return answer.status_code, answer.headers.get("location") or answer.text


def published(world: World, text: str) -> None:
    with transaction(world.services.sessions) as session:
        world.services.rules.publish(session, text, by="mei")


def test_examples_are_run_and_those_that_differ_come_first(client: TestClient, csrf: str) -> None:
    status, html = sent(client, csrf, DEFAULT, changed_text(), "test")
    assert status == 200
    told = re.search(r"例句 (\d+)/(\d+) 符合预期", html)
    assert told is not None
    agree, count = int(told[1]), int(told[2])
    assert 0 < count == html.count('badge--good">符合') + html.count('badge--bad">不符')
    assert agree == html.count('badge--good">符合')
    if 0 < agree < count:
        assert html.index('badge--bad">不符') < html.index('badge--good">符合')


def test_without_scripts_a_checked_file_comes_back_as_it_was_sent(client: TestClient, csrf: str) -> None:
    wrong = changed_text().replace("points: 20", "pionts: 20", 1)
    status, html = sent(client, csrf, DEFAULT, wrong, "check")
    assert status == 200
    assert "<html" in html
    assert "pionts: 20" in html
    assert "处错误" in html


def test_a_file_that_cannot_be_read_is_only_told_so(client: TestClient, csrf: str) -> None:
    for text in ("", "[", "a: &b [*b]", "\x00", "scorecard: </textarea><script>alert(1)</script>"):
        status, html = sent(client, csrf, DEFAULT, text, "compare")
        assert status == 200
        assert "处错误" in html
        assert "<script>alert" not in html


def test_a_rule_set_is_published_from_its_editor(world: World, client: TestClient, csrf: str) -> None:
    published(world, ruleset_text("words"))
    shown = client.get("/rules/words", headers=PAGE).text
    assert "问候" in shown
    assert sent(
        client, csrf, "words", ruleset_text("words", 2, condition="{keywords: [早上好]}"), "publish"
    ) == (
        303,
        "/rules/words",
    )
    with transaction(world.services.sessions) as session:
        assert world.services.rules.get(session, "words").newest.version == 2
    status, html = sent(client, csrf, "words", ruleset_text("words", 1), "check")
    assert status == 200
    assert "请把 version 改为 3" in html


def test_a_scorecard_is_never_published_without_being_compared(
    world: World, client: TestClient, csrf: str
) -> None:
    status, _ = sent(client, csrf, DEFAULT, changed_text(), "publish")
    assert status == 200
    with transaction(world.services.sessions) as session:
        assert world.services.rules.get(session, DEFAULT).newest.version == 1


def test_another_id_makes_a_scorecard_of_its_own(world: World, client: TestClient, csrf: str) -> None:
    published(world, scorecard_text("house"))
    mine = scorecard_text("mine")
    _, html = sent(client, csrf, "house", mine, "check")
    assert "编号 mine 是新的" in html
    status, address = sent(client, csrf, "house", mine, "compare")
    assert status == 303
    assert address.startswith("/rules/mine/comparisons/")
    assert 'href="/rules"' in client.get(address, headers=PAGE).text
    again = client.get(f"/rules/mine/edit?comparison={address.rsplit('/', 1)[1]}", headers=PAGE)
    assert (again.status_code, "scorecard: mine" in again.text) == (200, True)
    assert client.get("/rules/nobody/edit", headers=PAGE).status_code == 404


def test_an_older_version_is_taken_up_as_the_next_one(world: World, client: TestClient, csrf: str) -> None:
    published(world, scorecard_text("house", 1, points=10))
    published(world, scorecard_text("house", 2, points=20))
    html = client.get("/rules/house/edit?version=1", headers=PAGE).text
    assert "version: 3" in html
    assert "points: 10" in html
    assert client.get("/rules/house/edit?version=9", headers=PAGE).status_code == 404
