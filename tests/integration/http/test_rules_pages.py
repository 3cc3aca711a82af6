"""The pages of the rules: the lab, the editor, the comparison before publishing, floors and versions."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from api_world import World, sign_in
from finished import wait_for
from reviews import MEI, review_store
from sqlalchemy import select, text, update
from starlette.testclient import TestClient
from structlog.testing import capture_logs
from tried import add_indexed_history, changed_text

from huaxiang.api.history.desk import LAB
from huaxiang.core.database import now, transaction
from huaxiang.quality.history.tables import ComparisonChangeRow, FeaturesRow, LabRow
from huaxiang.quality.loader import DEFAULT
from huaxiang.quality.review.outcomes import Origin

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}
EDIT = f"/rules/{DEFAULT}/edit"


@pytest.fixture
def csrf(client: TestClient) -> str:
    """The form token of a manager who is signed in."""
    return sign_in(client, "mei")[1]


def page(client: TestClient, path: str, status: int = 200) -> str:
    response = client.get(path, headers=PAGE)
    assert response.status_code == status, response.text[:300]
    return response.text


def work(client: TestClient, csrf: str, text: str, do: str, *, part: bool = True) -> tuple[int, str, str]:
    """Send the editor's form as HTMX would, or as a browser without scripts; return status, text, target."""
    headers = {**PAGE, **({"HX-Request": "true"} if part else {})}
    response = client.post(EDIT, data={"text": text, "do": do, "csrf": csrf}, headers=headers)
    return response.status_code, response.text, response.headers.get("location", "")


def compared(client: TestClient, world: World, csrf: str, text: str, state: str = "done") -> str:
    """Compare a file with the history, wait for it, and return the address of the comparison."""
    status, _, location = work(client, csrf, text, "compare", part=False)
    assert status == 303
    identifier = location.rsplit("/", 1)[1]

    def is_done() -> bool:
        with transaction(world.services.sessions) as session:
            return world.services.history.comparisons.get(session, identifier).state == state

    wait_for(is_done)
    return location


def lab_is_through(world: World) -> None:
    wait_for(lambda: not world.services.history.lab_is_busy)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_rules_are_listed_with_what_the_lab_found(
    world: World, client: TestClient, csrf: str, language: str
) -> None:
    add_indexed_history(world.services.sessions, 40)
    page(client, "/rules")
    lab_is_through(world)
    html = page(client, f"/rules?lang={language}")
    assert {"zh": "通用销售质检", "en": "General sales conversation"}[language] in html
    assert {"zh": "命中率", "en": "Hit rate"}[language] in html
    assert re.search(r"n=\d+", html)
    never = page(client, f"/rules?show=never&sort=-fires&lang={language}")
    assert never.count("<tr>") < html.count("<tr>")


def test_the_lab_measures_by_itself_after_rules_and_some_time_after_reviews(
    world: World, client: TestClient, csrf: str
) -> None:
    desk, sessions = world.services.history, world.services.sessions
    (conversation,) = add_indexed_history(sessions, 1)

    def freshened() -> bool:
        with transaction(sessions) as session:
            begun = desk.freshen_lab(session)
        lab_is_through(world)
        return begun

    assert (freshened(), freshened()) == (True, False)
    store, identifier = review_store(), conversation.recording.id
    with transaction(sessions) as session:
        scorecard = world.services.scorecards.latest(session, identifier)
        store.open(session, identifier, scorecard, "he.yun", MEI, Origin.CHOSEN)
    assert freshened() is False, "it was measured a moment ago"
    with transaction(sessions) as session:
        session.execute(update(LabRow).values(computed_at=now() - timedelta(hours=1)))
    assert (freshened(), freshened()) == (True, False)


def test_one_scorecard_shows_its_sections_versions_and_items(
    world: World, client: TestClient, csrf: str
) -> None:
    add_indexed_history(world.services.sessions, 12)
    world.services.history.run_lab()
    html = page(client, f"/rules/{DEFAULT}?lang=en")
    for words in ("Opening", "Forbidden", "Asks about needs", "Versions", "are scored by v"):
        assert words in html
    item = page(client, f"/rules/{DEFAULT}/items/need_discovery?lang=en")
    assert "Calls that fail it" in item
    assert "data-clip-recording" in item or "No call fails it" in item
    page(client, "/rules/nothing", 404)
    page(client, f"/rules/{DEFAULT}/items/nothing", 404)


