"""The pages of coaching: what they show, who may change what, and that clips go with consent."""

from __future__ import annotations

import io
import re
import shutil
import wave
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from api_world import World, make_world, sign_in
from coached_file import CoachedFile, coached_file
from history import add_audio
from starlette.testclient import TestClient

from huaxiang.console.present_objections import cell_url
from huaxiang.core.database import make_engine, now, session_factory
from huaxiang.profile.coaching.library import passage_of
from huaxiang.profile.coaching.registration import write_seller
from huaxiang.profile.coaching.sellers import SellerValues

# What is tested here does not depend on the database; the stores are tested on both.
HTML = {"Accept": "text/html"}
SELLER, OTHER = "he.yun", "gu.lan"


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> CoachedFile:
    """A file with eight weeks of twelve sellers."""
    return coached_file(sqlite_template, tmp_path_factory.mktemp("coached"))


@pytest.fixture
def coached(filled: CoachedFile, tmp_path: Path) -> Iterator[World]:
    """The application over a copy of it."""
    path = tmp_path / "coached.db"
    shutil.copyfile(filled.path, path)
    engine = make_engine(f"sqlite:///{path}")
    yield make_world(engine, session_factory(engine), tmp_path / "data")
    engine.dispose()


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A client of the filled application, or of an empty one where the test asks for that."""
    wanted = "world" if "world" in request.fixturenames else "coached"
    world: World = request.getfixturevalue(wanted)
    with TestClient(world.app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client


def opened(client: TestClient, path: str) -> str:
    response = client.get(path, headers=HTML)
    assert response.status_code == 200, path
    return response.text


def test_a_manager_reads_teams_sellers_map_library_and_digest_in_both_languages(
    coached: World, client: TestClient
) -> None:
    sign_in(client, "mei")
    for language, words in (
        ("zh", ("团队", "何芸", "异议地图", "话术库", "周报")),
        ("en", ("Teams", "Digest")),
    ):
        shown = "".join(
            opened(client, f"{path}?lang={language}")
            for path in ("/team", "/team/门店组", f"/sellers/{SELLER}", "/objections", "/library", "/digest")
        )
        for word in words:
            assert word in shown
        assert "coaching." not in re.sub(r"<[^>]*>", "", shown)  # no key is shown in place of its text


def test_each_figure_of_a_seller_has_its_n_and_interval(coached: World, client: TestClient) -> None:
    sign_in(client, "mei")
    page = opened(client, f"/sellers/{SELLER}?days=91&lang=en")
    tile = re.search(r'tile__label">Score</span>.*?</div>', page, re.DOTALL)
    assert tile is not None
    assert re.search(r"n=\d+", tile[0])
    assert re.search(r"\d+–\d+", tile[0])
    view = coached.services
    with view.sessions.begin() as session:
        found = view.coaching.desk.seller(session, SELLER, now(), 91)
    own = found.figures[0].own
    assert own is not None
    assert f"n={own.n}" in tile[0]
    assert len(found.advice) <= 3
    for advice in found.advice:
        assert f'value="{advice.suggestion.topic}"' in page


def test_a_cell_of_the_map_shows_the_words_that_it_counts(coached: World, client: TestClient) -> None:
    sign_in(client, "mei")
    page = opened(client, "/objections")
    links = {unescape(link) for link in re.findall(r'href="(/objections/[^"]+)"', page)}
    with coached.services.sessions.begin() as session:
        found, courses = coached.services.coaching.answers.objections(session, now())
    first = found.cells[0]
    counted = [c for c in courses if (c.objection, c.answer) == (first.objection, first.answer)]
    link = cell_url(first.objection, first.answer, {"days": "91"})
    assert link in links
    assert len(links) == len(found.cells)
    shown = opened(client, link)
    assert shown.count('class="panel course"') == len(counted) == first.n
    for course in counted:
        assert f'data-clip-recording="{course.recording_id}"' in shown
    assert client.get("/objections/price/made-up", headers=HTML).status_code == 404


def test_a_seller_opens_own_page_and_no_others(coached: World, client: TestClient) -> None:
    sign_in(client, SELLER)
    assert "何芸" in opened(client, "/team/me")
    for path in (f"/sellers/{OTHER}", "/sellers/nobody"):
        assert client.get(path, headers=HTML).status_code == 404
    assert client.get("/team", headers=HTML).status_code == 403
    sign_in(client, "mei")
    assert client.get("/team/me", headers=HTML).headers["location"] == "/team"


def test_forms_are_refused_without_their_token(coached: World, client: TestClient) -> None:
    sign_in(client, "mei")
    for path in (
        f"/sellers/{SELLER}",
        f"/sellers/{SELLER}/consent",
        f"/sellers/{SELLER}/practices",
        "/library",
    ):
        assert client.post(path, data={"csrf": "wrong", "name": "x"}).status_code == 403
    with coached.services.sessions.begin() as session:
        assert coached.services.coaching.records.sellers.get(session, SELLER).name == "何芸"


def test_a_manager_changes_a_seller_and_registers_one_known_from_recordings(
    coached: World, client: TestClient
) -> None:
    _, csrf = sign_in(client, "mei")
    form = {"csrf": csrf, "name": "何云", "team": "方案组", "user_name": "he.yun", "active": "true"}
    assert client.post(f"/sellers/{SELLER}", data=form).status_code == 303
    store = coached.services.coaching.records.sellers
    with coached.services.sessions.begin() as session:
        changed = store.get(session, SELLER)
    assert (changed.name, changed.team, changed.user_name) == ("何云", "方案组", "he.yun")
    assert client.post("/sellers/new.one", data={**form, "user_name": ""}).status_code == 303
    with coached.services.sessions.begin() as session:
        assert store.get(session, "new.one").registered


def example_for(world: World, viewer: str) -> str:
    """Adopt a consenting colleague's answer, and return the colleague."""
    services = world.services
    with services.sessions.begin() as session:
        candidates = services.coaching.answers.candidates(session, now())
        best = next(c.course for c in candidates if c.consents and c.course.seller != viewer)
        services.coaching.records.library.adopt(session, passage_of(best), "好回答", [], by="mei")
    assert best.seller is not None
    return best.seller


