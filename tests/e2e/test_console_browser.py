"""What a manager does on the pages, in a real Chromium against a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import PASSWORD, World, add_bare, add_call, make_world
from browser import Complaints, chromium
from invented_call import CUSTOMER_REF, SAID, invented_transcript
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from tus_server import PATH, serving

from huaxiang.core.types import RecordingStatus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
TURNS = invented_transcript("r").turns


@pytest.fixture(scope="module")
def browser(chromium_or_skip: str) -> Iterator[Browser]:
    """One browser for the whole module; every test has a context of its own."""
    with chromium(chromium_or_skip) as running:
        yield running


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    return make_world(engine, sessions, tmp_path / "data")


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the application is served."""
    with serving(world.app) as uploads:
        yield uploads.removesuffix(PATH)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page in which the manager signed in by the form."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto("/recordings")
    page.get_by_label("用户名").fill("mei")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="录音")).to_be_visible()
    yield page
    context.close()


@pytest.fixture
def call(world: World) -> str:
    return add_call(world.services)


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition in the page; Playwright's own way needs eval, which the page's policy forbids."""
    for _ in range(150):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"it never came true: {condition}")


def position(page: Page) -> float:
    """Return the playing position in seconds."""
    return float(page.evaluate("document.querySelector('#audio').currentTime"))


def is_paused(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('#audio').paused"))


def open_call(page: Page, call: str, fragment: str = "") -> None:
    page.goto(f"/recordings/{call}{fragment}")
    wait_until(page, "document.querySelector('#audio').readyState >= 1")


def test_a_call_is_found_in_the_list_and_its_waveform_is_drawn(page: Page, call: str) -> None:
    complaints = Complaints(page)
    page.reload()
    page.get_by_role("link", name="首次电话：门店客户管理").click()
    expect(page.locator(".turn")).to_have_count(len(SAID))
    expect(page.locator("#waveform-loading")).to_be_hidden()
    expect(page.locator("#waveform-failed")).to_be_hidden()
    expect(page.locator("#waveform canvas").first).to_be_attached()
    assert complaints.found == []


def test_clicking_a_turn_plays_from_it_and_marks_it(page: Page, call: str) -> None:
    open_call(page, call)
    page.locator("#turn-5 .turn__text").click()
    wait_until(page, f"document.querySelector('#audio').currentTime > {TURNS[5].start_ms / 1000}")
    assert not is_paused(page)
    expect(page.locator("#turn-5")).to_have_attribute("aria-current", "true")
    page.locator("#turn-2 .turn__time").click()
    expect(page.locator("#turn-2")).to_have_attribute("aria-current", "true")
    assert position(page) < TURNS[3].start_ms / 1000
    expect(page.locator(".turn[aria-current]")).to_have_count(1)


def test_the_turns_follow_the_playback(page: Page, call: str) -> None:
    open_call(page, call)
    page.locator("#turn-4 .turn__time").click()
    page.evaluate("document.querySelector('#audio').playbackRate = 8")
    expect(page.locator("#turn-6")).to_have_attribute("aria-current", "true", timeout=10_000)


@pytest.mark.parametrize(
    ("selector", "turn"), [("#turn-7 .chip--bad >> nth=0", 7), ("#item-overpromise .hear", 8)]
)
def test_clicking_a_finding_plays_its_words_and_stops(
    page: Page, call: str, selector: str, turn: int
) -> None:
    open_call(page, call)
    button = page.locator(selector)
    end_s = int(button.get_attribute("data-clip-end") or 0) / 1000
    start_s = int(button.get_attribute("data-clip-start") or 0) / 1000
    button.click()
    expect(button).to_have_class(re.compile(r"\bis-playing\b"))
    wait_until(page, f"document.querySelector('#audio').currentTime > {start_s}")
    wait_until(page, "document.querySelector('#audio').paused")
    assert abs(position(page) - end_s) < 0.05
    expect(page.locator(f"#turn-{turn}")).to_have_attribute("aria-current", "true")
    expect(page.locator(".is-playing")).to_have_count(0)


def test_a_quote_of_the_profile_opens_the_recording_at_its_second(page: Page, call: str) -> None:
    page.goto("/customers")
    page.get_by_role("link", name=CUSTOMER_REF).first.click()
    link = page.locator(".hear", has_text="太贵了吧").first
    second = float((link.get_attribute("href") or "").split("#t=")[1])
    link.click()
    wait_until(page, f"Math.abs(document.querySelector('#audio')?.currentTime - {second}) < 0.05")
    expect(page.locator("#turn-7")).to_have_attribute("aria-current", "true")
    expect(page.locator("#turn-7")).to_be_in_viewport()


def test_the_page_is_worked_by_keyboard(page: Page, call: str) -> None:
    open_call(page, call)
    page.keyboard.press("Space")
    wait_until(page, "!document.querySelector('#audio').paused")
    page.keyboard.press("Space")
    wait_until(page, "document.querySelector('#audio').paused")
    before = position(page)
    page.keyboard.press("ArrowRight")
    assert position(page) == pytest.approx(before + 5, abs=0.05)
    page.keyboard.press("ArrowLeft")
    assert position(page) == pytest.approx(before, abs=0.05)
    for index in (0, 1, 2):
        page.keyboard.press("ArrowDown")
        expect(page.locator(f"#turn-{index}")).to_have_attribute("aria-current", "true")
        expect(page.locator(f"#turn-{index} .turn__time")).to_be_focused()
    page.keyboard.press("Tab")  # to the correction of the turn
    page.keyboard.press("Tab")  # to its first finding
    page.keyboard.press("Enter")
    wait_until(page, "!document.querySelector('#audio').paused")
    page.keyboard.press("Escape")
    wait_until(page, "document.querySelector('#audio').paused")


def test_a_page_that_waits_shows_the_result_by_itself(world: World, page: Page) -> None:
    waiting = add_bare(world.services, status=RecordingStatus.PROCESSING)
    page.goto(f"/recordings/{waiting}")
    expect(page.locator("#state")).to_contain_text("处理中")
    with world.services.sessions.begin() as session:
        world.services.recordings.quarantine(session, waiting, "not_audio", "the file holds no audio")
    expect(page.locator("#state")).to_contain_text("not_audio", timeout=10_000)


def test_without_the_waveform_script_the_recording_still_plays_and_the_page_says_so(
    page: Page, call: str
) -> None:
    page.route("**/vendor/**", lambda route: route.abort())
    open_call(page, call)
    expect(page.locator("#waveform-failed")).to_be_visible()
    page.locator("#turn-3 .turn__text").click()
    wait_until(page, f"document.querySelector('#audio').currentTime > {TURNS[3].start_ms / 1000}")


def test_audio_that_does_not_load_is_said(page: Page, call: str) -> None:
    page.route("**/audio", lambda route: route.abort())
    page.goto(f"/recordings/{call}")
    expect(page.locator("#audio-failed")).to_be_visible()