def test_mistakes_are_named_with_their_line_while_typing(client: TestClient, csrf: str) -> None:
    wrong = changed_text().replace("points: 20", "pionts: 20", 1)
    line = next(n for n, text in enumerate(wrong.split("\n"), 1) if "pionts" in text)
    status, html, _ = work(client, csrf, wrong, "check")
    assert status == 200
    assert f'data-line="{line}"' in html
    assert "pionts" in html
    assert "<html" not in html
    assert "没有错误" in work(client, csrf, changed_text(), "check")[1]


def test_a_file_with_mistakes_is_not_compared(client: TestClient, csrf: str) -> None:
    wrong = changed_text().replace("points: 20", "pionts: 20", 1)
    response = client.post(
        EDIT, data={"text": wrong, "do": "compare", "csrf": csrf}, headers={**PAGE, "HX-Request": "true"}
    )
    assert response.headers["hx-retarget"] == "#checked"
    assert "pionts" in response.text


def test_the_editor_begins_with_the_next_version(client: TestClient, csrf: str) -> None:
    html = page(client, EDIT)
    newest = int(re.findall(r"version: (\d+)", html)[0])
    assert newest >= 2
    assert "已经存在" not in html


def test_a_change_is_compared_and_then_published_just_as_it_was_compared(
    world: World, client: TestClient, csrf: str
) -> None:
    add_indexed_history(world.services.sessions, 36)
    location = compared(client, world, csrf, changed_text())
    html = page(client, f"{location}?lang=en")
    for words in ("By seller", "门店组", "Conversations whose result changes", "何芸"):
        assert words in html
    assert "/recordings/" in html
    why = re.search(r'hx-get="([^"]+/changes/[^"]+)"', html)
    assert why is not None
    reasons = page(client, why[1])
    assert "data-clip-recording" in reasons
    answer = client.post(f"{location}/publish", data={"csrf": csrf, "note": "问候要在第一句"}, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rules/{DEFAULT}")
    with transaction(world.services.sessions) as session:
        shown, text = world.services.history.rules.show(session, DEFAULT)
    assert text == changed_text()
    assert (shown.note, shown.published_by) == ("问候要在第一句", "mei")
    lab_is_through(world)
    assert "问候要在第一句" in page(client, f"/rules/{DEFAULT}")
    assert "这一版已经发布" in page(client, f"{location}?lang=zh")


def test_what_changes_is_narrowed_to_a_seller_a_team_and_an_item(
    world: World, client: TestClient, csrf: str
) -> None:
    add_indexed_history(world.services.sessions, 36)
    location = compared(client, world, csrf, changed_text())

    def listed(query: str = "") -> int:
        return page(client, f"{location}{query}").count('class="change"')

    everything = listed()
    assert 0 < listed("?team=门店组") < everything
    assert 0 < listed("?item=need_discovery") <= everything
    assert listed("?item=rude") == 0
    assert listed("?seller=nobody") == 0
    assert listed("?cursor=2") == everything - 3 or everything == 30


def test_nothing_is_published_that_was_compared_with_an_older_version(
    world: World, client: TestClient, csrf: str
) -> None:
    add_indexed_history(world.services.sessions, 12)
    location = compared(client, world, csrf, changed_text())
    with transaction(world.services.sessions) as session:
        world.services.history.rules.publish(session, changed_text(4), by="lao")
    assert "请重新对比" in page(client, location)
    answer = client.post(f"{location}/publish", data={"csrf": csrf}, headers=PAGE)
    assert answer.status_code == 409


def test_a_comparison_that_cannot_be_made_says_why(world: World, client: TestClient, csrf: str) -> None:
    add_indexed_history(world.services.sessions, 3)
    with transaction(world.services.sessions) as session:
        session.execute(update(FeaturesRow).values(encoding=99))
    location = compared(client, world, csrf, changed_text(), "failed")
    html = page(client, location)
    assert "对比没有完成" in html
    assert "publish" not in html


def test_a_comparison_that_the_database_refuses_is_marked_as_failed(
    world: World, client: TestClient, csrf: str
) -> None:
    add_indexed_history(world.services.sessions, 3)
    table = ComparisonChangeRow.__tablename__
    with transaction(world.services.sessions) as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    location = compared(client, world, csrf, changed_text(), "failed")
    with transaction(world.services.sessions) as session:
        session.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))
        tried = world.services.history.comparisons.get(session, location.rsplit("/", 1)[1])
    assert tried.error == "storage"


