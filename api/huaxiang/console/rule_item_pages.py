"""One item of a scorecard: what the lab found of it, the calls that fail it, and its floor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.history.desk import HistoryDesk
from huaxiang.api.history.hits import Hit, newest_hits
from huaxiang.api.http.dependencies import Manager
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present_lab import lab_rows, share_view, title_of, weeks_chart
from huaxiang.console.present_rules import quote_views, window_view
from huaxiang.console.recording_view import local_time
from huaxiang.console.rule_pages import scorecard_of
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import reading, transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.definition import ScorecardDefinition

HITS = 20


def rule_item_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of one item."""
    router = APIRouter(include_in_schema=False)
    desk = services.history
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/rules/{rule_id}/items/{item_id}")
    def item(request: Request, caller: Manager, rule_id: str, item_id: str, start: int = 0) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            definition = scorecard_of(desk.rules.get(session, rule_id))
            page = _item_page(session, desk, definition, item_id, max(start, 0), text, zone)
        return views.render(request, "rule_item.html", section="rules", page=page)

    @router.post("/rules/{rule_id}/items/{item_id}/floor")
    async def floor(request: Request, caller: Manager, rule_id: str, item_id: str) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        percent = _percent(form.get("percent", ""))
        await run_in_threadpool(_set_floor, services, rule_id, item_id, percent, caller)
        return done(f"/rules/{rule_id}/items/{item_id}", "rules.floor.done")

    return router


def _item_page(
    session: Session,
    desk: HistoryDesk,
    definition: ScorecardDefinition,
    item_id: str,
    start: int,
    text: Texts,
    zone: ZoneInfo,
) -> dict[str, Any]:
    found = desk.lab.found(session, [definition.reference])
    rows = lab_rows([definition], found, desk.lab.floors(session), text)
    row = next((row for row in rows if row.id == item_id), None)
    if row is None:
        raise NotFound("the scorecard has no such item")
    known = found.get((definition.reference, item_id))
    figures = known.figures if known else None
    hits = newest_hits(session, definition.reference, item_id, offset=start, limit=HITS + 1)
    names = SellerStore().names(session)
    basis = figures.basis if figures else "none"
    reviewed = {
        "sampled": text("rules.basis.sampled"),
        "chosen": text("rules.basis.chosen"),
    }.get(basis, text("rules.basis.none"))
    return {
        "row": row,
        "note": f"{title_of(definition, text)} · {row.section} · {item_id}",
        "tiles": [
            {"label": text("rules.fires"), "share": row.fires, "note": text("rules.fires.note")},
            {"label": text("rules.precision"), "share": row.precision, "note": reviewed},
            {"label": text("rules.recall"), "share": row.recall, "note": text("rules.recall.note")},
            {
                "label": text("rules.missed"),
                "share": share_view(figures.missed_share if figures else None),
                "note": text("rules.missed.note"),
            },
        ],
        "chart": weeks_chart(figures.weeks, text) if figures else None,
        "hits": [_hit(hit, names, zone) for hit in hits[:HITS]],
        "unscored": bool(figures and figures.hits) and not hits and not start,
        "next_url": f"{row.url}?start={start + HITS}#hits" if len(hits) > HITS else "",
        "first_url": f"{row.url}#hits" if start else "",
        "floor_log": [
            text(
                "rules.floor.log",
                time=local_time(entry.set_at, zone),
                by=entry.set_by,
                percent=round(100 * entry.floor),
            )
            for entry in desk.lab.floor_log(session, definition.id)
            if entry.item_id == item_id
        ],
    }


def _hit(hit: Hit, names: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "recording_id": hit.recording_id,
        "url": f"/recordings/{hit.recording_id}",
        "when": local_time(hit.at, zone),
        "seller": names.get(hit.seller or "", hit.seller or ""),
        "for_review": hit.for_review,
        "quotes": quote_views(hit.evidence),
        "window": window_view(hit.window),
    }


def _set_floor(services: Services, rule_id: str, item_id: str, percent: float, caller: Caller) -> None:
    desk = services.history
    with transaction(services.sessions) as session:
        definition = scorecard_of(desk.rules.get(session, rule_id))
        if all(item.id != item_id for item in definition.items):
            raise NotFound("the scorecard has no such item")
        desk.lab.set_floor(session, rule_id, item_id, percent / 100, caller.name)


def _percent(value: str) -> float:
    try:
        percent = float(value)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise InvalidInput("a floor is a percentage from 0 to 100", fields="percent")
    return percent
