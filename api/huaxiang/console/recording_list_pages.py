"""The list of recordings: search, filters, order, kept views, and rows that come as one scrolls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.console_tables import ProgressRow
from huaxiang.api.http.dependencies import Listener, visible_recording
from huaxiang.api.saved_views import MAX_NAME_CHARS, keep_view, remove_view, views_of
from huaxiang.api.search.choices import items_in_use, sellers_heard, team_names
from huaxiang.api.search.filters import own
from huaxiang.api.search.listing import Listed, ListFilters, ListPage
from huaxiang.api.search.terms import read_terms
from huaxiang.api.services import Services
from huaxiang.api.workflow import STAGE_NAMES
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.list_query import PATH, SCORES, ListQuery, read_list_query
from huaxiang.console.present_list import Option, RowView, item_title, label_groups, row_view, with_present
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import reading, transaction
from huaxiang.core.types import RecordingStatus, Role, Setting
from huaxiang.quality.review.outcomes import CaseState

PAGE = 50


def recording_list_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of the list; they stand before those of one recording."""
    router = APIRouter(include_in_schema=False)
    zone = ZoneInfo(services.settings.default_zone)
    desk = _Desk(services, zone)

    @router.get("/recordings")
    def listing(request: Request, caller: Listener) -> Response:
        text, query = language_of(request), desk.query(request)
        cursor = request.query_params.get("cursor") or None
        with reading(services.sessions) as session:
            page, rows = desk.rows(session, query, caller, text, cursor)
            total = services.search.list.count(session, desk.filters(query, caller))
            choices = _choices(session, query, text) if caller.only_seller is None else {}
            kept = views_of(session, caller)
        return views.render(
            request,
            "recordings.html",
            section="recordings",
            rows=rows,
            query=query,
            chosen=_Chosen(query.chosen),
            listing=query.listing,
            total=total,
            paged=cursor is not None,
            choices=choices,
            fixed=_fixed_choices(query, text),
            labels=label_groups(text),
            views=kept,
            shares=caller.may(Scope.MANAGER),
            max_name=MAX_NAME_CHARS,
            next_cursor=page.next_cursor,
        )

    @router.get("/recordings/rows")
    def rows(request: Request, caller: Listener) -> Response:
        """Give the rows after those that the page has."""
        text, query = language_of(request), desk.query(request)
        cursor = request.query_params.get("cursor") or None
        with reading(services.sessions) as session:
            page, found = desk.rows(session, query, caller, text, cursor)
        return views.render(
            request, "_recording_rows.html", rows=found, query=query, next_cursor=page.next_cursor
        )

    @router.get("/recordings/{recording_id}/row")
    def row(request: Request, caller: Listener, recording_id: str) -> Response:
        """Give the present row of a recording that is worked on."""
        text = language_of(request)
        with reading(services.sessions) as session:
            visible_recording(session, services, caller, recording_id)
            listed = services.search.list.one(session, recording_id)
            view = row_view(listed, (), _progress(session, [listed]), text, zone)
        return views.render(
            request, "_recording_rows.html", rows=[view], query=ListQuery({}), next_cursor=None
        )

    _add_views(router, services, desk)
    return router


def _add_views(router: APIRouter, services: Services, desk: _Desk) -> None:
    """Add the routes by which filters are kept as a view, and a view removed."""

    @router.post("/recordings/views")
    async def keep(request: Request, caller: Listener) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        query = read_list_query(dict(parse_qsl(form.get("query", ""))), services.search.list.sorts)
        name, shared = form.get("name", ""), form.get("shared") == "true"
        await run_in_threadpool(desk.keep, caller, name, query.query, shared)
        return done(query.listing.url(), "views.kept")

    @router.post("/recordings/views/{view_id}/remove")
    async def remove(request: Request, caller: Listener, view_id: str) -> Response:
        check_session_form(request, await read_form(request), caller)
        await run_in_threadpool(desk.remove, caller, view_id)
        return done(PATH, "views.removed")


class _Desk:
    """What the routes do with the store."""

    def __init__(self, services: Services, zone: ZoneInfo) -> None:
        self._services = services
        self._zone = zone

    def query(self, request: Request) -> ListQuery:
        return read_list_query(request.query_params, self._services.search.list.sorts)

    def filters(self, query: ListQuery, caller: Caller) -> ListFilters:
        return own(query.filters(self._zone), caller)

    def rows(
        self, session: Session, query: ListQuery, caller: Caller, text: Texts, cursor: str | None
    ) -> tuple[ListPage, list[RowView]]:
        found = self._services.search.list
        page = found.page(session, self.filters(query, caller), sort=query.sort, cursor=cursor, limit=PAGE)
        progress = _progress(session, page.items)
        terms = read_terms(query.chosen.get("q", ""))
        return page, [row_view(listed, terms, progress, text, self._zone) for listed in page.items]

    def keep(self, caller: Caller, name: str, query: str, shared: bool) -> None:
        with transaction(self._services.sessions) as session:
            keep_view(session, caller, name, query, shared=shared)

    def remove(self, caller: Caller, view_id: str) -> None:
        with transaction(self._services.sessions) as session:
            remove_view(session, caller, view_id)


class _Chosen(dict[str, str]):
    """The filters in force; one that is not is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def _progress(session: Session, listed: Sequence[Listed]) -> Mapping[str, float]:
    """Return the share of all stages that is done, of those of the recordings that are worked on."""
    busy = [one.recording.id for one in listed if one.recording.status is RecordingStatus.PROCESSING]
    if not busy:
        return {}
    rows = session.scalars(select(ProgressRow).where(ProgressRow.recording_id.in_(busy)))
    return {
        row.recording_id: (STAGE_NAMES.index(row.stage) + row.share) / len(STAGE_NAMES)
        for row in rows
        if row.stage in STAGE_NAMES
    }


def _fixed_choices(query: ListQuery, text: Texts) -> dict[str, list[Option]]:
    """Return the choices that do not depend on what is stored."""
    return {
        "status": [(value.value, text(f"status.{value.value}")) for value in RecordingStatus],
        "role": [(value.value, text(f"role.{value.value}")) for value in (Role.AGENT, Role.CUSTOMER)],
        "setting": [(value.value, text(f"setting.{value.value}")) for value in Setting],
        "score": [(band, f"{band.replace('-', '–')} %") for band in SCORES],
        "review": [(value.value, text(f"case.{value.value}")) for value in CaseState],
        "sort": [
            (value, text(f"sort.{name}"))
            for value, name in (
                ("-when", "newest"),
                ("when", "oldest"),
                ("score", "worst"),
                ("-score", "best"),
                ("-duration", "longest"),
                ("seller", "seller"),
            )
        ],
    }


def _choices(session: Session, query: ListQuery, text: Texts) -> dict[str, list[Option]]:
    """Return the sellers, teams and items that there are."""
    found: dict[str, list[Option]] = {
        "seller": list(sellers_heard(session)),
        "team": [(team, team) for team in team_names(session)],
        "item": [(item.id, item_title(item, text)) for item in items_in_use(session)],
    }
    return {name: with_present(options, query.chosen.get(name, "")) for name, options in found.items()}
