"""Every page in a real Chromium: narrow and wide, Chinese and English, usable by everybody.

Screenshots are kept under ``var/screenshots`` (another folder by ``SCREENSHOTS``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from browser import Complaints, Traffic, Visitors
from console_pages import PAGES, ConsolePage
from console_world import ConsoleWorld
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
WIDTHS = {"narrow": 360, "wide": 1440}
TAGS = {"zh": "zh-CN", "en": "en"}
EXAMINED = {("wide", "zh"), ("narrow", "en")}
"""Each width and each language once: an examination takes as long as all the rest."""
HEAVY = {"serious", "critical"}
EXAMINE = "axe.run(document, {resultTypes: ['violations']})"
EXPECTED_COMPLAINT = {"error": "status of 404"}


@pytest.fixture(scope="module")
def screenshots() -> Path:
    folder = Path(os.environ.get("SCREENSHOTS", ROOT / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("language", TAGS)
@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("shown", PAGES, ids=lambda page: page.name)
def test_a_page_fits_its_width_and_everybody_can_use_it(
    company: ConsoleWorld, visitors: Visitors, screenshots: Path, shown: ConsolePage, size: str, language: str
) -> None:
    page = visitors.page(shown.who, WIDTHS[size], language)
    complaints, traffic = Complaints(page), Traffic(page)
    answer = page.goto(company.address(shown.path))
    traffic.settle()
    assert answer is not None
    assert answer.status == (404 if shown.name == "error" else 200)
    file = screenshots / f"{shown.name}-{language}-{size}.png"
    page.screenshot(path=file, full_page=True, animations="disabled")
    assert page.locator(shown.shows).first.is_visible()
    assert page.evaluate("document.documentElement.lang") == TAGS[language]
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[size]
    expected = EXPECTED_COMPLAINT.get(shown.name)
    assert [said for said in complaints.found if expected is None or expected not in said] == []
    if (size, language) in EXAMINED:
        assert heavy_findings(page) == []  # last, as axe-core itself does what the page's policy forbids


def test_no_two_pages_have_one_name() -> None:
    assert len({page.name for page in PAGES}) == len(PAGES)


def heavy_findings(page: Page) -> list[str]:
    """Return what axe-core finds serious: the rule and where, without the words that stand there."""
    result: dict[str, Any] = page.evaluate(EXAMINE)
    return [
        f"{found['id']}: {', '.join(str(node['target']) for node in found['nodes'][:5])}"
        for found in result["violations"]
        if found["impact"] in HEAVY
    ]
