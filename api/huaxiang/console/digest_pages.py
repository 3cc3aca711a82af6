"""The page of the week's digest."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from huaxiang.api.http.dependencies import Manager
from huaxiang.api.search.choices import team_names
from huaxiang.api.services import Services
from huaxiang.console.coaching_shared import clip_source, reader_of
from huaxiang.console.listing import Listing
from huaxiang.console.present_digest import digest_page
from huaxiang.console.views import Views
from huaxiang.core.database import now, reading
from huaxiang.profile.coaching.digest import period_of_week, week_of

WEEK = timedelta(days=7)


def digest_router(services: Services, views: Views) -> APIRouter:
    """Return the route of ``/digest``."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/digest")
    def digest(request: Request, caller: Manager) -> Response:
        moment = now()
        today = moment.astimezone(zone).date()
        week = request.query_params.get("week") or week_of(today - WEEK)
        team = request.query_params.get("team") or None
        first = period_of_week(week).first
        with reading(services.sessions) as session:
            found = services.coaching.digests.digest(session, week, team, moment)
            teams = team_names(session)
        listing = Listing("/digest", {"week": week, "team": team or ""})
        following = first + WEEK
        return views.render(
            request,
            "digest.html",
            section="team",
            page=digest_page(found, reader_of(request, services, caller), clip_source(services, caller)),
            team=team or "",
            week=week,
            teams=[(name, name) for name in teams],
            before_url=listing.url(week=week_of(first - WEEK)),
            after_url=listing.url(week=week_of(following)) if following <= today else "",
        )

    return router
