"""What a manager does on the page of a conversation: hear a finding, correct a turn, undo, see it come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from api_world import PASSWORD, World, add_bare, make_world
from browser import Complaints, chromium
from corrected_calls import CALMER, add_scored_call, store_words
from invented_call import SAID, invented_insights, invented_transcript
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from tus_server import PATH, serving

from huaxiang.api.progress import ProgressTeller
from huaxiang.core.types import RecordingStatus

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def browser(chromium_or_skip: str) -> Iterator[Browser]:
    with chromium(chromium_or_skip) as running:
        yield running


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    return make_world(engine, sessions, tmp_path / "data")


@pytest.fixture
def page(world: World, browser: Browser) -> Iterator[Page]:
    """A page in which the manager signed in by the form."""
    with serving(world.app) as uploads:
        context = browser.new_context(
            base_url=uploads.removesuffix(PATH), viewport={"width": 1440, "height": 900}
        )
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("用户名").fill("mei")
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/login" not in url)
        yield page
        context.close()


def seconds(page: Page) -> float:
    return float(page.evaluate("document.querySelector('#audio').currentTime"))


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition in the page; Playwright's own way needs eval, which the page's policy forbids."""
    for _ in range(150):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"it never came true: {condition}")


def open_call(page: Page, call: str) -> None:
    page.goto(f"/recordings/{call}")
    wait_until(page, "document.querySelector('#audio').readyState >= 1")


def test_a_call_is_found_and_its_finding_heard_where_it_stands(world: World, page: Page) -> None:
    add_scored_call(world.services)
    complaints = Complaints(page)
    page.goto("/recordings")
    page.get_by_role("link", name="首次电话：门店客户管理").click()
    mark = page.locator("#turn-7 mark.objection")
    expect(mark).to_have_text("太贵了吧")
    mark.click()
    expect(mark).to_have_class(re.compile(r"\bis-playing\b"))
    end_s = int(mark.get_attribute("data-clip-end") or 0) / 1000
    wait_until(
        page, "document.querySelector('#audio').paused && document.querySelector('#audio').currentTime > 0"
    )
    assert abs(seconds(page) - end_s) < 0.05
    expect(page.locator("#turn-7")).to_have_attribute("aria-current", "true")
    assert complaints.found == []


def test_a_turn_is_corrected_in_its_place_and_the_correction_undone(world: World, page: Page) -> None:
    call = add_scored_call(world.services)
    complaints = Complaints(page)
    open_call(page, call)
    turn = page.locator("#turn-8")
    turn.get_by_role("link", name="更正").click()
    expect(page.locator("#turn-8 textarea")).to_be_focused()
    page.locator("#turn-8 textarea").fill(
        "理解，价格是要算清楚。三千的那种不带录音和提醒，很多店都赚回来了。"
    )
    named = page.locator("span", has_text="「保证您肯定赚回来」")
    page.locator("#turn-8 label.field").filter(has=named).locator("select").select_option("wrong")
    page.get_by_role("button", name="保存更正").click()
    expect(page.locator(".toast")).to_contain_text("已更正")
    expect(turn.locator(".turn__text")).to_contain_text("很多店都赚回来了")
    expect(turn.locator(".turn__edit")).to_be_focused()
    expect(turn.locator(".chip", has_text="过度承诺")).to_have_count(0)
    item = page.locator("#item-overpromise")
    expect(item).to_have_class(re.compile("item--passed"))
    expect(item.locator(".outcomes")).to_contain_text("更正后 通过")
    log = page.locator("#corrections li")
    expect(log.first).to_be_visible()
    for _ in range(log.count()):
        page.locator("#corrections li:not(.correction--undone)").get_by_role(
            "button", name="撤销"
        ).first.click()
        expect(page.locator(".toast", has_text="已撤销").first).to_be_visible()
        page.wait_for_timeout(200)
    expect(turn.locator(".turn__text")).to_contain_text("保证您肯定赚回来")
    expect(turn.locator(".chip", has_text="过度承诺")).to_have_count(1)
    expect(item).to_have_class(re.compile("item--failed"))
    turn.locator(".turn__text").click()
    expect(page.locator("#turn-8")).to_have_attribute("aria-current", "true")
    assert complaints.found == []


def test_a_turn_is_corrected_with_the_keyboard_alone(world: World, page: Page) -> None:
    call = add_scored_call(world.services)
    open_call(page, call)
    page.locator("#turn-7 .turn__time").focus()
    page.keyboard.press("e")
    area = page.locator("#turn-7 textarea")
    expect(area).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#turn-7 .turn__edit")).to_be_focused()
    page.keyboard.press("e")
    expect(area).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(CALMER)
    page.locator("#turn-7").get_by_role("button", name="保存更正").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#turn-7 .turn__text")).to_contain_text(CALMER)


def test_a_form_that_is_wrong_says_so_beside_the_field(world: World, page: Page) -> None:
    call = add_scored_call(world.services)
    open_call(page, call)
    page.locator("#turn-7 .turn__edit").click()
    turn = page.locator("#turn-7")
    turn.locator("textarea").fill(CALMER)
    turn.get_by_text("补充漏掉的发现").click()
    turn.locator("select[name=missed]").select_option("intent:negotiate")
    turn.locator("input[name=quote]").fill("没说过的话")
    turn.get_by_role("button", name="保存更正").click()
    expect(turn.locator(".field__wrong")).to_have_text("这一句里没有这几个字。")
    expect(turn.locator("textarea")).to_have_value(CALMER)
    turn.locator("input[name=quote]").fill("一年才三千")
    turn.get_by_role("button", name="保存更正").click()
    expect(turn.locator(".chip", has_text="议价")).to_be_visible()


def test_words_that_were_heard_badly_are_marked_ranked_and_heard(world: World, page: Page) -> None:
    call = add_scored_call(world.services)
    store_words(world.services, call)
    open_call(page, call)
    expect(page.locator("#turn-7 .doubt")).to_have_text(["太贵"])
    first = page.locator("#doubts li").first
    expect(first).to_contain_text("太贵")
    expect(first).to_contain_text("影响发现")
    first.locator(".hear").click()
    wait_until(page, "document.querySelector('#audio').currentTime > 0")
    expect(page.locator("#turn-7")).to_have_attribute("aria-current", "true")


def test_a_page_shows_how_far_the_work_is_and_then_what_was_heard(world: World, page: Page) -> None:
    services = world.services
    waiting = add_bare(services, status=RecordingStatus.PROCESSING)
    clock = [0.0]
    teller = ProgressTeller(services.sessions, waiting, "transcribe", lambda: clock[0])
    teller(0.2)
    complaints = Complaints(page)
    page.goto(f"/recordings/{waiting}")
    now = page.locator(".step--now")
    expect(now).to_contain_text("转写 20%")
    expect(page.locator(".step--done")).to_have_count(1)
    clock[0] += 5
    teller(0.6)
    expect(now).to_contain_text("转写 60%", timeout=8000)
    transcript = replace(invented_transcript(waiting), recording_id=waiting)
    with services.sessions.begin() as session:
        services.transcripts.save(session, transcript, "0" * 64)
    expect(page.locator(".turn")).to_have_count(len(SAID), timeout=8000)
    with services.sessions.begin() as session:
        services.insights.save(session, waiting, invented_insights(transcript), "0" * 64)
        services.recordings.set_status(session, waiting, RecordingStatus.DONE)
    expect(page.locator("#state")).to_have_count(0, timeout=8000)
    expect(page.locator("#turn-7 .chip").first).to_be_visible()
    assert complaints.found == []
