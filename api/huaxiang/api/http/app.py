"""Puts the application together: routers, pages, and the layers around them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from huaxiang.api.access.guard import Require
from huaxiang.api.access.sessions import SESSION_COOKIE
from huaxiang.api.http import (
    calibrations,
    customers,
    devices,
    health,
    jobs,
    listening,
    metrics,
    overview,
    recordings,
    reviews,
    rules,
    sampling,
    search,
    uploads,
)
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.authentication import CSRF_HEADER, Authentication
from huaxiang.api.http.body_limit import BodyLimit
from huaxiang.api.http.coaching import ROUTERS as COACHING
from huaxiang.api.http.corrections import router as corrections_router
from huaxiang.api.http.dependencies import AnyCaller, Uploader
from huaxiang.api.http.edge import Edge
from huaxiang.api.http.history import router as history_router
from huaxiang.api.http.metrics import HttpMetrics
from huaxiang.api.http.problems import add_problem_handlers
from huaxiang.api.http.schemas import Problem
from huaxiang.api.services import Services
from huaxiang.console.mount import mount_console
from huaxiang.core.settings import Settings
from huaxiang.ingest.tus import tus_router

_ROUTERS = (
    health.router,
    metrics.router,
    recordings.router,
    listening.router,
    corrections_router,
    search.router,
    overview.router,
    uploads.router,
    customers.router,
    devices.router,
    jobs.router,
    rules.router,
    history_router,
    reviews.router,
    sampling.router,
    calibrations.router,
    *COACHING,
)
_DESCRIPTION = """\
Recordings of sales conversations in; transcripts, findings, scorecards and customer profiles out, all with
evidence.

Send `Authorization: Bearer …` with an API token (`hxt_…`) or, for uploads, a device key. Each operation
names the scopes of which one is needed (`x-scopes`); `admin` has all. Lists are read page by page with
`cursor`; what can be read has an `ETag`; `Idempotency-Key` makes a POST or PUT safe to repeat; every error is
`application/problem+json` with a stable `code`.
"""


class HuaxiangApi(FastAPI):
    """FastAPI with the security schemes and the scopes of each operation in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document; it is made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            components = document.setdefault("components", {})
            components["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token or a device key."},
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
            }
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            components.setdefault("schemas", {}).update({**problem.pop("$defs"), "Problem": problem})
            _add_scopes(document, scopes_of_routes(self))
        return self.openapi_schema or {}


def create_app(services: Services) -> FastAPI:
    """Return the application: ``/v1``, health, metrics and the pages."""
    app = HuaxiangApi(
        title="Huaxiang 话像",
        version=version("huaxiang"),
        description=_DESCRIPTION,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # served below, to known callers
    )
    figures = HttpMetrics(services.sessions)
    app.state.services = services
    app.state.metrics = figures
    for router in (*_ROUTERS, tus_router(services.uploads, _source)):
        app.include_router(router)
    app.add_api_route(
        "/openapi.json", _openapi, methods=["GET"], include_in_schema=False, response_class=Response
    )
    render_problem = mount_console(app, services)
    add_problem_handlers(app, render_problem)
    settings = services.settings
    app.add_middleware(BodyLimit, limit_for=body_limits(settings))
    app.add_middleware(
        Authentication,
        authenticator=services.authenticator,
        metrics_from_loopback=settings.access.metrics_from_loopback,
    )
    app.add_middleware(Edge, observe=figures.observe)  # added last, so it is outermost
    return app


def body_limits(settings: Settings) -> Any:
    """Return the most bytes of a body by method and address; uploads bound theirs themselves."""

    def limit_for(method: str, path: str) -> int | None:
        if path.startswith("/v1/uploads") or (method, path) == ("POST", "/v1/recordings"):
            return None
        if path == "/v1/customers/import":
            return settings.http.max_import_bytes + settings.http.max_body_bytes
        return settings.http.max_body_bytes

    return limit_for


def scopes_of_routes(app: FastAPI) -> dict[tuple[str, str], tuple[str, ...] | None]:
    """Return the scopes of which one is needed, by method and path; None where no caller is asked for."""
    found: dict[tuple[str, str], tuple[str, ...] | None] = {}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        if dependant is None or route.path is None:
            continue  # the static files
        guard = _guard(dependant)
        scopes = tuple(scope.value for scope in guard.scopes) if guard else None
        for method in route.methods or ():
            found[method, route.path] = scopes
    return found


def _guard(dependant: Dependant) -> Require | None:
    """Return what asks for the caller, at whatever depth of the dependencies."""
    for inner in dependant.dependencies:
        found = inner.call if isinstance(inner.call, Require) else _guard(inner)
        if found is not None:
            return found
    return None


def _source(caller: Uploader) -> str:
    """Return where a caller's recordings come from, for the tus routes."""
    return caller.source


def _add_scopes(document: dict[str, Any], scopes: dict[tuple[str, str], tuple[str, ...] | None]) -> None:
    """Write the security and the errors of each operation."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            needed = scopes.get((method.upper(), path))
            responses = operation["responses"]
            responses.pop("422", None)
            responses["default"] = {"description": "Any error, as a problem document.", "content": problem}
            if needed is None:
                operation["security"] = []
                continue
            operation["security"] = [{"token": []}, {"session": []}]
            operation["x-scopes"] = list(needed)
            if method != "get":
                operation.setdefault("parameters", []).extend(_CHANGE_HEADERS)


_CHANGE_HEADERS = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 200},
        "description": "Makes the request safe to repeat for a day.",
    },
    {
        "name": CSRF_HEADER.title(),
        "in": "header",
        "schema": {"type": "string"},
        "description": "The form token, needed with a session cookie only.",
    },
)


def _openapi(request: Request, caller: AnyCaller) -> Response:
    """Return the OpenAPI document."""
    return respond(request, Answer(request.app.openapi()))
