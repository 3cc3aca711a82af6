"""Adds the pages and their static files to the application."""

from __future__ import annotations

import json

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import iter_route_contexts

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.dependencies import AnyCaller
from huaxiang.api.http.problems import Render, request_id_of
from huaxiang.api.services import Services
from huaxiang.console.assets import STATIC, Assets, CachedStaticFiles
from huaxiang.console.coaching_pages import COACHING
from huaxiang.console.correction_pages import correction_router
from huaxiang.console.customer_pages import customer_router
from huaxiang.console.device_pages import device_router
from huaxiang.console.help_pages import help_router
from huaxiang.console.overview_pages import overview_router
from huaxiang.console.recording_list_pages import recording_list_router
from huaxiang.console.recording_pages import recording_router
from huaxiang.console.reviewing import REVIEW_ROUTERS
from huaxiang.console.rule_editor_pages import rule_editor_router
from huaxiang.console.rule_item_pages import rule_item_router
from huaxiang.console.rule_pages import rule_router
from huaxiang.console.sign_in_pages import sign_in_router
from huaxiang.console.views import Views, language_of, toast

_ROUTERS = (
    sign_in_router,
    overview_router,
    recording_list_router,
    recording_router,
    correction_router,
    customer_router,
    device_router,
    help_router,
)


def mount_console(app: FastAPI, services: Services) -> Render:
    """Add the pages to ``app``; return what turns a problem into a page for a person."""
    views = Views(Assets())
    for make in _ROUTERS:
        app.include_router(make(services, views))
    for make in (*REVIEW_ROUTERS, rule_router, rule_item_router, rule_editor_router, *COACHING):
        app.include_router(make(services, views))
    app.add_api_route("/", _home, methods=["GET"], include_in_schema=False)
    views.served = {route.path for route in iter_route_contexts(app.routes) if route.path is not None}
    app.mount("/static", CachedStaticFiles(directory=STATIC), name="static")

    def render(request: Request, problem: Response) -> Response:
        from_page = "hx-request" in request.headers
        if not from_page and not _wants_page(request):
            return problem
        document = json.loads(bytes(problem.body))
        text = language_of(request)
        key = f"error.{document['code']}"
        message = text.words.get(key) or text("error.other", code=document["code"])
        if from_page:
            return toast(problem, message, "bad")
        page = views.render(
            request,
            "error.html",
            status=problem.status_code,
            number=problem.status_code,
            message=message,
            request_id=request_id_of(request) or "",
        )
        for name in ("retry-after", "www-authenticate", "allow"):
            if name in problem.headers:
                page.headers[name] = problem.headers[name]
        return page

    return render


def _home(request: Request, caller: AnyCaller) -> Response:
    return RedirectResponse("/overview" if caller.may(Scope.MANAGER) else "/recordings", 303)


def _wants_page(request: Request) -> bool:
    """Return whether a person's browser asked for a page, not a program for data."""
    known = isinstance(getattr(request.state, "caller", None), Caller)
    api = request.url.path.startswith(("/v1/", "/static/", "/metrics", "/healthz", "/readyz"))
    return known and not api and "text/html" in request.headers.get("accept", "")
