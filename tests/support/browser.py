"""A Chromium of the system's own under Playwright, without a network beyond loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Give a running browser with a fresh profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """What a page complained about: script errors, failed requests, refused content."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"{message.type}: {message.text}")


class Visitors:
    """People at their browsers: one window for each of them, width and language, opened once.

    ``cookies`` are the sessions by name, ``axe`` the script that examines a page.
    """

    def __init__(self, browser: Browser, address: str, cookies: Mapping[str, str], axe: str) -> None:
        self._browser = browser
        self._address = address
        self._cookies = cookies
        self.axe = axe
        self._windows: dict[tuple[str | None, int, str], BrowserContext] = {}

    def page(self, who: str | None, width: int, language: str) -> Page:
        """Return a new page in a person's window; pages of that window that were open are closed."""
        window = self._windows.get((who, width, language))
        if window is None:
            window = self._browser.new_context(
                base_url=self._address, viewport={"width": width, "height": 900}
            )
            kept = {"huaxiang_lang": language}
            if who is not None:
                kept["huaxiang_session"] = self._cookies[who]
            window.add_cookies(
                [{"name": name, "value": value, "url": self._address} for name, value in kept.items()]
            )
            self._windows[who, width, language] = window
        for page in window.pages:
            page.close()
        return window.new_page()


class Traffic:
    """What a page has asked the server for and not had yet."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._open: set[Request] = set()
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def settle(self, quiet_ms: int = 100, most_ms: int = 10_000) -> None:
        """Wait until nothing was under way for a moment (``networkidle`` takes half a second for it)."""
        quiet = 0
        for _ in range(0, most_ms, 50):
            self._page.wait_for_timeout(50)
            quiet = 0 if self._open else quiet + 50
            if quiet >= quiet_ms:
                return
        raise AssertionError("the page asks the server without end")

    def _answered(self, request: Request) -> None:
        self._open.discard(request)

    def _asked(self, request: Request) -> None:
        if request.resource_type != "media":  # a recording is read while it plays
            self._open.add(request)
