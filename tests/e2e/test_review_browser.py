"""What reviewers, sellers and managers do with a score, in a real Chromium against a real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_world import PASSWORD, World, make_world
from browser import Complaints, chromium
from playwright.sync_api import Browser, Page, expect
from reviews import store_heard
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from tus_server import PATH, serving

from huaxiang.core.database import transaction
from huaxiang.quality.review.outcomes import Actor
from huaxiang.quality.review.review_store import StoredCase

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SELLER = "he.yun"
As = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser(chromium_or_skip: str) -> Iterator[Browser]:
    """One browser for the whole module; every person has a context of their own."""
    with chromium(chromium_or_skip) as running:
        yield running


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    return make_world(engine, sessions, tmp_path / "data")


@pytest.fixture
def signed_in(browser: Browser, world: World) -> Iterator[As]:
    """Gives the page of a person who signed in by the form."""
    contexts = []
    with serving(world.app) as uploads:

        def sign_in(name: str) -> Page:
            context = browser.new_context(
                base_url=uploads.removesuffix(PATH), viewport={"width": 1440, "height": 900}
            )
            contexts.append(context)
            page = context.new_page()
            page.goto("/login?next=/recordings")
            page.get_by_label("用户名").fill(name)
            page.get_by_label("密码").fill(PASSWORD)
            page.get_by_role("button", name="登录").click()
            expect(page.locator("h1")).to_be_visible()
            return page

        yield sign_in
        for context in contexts:
            context.close()


@pytest.fixture
def cases(world: World) -> list[StoredCase]:
    """Two cases that wait, both of the seller's calls."""
    calls = store_heard(world, 2, seller=SELLER)
    services = world.services
    with transaction(services.sessions) as session:
        return [
            services.reviews.cases.open(
                session,
                call.recording.id,
                services.scorecards.latest(session, call.recording.id),
                SELLER,
                Actor("user:root", "root"),
            )
            for call in calls
        ]


def test_a_score_goes_from_the_queue_to_the_final_decision(
    world: World, signed_in: As, cases: list[StoredCase]
) -> None:
    case, following = cases
    first = case.case.items[0].automatic
    mei = signed_in("mei")
    complaints = Complaints(mei)
    mei.goto("/review")
    mei.keyboard.press("j")
    mei.keyboard.press("Enter")
    expect(mei.locator("form[data-review]")).to_be_visible()
    _review_by_keyboard(mei, first.outcome.value)
    expect(mei).to_have_url(re.compile(rf"/review/{following.id}$"))
    expect(mei.locator(".toast")).to_contain_text("复核已提交")

    seller = signed_in(SELLER)
    seller.goto("/appeals")
    seller.get_by_role("link", name="申诉", exact=True).last.click()
    seller.locator(f"#item-{first.id}").get_by_label("对此项申诉").check()
    seller.get_by_label("理由").fill("第 2 句我说了")
    seller.get_by_role("button", name="申诉", exact=True).click()
    expect(seller.locator(".toast")).to_contain_text("申诉已提交")

    root = signed_in("root")
    root.goto("/appeals")
    root.locator("td.is-main a").click()
    expect(root.locator(f"#item-{first.id}")).to_contain_text("被申诉")
    root.keyboard.press("1" if first.outcome.value == "passed" else "2")
    expect(root.locator(f"#item-{first.id} .judge__reason input")).to_be_focused()
    root.keyboard.type("确实说了")
    root.get_by_label("终审理由").fill("申诉成立")
    root.get_by_role("button", name="终审", exact=True).click()
    expect(root.locator(".toast")).to_contain_text("已终审")

    seller.reload()
    told = seller.locator("#history li")
    expect(told).to_have_count(7)
    for row, words in enumerate(("终审", "判定", "申诉", "提交复核", "判定", "判定", "发起复核")):
        expect(told.nth(row)).to_contain_text(words)
    stages = seller.locator(f"#item-{first.id} .stages")
    for words in ("自动", "复核", "终审", "mei", "root", "确实说了"):
        expect(stages).to_contain_text(words)
    assert complaints.found == []


def _review_by_keyboard(page: Page, automatic: str) -> None:
    """Hear the evidence, change the first verdict with a reason, confirm the second, submit."""
    items = page.locator("[data-item]")
    expect(items.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("p")
    expect(page.locator("#listening")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("2" if automatic == "passed" else "1")
    reason = items.nth(0).locator(".judge__reason input")
    expect(reason).to_be_focused()
    page.keyboard.press("Enter")  # without a reason nothing is sent
    expect(items.nth(0).locator(".field__wrong")).to_be_visible()
    page.keyboard.type("没有听到")
    expect(items.nth(0).locator(".field__wrong")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(items.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    chosen = items.nth(1).locator("input[data-before]")
    page.keyboard.press(chosen.get_attribute("data-key") or "")
    expect(chosen).to_be_checked()
    expect(page.locator("#progress")).to_contain_text("已判 2 /")
    page.keyboard.press("Enter")


def test_what_nobody_judged_is_confirmed_at_a_press(signed_in: As, cases: list[StoredCase]) -> None:
    page = signed_in("mei")
    page.goto(f"/review/{cases[0].id}")
    page.keyboard.press("a")
    every = len(cases[0].case.items)
    expect(page.locator("#progress")).to_contain_text(f"已判 {every} / {every}")
    page.keyboard.press("k")
    page.keyboard.press("0")
    expect(page.locator("#progress")).to_contain_text(f"已判 {every - 1} / {every}")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(rf"/review/{cases[1].id}$"))


def test_the_case_is_judged_without_scripts_too(
    browser: Browser, world: World, cases: list[StoredCase]
) -> None:
    with serving(world.app) as uploads:
        context = browser.new_context(base_url=uploads.removesuffix(PATH), java_script_enabled=False)
        page = context.new_page()
        page.goto("/login?next=/recordings")
        page.get_by_label("用户名").fill("mei")
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.goto(f"/review/{cases[0].id}")
        page.locator("[data-item] input[data-before]").first.check()
        page.get_by_role("button", name="提交并看下一条").click()
        assert page.url.endswith(f"/review/{cases[1].id}")
        context.close()
