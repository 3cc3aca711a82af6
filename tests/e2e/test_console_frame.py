"""What a manager does on the overview and the list, and an admin with devices, in a real Chromium."""

from __future__ import annotations

import re

import pytest
from browser import Complaints, Visitors
from console_world import ConsoleWorld
from playwright.sync_api import Page, expect

from huaxiang.core.database import transaction

pytestmark = pytest.mark.browser
ROW = "tr[id^=row-]"


@pytest.fixture
def manager(visitors: Visitors) -> Page:
    return visitors.page("mei", 1440, "zh")


def test_a_figure_of_the_overview_opens_the_list_that_it_counts(manager: Page) -> None:
    complaints = Complaints(manager)
    manager.goto("/")
    expect(manager.get_by_role("heading", name="总览")).to_be_visible()
    expect(manager.locator("#score-trend canvas")).to_be_attached()
    for label in ("已质检", "一票否决", "处理失败"):
        manager.goto("/overview?since=week")
        tile = manager.locator("a.tile", has_text=label)
        count = int(tile.locator(".tile__value").inner_text())
        assert count > 0
        tile.click()
        expect(manager.locator(".heading")).to_contain_text(f"共 {count} 条")
    assert complaints.found == []


def test_a_cell_of_the_failures_opens_its_conversations(manager: Page) -> None:
    manager.goto("/overview?by=seller")
    chart = manager.locator("#failures")
    chart.locator("summary").click()
    cell = chart.locator("tbody a").first
    failed = cell.inner_text()
    cell.click()
    expect(manager.get_by_role("heading", name="录音")).to_be_visible()
    assert manager.locator(ROW).count() > 0 or failed == "0%"
    expect(manager.locator("details.filters__more")).to_have_attribute("open", "")


def test_a_call_is_found_by_its_words_and_heard_in_the_list(company: ConsoleWorld, manager: Page) -> None:
    complaints = Complaints(manager)
    call = company.places["call"]
    manager.goto("/recordings")
    manager.get_by_label("说过的话").fill("爱人商量")
    manager.keyboard.press("Enter")
    row = manager.locator(f"#row-{call}")
    expect(row.locator("mark")).to_have_text("爱人商量")
    row.locator(".hear").click()
    expect(row.locator(".hear")).to_have_class(re.compile("is-playing"))
    expect(manager.locator("#listening")).to_be_visible()
    manager.keyboard.press("Escape")
    expect(row.locator(".hear")).not_to_have_class(re.compile("is-playing"))
    assert complaints.found == []


def test_rows_arrive_as_one_scrolls(company: ConsoleWorld, manager: Page) -> None:
    manager.goto("/recordings")
    expect(manager.locator(ROW)).to_have_count(50)
    manager.locator(".more-rows").scroll_into_view_if_needed()
    with transaction(company.world.services.sessions) as session:
        total = len(company.world.services.recordings.list(session, limit=500).items)
    expect(manager.locator(ROW)).to_have_count(min(total, 100))
    expect(manager).to_have_url(re.compile("/recordings$"))


def test_filters_and_order_are_worked_by_the_form_and_kept_as_a_view(manager: Page) -> None:
    manager.goto("/recordings")
    manager.get_by_label("团队").select_option("门店组")
    manager.get_by_role("button", name="筛选", exact=True).click()
    manager.get_by_role("link", name="质检").click()
    expect(manager).to_have_url(re.compile("sort=-score"))
    expect(manager.get_by_role("columnheader", name="质检")).to_have_attribute("aria-sort", "descending")
    manager.get_by_text("把当前筛选存为视图").click()
    manager.get_by_label("视图名称").fill("门店高分")
    manager.get_by_role("button", name="保存视图").click()
    expect(manager.locator(".toast")).to_contain_text("视图已保存")
    view = manager.get_by_role("link", name="门店高分")
    expect(view).to_have_attribute("aria-current", "page")
    manager.goto("/recordings")
    view.click()
    expect(manager.get_by_label("团队")).to_have_value("门店组")
    manager.on("dialog", lambda dialog: dialog.accept())
    manager.get_by_role("button", name="删除视图“门店高分”").click()
    expect(manager.locator(".toast")).to_contain_text("视图已删除")
    expect(view).to_have_count(0)


def test_the_question_mark_tells_the_keys_but_not_while_one_types(manager: Page) -> None:
    manager.goto("/recordings")
    manager.get_by_label("说过的话").press("?")
    expect(manager.get_by_label("说过的话")).to_have_value("?")
    manager.locator("h1").click()
    manager.keyboard.press("?")
    expect(manager.get_by_role("heading", name="键盘操作")).to_be_visible()


def test_a_device_is_added_with_its_key_shown_once_and_revoked_after_a_question(visitors: Visitors) -> None:
    admin = visitors.page("root", 1440, "zh")
    admin.goto("/devices")
    admin.get_by_label("设备名称").fill("工牌-099")
    admin.get_by_role("button", name="添加").click()
    key = admin.locator("#new-key code").inner_text()
    assert key.startswith("hxd_")
    admin.goto("/devices")
    assert key not in admin.content()
    admin.get_by_role("link", name="停用 工牌-099").click()
    admin.get_by_role("link", name="不停用").click()
    admin.get_by_role("link", name="停用 工牌-099").click()
    admin.get_by_role("button", name="确认停用").click()
    expect(admin.locator(".toast")).to_contain_text("设备已停用")
    expect(admin.get_by_role("row", name=re.compile("工牌-099"))).to_contain_text("停用")
    expect(admin.get_by_role("link", name="停用 工牌-099")).to_have_count(0)
