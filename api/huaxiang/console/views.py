"""Renders templates: the language of the visitor, the assets, and what every page needs."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from huaxiang.api.access.callers import Caller
from huaxiang.console.assets import Assets
from huaxiang.console.navigation import sections_for
from huaxiang.console.present import clock
from huaxiang.console.texts import DEFAULT_LANGUAGE, LANGUAGES, Texts, texts

LANGUAGE_COOKIE = "huaxiang_lang"
FLASH_COOKIE = "huaxiang_done"
STYLES = tuple(
    f"css/{name}.css"
    for name in (
        *("tokens", "base", "layout", "controls", "data", "clip", "conversation", "profile", "review"),
        *("rules", "coaching"),
    )
)
_A_YEAR_S = 365 * 24 * 3600
_FLASH_S = 30


class Views:
    """The templates with what they share."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["clock"] = clock
        self._templates.globals.update(asset=assets.url, vendor=self._vendor, styles=STYLES)
        self.served: Collection[str] = ()

    @property
    def scripts_are_there(self) -> bool:
        """Whether the vendored scripts were built."""
        return not self._assets.missing

    def render(
        self, request: Request, template: str, *, status: int = 200, section: str = "", **context: Any
    ) -> Response:
        """Return a page in the visitor's language; a switched language is remembered in a cookie."""
        caller = getattr(request.state, "caller", None)
        text = language_of(request)
        done = request.cookies.get(FLASH_COOKIE, "")
        page = self._templates.get_template(template).render(
            t=text,
            missing=self._assets.missing,
            caller=caller,
            session_csrf=(caller.csrf or "") if isinstance(caller, Caller) else "",
            sections=sections_for(caller, self.served),
            section=section,
            language_url=_language_url(request),
            flash=text.words.get(done, ""),
            **context,
        )
        response = HTMLResponse(page, status)
        chosen = request.query_params.get("lang")
        if chosen in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, chosen, max_age=_A_YEAR_S, samesite="lax", httponly=True, path="/"
            )
        if done and "hx-request" not in request.headers:
            response.delete_cookie(FLASH_COOKIE, path="/")
        return response

    def _vendor(self, name: str) -> Markup:
        """Return the element that loads a vendored script; nothing where it was not built."""
        if name in self._assets.missing:
            return Markup("")
        return Markup('<script src="{}" defer></script>').format(self._assets.url(f"vendor/{name}"))


def done(url: str, key: str) -> Response:
    """Return the answer to a form that was carried out: go to ``url``, where the text ``key`` is said."""
    response = RedirectResponse(url, 303)
    response.set_cookie(FLASH_COOKIE, key, max_age=_FLASH_S, samesite="lax", httponly=True, path="/")
    return response


def toast(response: Response, words: str, tone: str = "good") -> Response:
    """Have HTMX show ``words`` in passing beside what the response replaces; ``tone`` is good or bad."""
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": words, "tone": tone}})
    return response


def language_of(request: Request) -> Texts:
    """Return the words of the language asked for by ``?lang=``, else by the cookie, else Chinese."""
    asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE) or DEFAULT_LANGUAGE
    return texts(asked)


def _language_url(request: Request) -> str:
    """Return the address of this page in the other language."""
    other = language_of(request)("language.other")
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    path = request.url.path if request.method == "GET" else "/recordings"
    return f"{path}?{urlencode([*kept, ('lang', other)])}"
