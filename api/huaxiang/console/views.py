"""Renders templates: the language of the visitor, the assets, and what every page needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.console.assets import VENDOR_SCRIPTS, Assets
from huaxiang.console.texts import DEFAULT_LANGUAGE, LANGUAGES, Texts, texts

LANGUAGE_COOKIE = "huaxiang_lang"
_A_YEAR_S = 365 * 24 * 3600


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

    @property
    def scripts_are_there(self) -> bool:
        """Whether the vendored scripts were built."""
        return not self._assets.missing

    def render(
        self, request: Request, template: str, *, status: int = 200, section: str = "", **context: Any
    ) -> Response:
        """Return a page in the visitor's language; a switched language is remembered in a cookie."""
        caller = getattr(request.state, "caller", None)
        page = self._templates.get_template(template).render(
            t=language_of(request),
            asset=self._assets.url,
            scripts=[name for name in VENDOR_SCRIPTS if name not in self._assets.missing],
            missing=self._assets.missing,
            caller=caller,
            sees_customers=isinstance(caller, Caller) and caller.may(Scope.CRM, Scope.MANAGER),
            section=section,
            language_url=_language_url(request),
            **context,
        )
        response = HTMLResponse(page, status)
        chosen = request.query_params.get("lang")
        if chosen in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, chosen, max_age=_A_YEAR_S, samesite="lax", httponly=True, path="/"
            )
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
