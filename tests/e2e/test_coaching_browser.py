"""What managers and sellers do on the pages of coaching, in a real Chromium against a real server."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import PASSWORD, World, make_world
from browser import Complaints, chromium
from coached_file import CoachedFile, coached_file
from history import add_audio
from playwright.sync_api import Browser, Page, expect
from tus_server import PATH, serving

from huaxiang.core.database import make_engine, now, session_factory
from huaxiang.profile.coaching.library import passage_of
from huaxiang.profile.coaching.practices import Step
from huaxiang.profile.coaching.registration import write_seller
from huaxiang.profile.coaching.sellers import SellerValues

pytestmark = pytest.mark.browser
SELLER = "he.yun"


@pytest.fixture(scope="module")
def browser(chromium_or_skip: str) -> Iterator[Browser]:
    """One browser for the whole module; every test has a context of its own."""
    with chromium(chromium_or_skip) as running:
        yield running


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> CoachedFile:
    """A file with eight weeks of twelve sellers."""
    return coached_file(sqlite_template, tmp_path_factory.mktemp("coached"))


@pytest.fixture
def world(filled: CoachedFile, tmp_path: Path) -> Iterator[World]:
    """The application over a copy of it, with the audio of the newest conversations."""
    path = tmp_path / "coached.db"
    shutil.copyfile(filled.path, path)
    engine = make_engine(f"sqlite:///{path}")
    world = make_world(engine, session_factory(engine), tmp_path / "data")
    add_audio(world.services, filled.conversations[-40:])
    yield world
    engine.dispose()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the application is served."""
    with serving(world.app) as uploads:
        yield uploads.removesuffix(PATH)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page on which nobody has signed in yet."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def sign_in(page: Page, name: str) -> None:
    page.goto("/recordings")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="录音")).to_be_visible()


def advised_seller(world: World) -> tuple[str, str]:
    """Return a seller to whom something is advised, with the name on the page."""
    services = world.services
    with services.sessions.begin() as session:
        for seller in services.coaching.records.all_sellers(session):
            if services.coaching.desk.seller(session, seller.key, now()).advice:
                return seller.key, seller.name
    pytest.fail("nothing is advised to anybody")


def playing(page: Page) -> None:
    """Wait until the bar at the foot plays."""
    expect(page.locator("#listening")).to_be_visible()
    expect(page.locator(".hear.is-playing")).to_have_count(1)


def test_a_manager_reads_a_sellers_page_plays_a_clip_and_assigns_a_practice(world: World, page: Page) -> None:
    complaints = Complaints(page)
    _, name = advised_seller(world)
    sign_in(page, "mei")
    page.get_by_role("link", name="团队", exact=True).click()
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("#trend-0 canvas").first).to_be_attached()
    topic = page.locator(".advice__one h3").first.inner_text().split("\n")[0]
    first = page.locator(".advice__one .hear").first
    first.click()
    playing(page)
    page.keyboard.press("Escape")
    expect(page.locator(".is-playing")).to_have_count(0)
    one = page.locator(".advice__one").first
    one.get_by_label("备注").fill("先听这三段")
    one.get_by_role("button", name="布置练习").click()
    expect(page.locator(".toast")).to_contain_text("练习已开始")
    expect(page.locator("#practices .practice")).to_have_count(1)
    expect(page.locator("#practices .practice h3")).to_contain_text(topic.split(" ")[0])
    page.locator("#practices summary").click()
    expect(page.locator("#practices .log")).to_contain_text("先听这三段")
    page.locator("#practices").get_by_role("button", name="记录跟进").click()
    expect(page.locator(".toast")).to_contain_text("已记录")
    page.locator("#practices summary").click()
    expect(page.locator("#practices .log li")).to_have_count(2)
    expect(page.locator("#practices .log")).to_contain_text("跟进")
    assert complaints.found == []


def test_a_seller_acknowledges_what_was_assigned_and_hears_a_colleagues_example(
    world: World, page: Page
) -> None:
    services = world.services
    key, name = advised_seller(world)
    with services.sessions.begin() as session:
        view = services.coaching.desk.seller(session, key, now())
        topic = view.advice[0].suggestion.topic
        best = next(
            c.course
            for c in services.coaching.answers.candidates(session, now())
            if c.consents
            and c.course.seller != key
            and services.blobs.exists(f"decoded/{c.course.recording_id}.wav")
        )
        services.coaching.records.library.adopt(session, passage_of(best), "好回答", ["价格"], by="mei")
        if services.coaching.records.sellers.key_of_user(session, SELLER) != key:
            write_seller(session, key, SellerValues(user_name=SELLER), by="mei")
        services.coaching.desk.take_up(session, key, topic, Step.ASSIGNED, "请练", by="mei", as_of=now())
    sign_in(page, SELLER)
    page.get_by_role("link", name="我的", exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.get_by_role("button", name="知道了，我来练").click()
    expect(page.locator("#practices .badge", has_text="练习中")).to_be_visible()
    page.get_by_role("link", name="话术库", exact=True).click()
    expect(page.get_by_role("heading", name="好回答")).to_be_visible()
    page.locator(".hear").first.click()
    playing(page)
    expect(page.locator("[data-listen=open]")).to_be_hidden()


def test_a_manager_opens_a_cell_of_the_map_hears_it_and_adopts_the_answer(world: World, page: Page) -> None:
    complaints = Complaints(page)
    sign_in(page, "mei")
    page.goto("/objections")
    expect(page.locator("#map canvas").first).to_be_attached()
    page.get_by_role("link", name="最终成交").click()
    expect(page.locator("[aria-current=page]", has_text="最终成交")).to_be_visible()
    page.get_by_role("link", name="之后约定了下一步").click()
    page.goto("/library?view=suggested")
    page.get_by_role("button", name="收入话术库").first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("标题").fill("先认同再回应")
    dialog.get_by_label("标签").fill("价格，示范")
    dialog.get_by_role("button", name="收入话术库").click()
    expect(page.locator(".toast")).to_contain_text("已收入话术库")
    page.goto("/objections")
    page.locator(".ranking .bar a").first.click()
    expect(page.locator(".course")).not_to_have_count(0)
    expect(page).to_have_url(re.compile(r"/objections/\w+/"))
    page.goto("/library")
    expect(page.get_by_role("heading", name="先认同再回应")).to_be_visible()
    page.get_by_role("link", name="#示范").first.click()
    expect(page.locator(".course")).to_have_count(1)
    assert complaints.found == []
