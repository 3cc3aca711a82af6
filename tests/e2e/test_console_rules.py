"""What a manager does with rules, in a real Chromium: change one, see the difference, then publish."""

from __future__ import annotations

import re

import pytest
from browser import Complaints, Visitors
from console_world import ConsoleWorld
from playwright.sync_api import Page, expect

from huaxiang.core.database import transaction
from huaxiang.quality.loader import DEFAULT

pytestmark = pytest.mark.browser
EDIT = f"/rules/{DEFAULT}/edit"
NEEDS = "passes_when: {act: need_discovery}"
MORE = "passes_when: {act: need_discovery, at_least: 3}"


@pytest.fixture
def manager(visitors: Visitors) -> Page:
    return visitors.page("mei", 1440, "zh")


def change(page: Page, before: str, after: str) -> None:
    """Change the text of the file as somebody would who pastes over what is there."""
    area = page.get_by_label("规则文件")
    text = area.input_value()
    assert before in text
    area.fill(text.replace(before, after, 1))


def test_the_lab_leads_from_a_figure_to_the_calls_it_counts(manager: Page) -> None:
    manager.goto("/rules?sort=-fires")
    row = manager.locator("#lab tbody tr", has_text="通用销售质检").first
    expect(row).to_contain_text(re.compile(r"\d+% \d+%–\d+% · n=\d+"))
    row.get_by_role("link").first.click()
    expect(manager.locator("#weeks canvas")).to_be_attached()
    expect(manager.locator("#hits .change").first).to_be_visible()


def test_a_mistake_is_named_while_typing_and_leads_to_its_line(manager: Page) -> None:
    complaints = Complaints(manager)
    manager.goto(EDIT)
    expect(manager.locator("#checked")).to_contain_text("没有错误")
    change(manager, "{act: need_discovery}", "{act: need_discovry}")
    expect(manager.locator("#checked")).to_contain_text("need_discovry")
    expect(manager.locator(".code__lines .is-wrong")).to_have_count(1)
    manager.locator(".mistakes__line").click()
    chosen = manager.get_by_label("规则文件").evaluate(
        "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    )
    assert "need_discovry" in chosen
    expect(manager.get_by_label("规则文件")).to_be_focused()
    manager.get_by_role("button", name="对比历史").click()
    expect(manager.locator("#checked")).to_contain_text("need_discovry")
    expect(manager.locator("#comparison .tile")).to_have_count(0)
    assert complaints.found == []


def test_a_rule_is_changed_its_difference_seen_heard_and_only_then_published(
    company: ConsoleWorld, manager: Page
) -> None:
    complaints = Complaints(manager)
    desk, sessions = company.world.services.history, company.world.services.sessions
    manager.goto("/rules")
    manager.locator("#scorecards").get_by_role("link", name="通用销售质检").click()
    manager.get_by_role("link", name="编辑").click()
    change(manager, NEEDS, MORE)
    with transaction(sessions) as session:
        before, _ = desk.rules.show(session, DEFAULT)
    manager.get_by_label("规则文件").press("Control+Enter")
    comparison = manager.locator("#comparison")
    expect(comparison.locator("a.tile").first).to_be_visible(timeout=15_000)
    changed = int(comparison.locator("a.tile .tile__value").first.inner_text())
    assert changed > 0
    expect(comparison.locator("#sellers canvas")).to_be_attached()
    expect(comparison.locator("#teams canvas")).to_be_attached()
    expect(comparison.locator("#by-seller tbody tr")).not_to_have_count(0)
    expect(comparison.locator(".change").first).to_contain_text("需求挖掘")
    with transaction(sessions) as session:
        assert desk.rules.show(session, DEFAULT)[0] == before, "nothing is published by comparing"
    comparison.get_by_role("button", name="为什么").first.click()
    expect(comparison.locator(".why").first).to_contain_text("改动前")
    comparison.get_by_label("说明").fill("至少问三次需求")
    comparison.get_by_role("button", name="发布").click()
    expect(manager.get_by_role("status").filter(has_text="已发布")).to_be_visible()
    expect(manager.locator("#versions")).to_contain_text("至少问三次需求")
    with transaction(sessions) as session:
        after, text = desk.rules.show(session, DEFAULT)
    assert (after.version, after.published_by) == (before.version + 1, "mei")
    assert MORE in text
    assert complaints.found == []


def test_a_conversation_that_changes_is_reached_from_its_seller(manager: Page) -> None:
    manager.goto(EDIT)
    change(manager, "points: 10", "points: 12")
    manager.get_by_role("button", name="对比历史").click()
    row = manager.locator("#by-seller tbody tr").first
    expect(row).to_be_visible(timeout=15_000)
    seller = row.locator("th").inner_text()
    row.get_by_role("link").click()
    expect(manager.locator("#changes")).to_contain_text(seller)
    expect(manager).to_have_url(re.compile("seller="))
    manager.locator(".change a").first.click()
    expect(manager.locator(".turn").first).to_be_visible()