def test_a_seller_hears_just_the_words_that_a_colleague_shares_until_consent_is_withdrawn(
    coached: World, client: TestClient, filled: CoachedFile
) -> None:
    world = coached
    add_audio(world.services, filled.conversations)
    colleague = example_for(world, SELLER)
    sign_in(client, SELLER)
    page = opened(client, "/library")
    clips = [unescape(link) for link in re.findall(r'data-clip-source="([^"]+)"', page)]
    assert clips
    recording = re.search(r"/v1/clips/([0-9a-f-]+)", clips[0])
    assert recording is not None
    assert client.get(f"/v1/recordings/{recording[1]}/audio").status_code == 404
    assert f'href="/recordings/{recording[1]}"' not in page
    heard = client.get(clips[0])
    assert heard.status_code == 200
    span = re.search(r"start_ms=(\d+)&end_ms=(\d+)", clips[0])
    assert span is not None
    with wave.open(io.BytesIO(heard.content)) as audio:
        assert audio.getnframes() / audio.getframerate() == pytest.approx(
            (int(span[2]) - int(span[1])) / 1000, abs=0.01
        )
    longer = clips[0].replace(f"end_ms={span[2]}", f"end_ms={int(span[2]) + 1000}")
    assert client.get(longer).status_code == 404
    assert client.get(clips[0].split("&proof")[0]).status_code == 404
    with world.services.sessions.begin() as session:
        values = SellerValues(library_consent=False)
        write_seller(session, colleague, values, by=colleague)
    assert client.get(clips[0]).status_code == 404
    assert "data-clip-source" not in opened(client, "/library")


def test_a_seller_gives_and_withdraws_their_own_consent_by_the_page(
    coached: World, client: TestClient
) -> None:
    _, csrf = sign_in(client, SELLER)
    for given in ("false", "true"):
        form = {"csrf": csrf, "library": given}
        response = client.post(f"/sellers/{SELLER}/consent", data=form)
        assert response.headers["location"] == "/team/me"
        with coached.services.sessions.begin() as session:
            changes = coached.services.coaching.records.sellers.changes(session, SELLER)
        assert (changes[-1].field, changes[-1].value, changes[-1].changed_by) == (
            "library_consent",
            given == "true",
            SELLER,
        )
    assert client.post(f"/sellers/{OTHER}/consent", data=form).status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_empty_store_says_so(world: World, client: TestClient) -> None:
    sign_in(client, "mei")
    for path, words in (
        ("/team", "还没有销售"),
        ("/objections", "没有听到异议"),
        ("/library", "话术库还是空的"),
    ):
        assert words in opened(client, path)
    assert "没有偶然性解释不了的变化" in opened(client, "/digest")
