"""The list of customers and the profile of one."""

from __future__ import annotations

from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from huaxiang.api.http.dependencies import CustomerReader
from huaxiang.api.services import Services
from huaxiang.console.present_profile import customer_line, profile_page
from huaxiang.console.views import Views, language_of
from huaxiang.core.database import now, reading
from huaxiang.profile.catalogue import load_catalogue
from huaxiang.profile.listing import list_customers
from huaxiang.profile.view import profile

PAGE = 50


def customer_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/customers``."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/customers")
    def listing(request: Request, caller: CustomerReader, cursor: str | None = None) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            page = list_customers(session, now(), cursor=cursor, limit=PAGE)
        more = f"/customers?{urlencode({'cursor': page.next_cursor})}" if page.next_cursor else None
        return views.render(
            request,
            "customers.html",
            section="customers",
            rows=[customer_line(item, text, zone) for item in page.items],
            next_url=more,
        )

    @router.get("/customers/{reference}")
    def one(request: Request, caller: CustomerReader, reference: str) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            document = profile(session, services.customers.find(session, reference), now())
        groups = {
            name: group.zh if text.language == "zh" else group.en
            for name, group in load_catalogue().groups.items()
        }
        page = profile_page(document, text, zone, groups)
        return views.render(request, "customer.html", section="customers", page=page)

    return router
