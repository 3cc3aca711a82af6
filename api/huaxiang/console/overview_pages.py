"""The first page of a manager's morning."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from huaxiang.api.http.dependencies import Manager
from huaxiang.api.overview.period import Since
from huaxiang.api.overview.reading import read_overview
from huaxiang.api.services import Services
from huaxiang.console.present_overview import overview_page
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import now, reading


def overview_router(services: Services, views: Views) -> APIRouter:
    """Return the route of ``/overview``."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/overview")
    def overview(request: Request, caller: Manager, since: str = "", by: str = "") -> Response:
        asked = Since(since) if since in {one.value for one in Since} else Since.NIGHT
        with reading(services.sessions) as session:
            found = read_overview(session, services.search.list, asked, now(), zone)
        page = overview_page(
            found, language_of(request), zone, "seller" if by == "seller" else "team", views.served
        )
        return views.render(request, "overview.html", section="overview", page=page)

    return router