def test_a_lab_that_fails_says_so_and_is_not_begun_by_every_look(
    world: World, client: TestClient, csrf: str
) -> None:
    desk, sessions = world.services.history, world.services.sessions
    add_indexed_history(sessions, 3)

    def encoded_as(encoding: int) -> None:
        with transaction(sessions) as session:
            session.execute(update(FeaturesRow).values(encoding=encoding))

    def failed() -> tuple[int, bool]:
        lab_is_through(world)
        failures = desk.slow.failures(LAB)
        return failures.count if failures else 0, "上次计算没有完成" in page(client, "/rules")

    with transaction(sessions) as session:
        readable = session.scalars(select(FeaturesRow.encoding)).first()
    assert readable is not None
    with capture_logs() as logged:  # drawing what failed in colours takes seconds
        encoded_as(99)
        page(client, "/rules")
        assert failed() == (1, True)
        assert failed() == (1, True), "a look began it again"
        first = desk.lab_retries_at
        desk.start_lab()
        assert failed() == (2, True), "a person may begin it"
        second = desk.lab_retries_at
        assert first is not None
        assert second is not None
        assert second - now() > timedelta(minutes=1) > first - now()
        encoded_as(readable)
        desk.start_lab()
        assert failed() == (0, False)
    assert [entry["work"] for entry in logged if "failed" in entry["event"]] == [LAB, LAB]


def test_a_published_version_scores_the_history_where_that_is_asked_for(
    world: World, client: TestClient, csrf: str
) -> None:
    conversations = add_indexed_history(world.services.sessions, 12)
    location = compared(client, world, csrf, changed_text())
    client.post(f"{location}/publish", data={"csrf": csrf, "apply": "true"}, headers=PAGE)
    desk = world.services.history
    wait_for(lambda: not desk.is_applying and not desk.lab_is_busy)
    with transaction(world.services.sessions) as session:
        for conversation in conversations:
            current = world.services.scorecards.current(session, conversation.recording.id)
            assert f"{DEFAULT} @ 2" in {scorecard.definition for scorecard in current}
            world.services.scorecards.load(session, conversation.recording.id, f"{DEFAULT} @ 1")
    assert urlsplit(location).path.startswith(f"/rules/{DEFAULT}/comparisons/")


def test_a_floor_is_set_and_a_foreign_one_refused(world: World, client: TestClient, csrf: str) -> None:
    add_indexed_history(world.services.sessions, 12)
    world.services.history.run_lab()
    url = f"/rules/{DEFAULT}/items/greeting"
    done = client.post(f"{url}/floor", data={"csrf": csrf, "percent": "70"}, headers=PAGE)
    assert (done.status_code, done.headers["location"]) == (303, url)
    assert "70%" in page(client, url)
    for percent in ("-1", "170", "many", "nan"):
        refused = client.post(f"{url}/floor", data={"csrf": csrf, "percent": percent}, headers=PAGE)
        assert refused.status_code == 400, percent
    other = f"/rules/{DEFAULT}/items/nothing/floor"
    assert client.post(other, data={"csrf": csrf, "percent": "70"}, headers=PAGE).status_code == 404


def test_a_scorecard_is_retired_and_comes_back_with_a_new_version(
    world: World, client: TestClient, csrf: str
) -> None:
    client.post(f"/rules/{DEFAULT}/retire", data={"csrf": csrf}, headers=PAGE)
    assert "已停用" in page(client, "/rules")
    with transaction(world.services.sessions) as session:
        assert DEFAULT not in {one.id for one in world.services.history.rules.current(session)}
    location = compared(client, world, csrf, changed_text())
    client.post(f"{location}/publish", data={"csrf": csrf}, headers=PAGE)
    with transaction(world.services.sessions) as session:
        assert DEFAULT in {one.id for one in world.services.history.rules.current(session)}


def test_forms_without_the_sessions_token_change_nothing(world: World, client: TestClient, csrf: str) -> None:
    for path in (EDIT, "/rules/lab", f"/rules/{DEFAULT}/retire", f"/rules/{DEFAULT}/items/greeting/floor"):
        data = {"csrf": "wrong", "text": changed_text(), "percent": "1"}
        assert client.post(path, data=data, headers=PAGE).status_code == 403
