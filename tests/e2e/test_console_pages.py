"""Every page in a real Chromium: narrow and wide, Chinese and English, usable by everybody.

Screenshots are kept under ``var/screenshots`` (another folder by ``SCREENSHOTS``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from api_world import sign_in
from browser import Complaints, Traffic, Visitors
from console_pages import PAGES, ConsolePage
from console_world import ConsoleWorld
from playwright.sync_api import Page
from sqlalchemy import text
from starlette.testclient import TestClient

from huaxiang.core.database import transaction

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
WIDTHS = {"wide": 1440, "narrow": 360}
TAGS = {"zh": "zh-CN", "en": "en"}
EXAMINED = {"zh": "wide", "en": "narrow"}
"""Each width and each language once: an examination takes as long as all the rest."""
HEAVY = {"serious", "critical"}
EXAMINE = "axe.run(document, {resultTypes: ['violations']})"
TORN = """() => {
  const torn = [];
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    for (const word of text.data.matchAll(/(?<![\\w-])[A-Za-z]{2,14}(?![\\w-])/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((line) => line.top)).size > 1) torn.push(word[0]);
    }
  }
  for (const head of document.querySelectorAll("main tbody th")) {
    const letters = head.textContent.trim().length;
    if (head.offsetParent && letters > 4 && head.clientWidth < 70) torn.push(`heading of ${letters}`);
  }
  return torn;
}"""
"""Short words that a line break tears apart, and row headings that stand letter under letter."""
HIDDEN_PLACE = """() => [...document.querySelectorAll(".side nav, .tabs")].filter((row) => {
  const open = row.querySelector("[aria-current]")?.getBoundingClientRect();
  const seen = row.getBoundingClientRect();
  return open && (open.left < seen.left - 1 || open.right > seen.right + 1);
}).map((row) => row.className || row.tagName)"""
"""The rows of links whose open one is out of sight."""
EXPECTED_COMPLAINT = {"error": "status of 404"}


@pytest.fixture(scope="module")
def screenshots() -> Path:
    folder = Path(os.environ.get("SCREENSHOTS", ROOT / "var" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("language", TAGS)
@pytest.mark.parametrize("shown", PAGES, ids=lambda page: page.name)
def test_a_page_fits_its_width_and_everybody_can_use_it(
    company: ConsoleWorld, visitors: Visitors, screenshots: Path, shown: ConsolePage, language: str
) -> None:
    page = visitors.page(shown.who, WIDTHS["wide"], language)
    complaints, traffic = Complaints(page), Traffic(page)
    answer = page.goto(company.address(shown.path))
    assert answer is not None
    assert answer.status == (404 if shown.name == "error" else 200)
    for size, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        traffic.settle()
        file = screenshots / f"{shown.name}-{language}-{size}.png"
        page.screenshot(path=file, full_page=True, animations="disabled")
        assert page.locator(shown.shows).first.is_visible()
        assert page.evaluate("document.documentElement.lang") == TAGS[language]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(TORN) == []
        assert page.evaluate(HIDDEN_PLACE) == []
    expected = EXPECTED_COMPLAINT.get(shown.name)
    assert [said for said in complaints.found if expected is None or expected not in said] == []
    # Last, as axe-core itself does what the page's policy forbids.
    page.set_viewport_size({"width": WIDTHS[EXAMINED[language]], "height": 900})
    assert heavy_findings(page, visitors.axe) == []


def test_no_page_waits_for_whoever_writes(company: ConsoleWorld) -> None:
    world = company.world
    with TestClient(world.app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        signed_in = {}
        for who in {shown.who for shown in PAGES} - {None}:
            sign_in(client, str(who))
            signed_in[who] = client.cookies["huaxiang_session"]
        with transaction(world.services.sessions) as writer:
            writer.execute(text("SELECT 1"))  # on SQLite a transaction that may write locks the others out
            for shown in PAGES:
                client.cookies.clear()
                if shown.who is not None:
                    client.cookies["huaxiang_session"] = signed_in[shown.who]
                answer = client.get(company.address(shown.path), headers={"Accept": "text/html"})
                assert (shown.name, answer.status_code) == (shown.name, 404 if shown.name == "error" else 200)


def test_no_two_pages_have_one_name() -> None:
    assert len({page.name for page in PAGES}) == len(PAGES)


def heavy_findings(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds serious: the rule and where, without the words that stand there."""
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate(EXAMINE)
    return [
        f"{found['id']}: {', '.join(str(node['target']) for node in found['nodes'][:5])}"
        for found in result["violations"]
        if found["impact"] in HEAVY
    ]
