"""The rules with their lab: the list, one file, one item; floors, retirement, scoring the history anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.history.desk import HistoryDesk
from huaxiang.api.history.hits import scored_by
from huaxiang.api.http.dependencies import Manager
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.listing import Listing, read_sort
from huaxiang.console.present_lab import (
    FILTERS,
    LabRow,
    lab_rows,
    narrowed,
    ordered,
    precision_chart,
)
from huaxiang.console.present_rules import (
    file_row,
    file_title,
    tried_row,
    version_rows,
)
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import reading, transaction
from huaxiang.core.errors import NotFound
from huaxiang.quality.definition import RuleSet, ScorecardDefinition
from huaxiang.quality.history.lab_store import Found
from huaxiang.quality.rule_versions import RuleFile

_COLUMNS = {"title": 1, "fires": 1, "precision": 1, "recall": 1}


@dataclass(frozen=True, slots=True)
class LabState:
    """Whether the lab is at work, when it last was, and how many recordings rules do not see yet.

    ``retries_at`` is when it begins by itself again where it failed, and empty where it did not.
    """

    busy: bool
    at: str
    population: int
    missing: int
    retries_at: str


def rule_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of ``/rules`` but for the editor."""
    router = APIRouter(include_in_schema=False)
    desk = services.history
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/rules")
    def listing(request: Request, caller: Manager) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            desk.freshen_lab(session)
            page = _list_page(session, desk, request.query_params, text, zone)
            lab = _lab_state(session, desk, page.pop("found"), zone)
        return views.render(request, "rules.html", section="rules", page=page, lab=lab)

    @router.get("/rules/lab")
    def lab_state(request: Request, caller: Manager) -> Response:
        """Tell the waiting page whether the lab is still at work (204), or to load anew."""
        if desk.lab_is_busy:
            return Response(status_code=204)
        return Response(headers={"HX-Refresh": "true"})

    @router.post("/rules/lab")
    async def run_lab(request: Request, caller: Manager) -> Response:
        check_session_form(request, await read_form(request), caller)
        desk.start_lab()
        return done("/rules", "rules.lab.started")

    @router.post("/rules/apply")
    async def apply(request: Request, caller: Manager) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        back = await run_in_threadpool(_known, services, form.get("back", ""))
        desk.start_applying()
        return done(f"/rules/{back}", "rules.apply.started")

    @router.get("/rules/{rule_id}")
    def one(request: Request, caller: Manager, rule_id: str) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            file = desk.rules.get(session, rule_id)
            page = _file_page(session, desk, file, text, zone)
            lab = _lab_state(session, desk, page.pop("found"), zone)
        return views.render(request, "rule.html", section="rules", page=page, lab=lab)

    @router.post("/rules/{rule_id}/retire")
    async def retire(request: Request, caller: Manager, rule_id: str) -> Response:
        check_session_form(request, await read_form(request), caller)
        await run_in_threadpool(_retire, services, rule_id, caller)
        return done(f"/rules/{rule_id}", "rules.retired.done")

    return router


def _list_page(
    session: Session, desk: HistoryDesk, query: Any, text: Texts, zone: ZoneInfo
) -> dict[str, Any]:
    files = desk.rules.list(session)
    definitions = [scorecard_of(file) for file in files if file.in_use and _is_scorecard(file)]
    found = desk.lab.found(session, [definition.reference for definition in definitions])
    rows = lab_rows(definitions, found, desk.lab.floors(session), text)
    flag = query.get("show", "")
    column, descending = read_sort(query.get("sort", ""), _COLUMNS, "")
    listing = Listing("/rules", {"show": flag} if flag in FILTERS else {}, column, descending)
    shown = ordered(narrowed(rows, flag), column, descending)
    return {
        "scorecards": [file_row(file, text, zone) for file in files],
        "item_count": len(rows),
        "tiles": _tiles(rows, text),
        "choices": _choices(rows, flag, text),
        "chart": precision_chart(rows, text),
        "rows": shown,
        "listing": listing,
        "found": list(found.values()),
    }


def _choices(rows: Sequence[LabRow], flag: str, text: Texts) -> list[dict[str, Any]]:
    choices = [
        {"name": text("rules.all"), "url": "/rules#lab", "count": len(rows), "current": flag not in FILTERS}
    ]
    for name in FILTERS:
        choices.append(
            {
                "name": _flag_name(name, text),
                "url": f"/rules?{urlencode({'show': name})}#lab",
                "count": sum(row.has(name) for row in rows),
                "current": flag == name,
            }
        )
    return choices


def _flag_name(name: str, text: Texts) -> str:
    return {
        "suggests": text("rules.flag.suggests"),
        "never": text("rules.flag.never"),
        "alike": text("rules.flag.alike"),
        "drift": text("rules.flag.drift"),
    }.get(name, text("rules.flag.unreviewed"))


def _tiles(rows: Sequence[LabRow], text: Texts) -> list[dict[str, Any]]:
    notes = {
        "suggests": text("rules.tile.suggests"),
        "never": text("rules.tile.never"),
        "alike": text("rules.tile.alike"),
    }
    tiles = []
    for name, note in notes.items():
        count = sum(row.has(name) for row in rows)
        tone = "warn" if count and name != "alike" else ""
        url = f"/rules?{urlencode({'show': name})}#lab"
        tiles.append(
            {"label": _flag_name(name, text), "value": count, "url": url, "tone": tone, "note": note}
        )
    return tiles


def _file_page(
    session: Session, desk: HistoryDesk, file: RuleFile, text: Texts, zone: ZoneInfo
) -> dict[str, Any]:
    definition = file.definition
    newest = file.newest.version
    page: dict[str, Any] = {
        "id": file.id,
        "title": file_title(definition, text),
        "note": f"{file.newest.reference}",
        "version": newest,
        "in_use": file.in_use,
        "is_scorecard": isinstance(definition, ScorecardDefinition),
        "retired": "",
        "versions": version_rows(
            desk.rules.versions(session, file.id), newest if file.in_use else None, text, zone
        ),
        "found": [],
    }
    if file.retired:
        when = local_time(file.retired.at, zone)
        page["retired"] = text("rules.retired.since", time=when, by=file.retired.by)
    if isinstance(definition, RuleSet):
        page["rules"] = [_rule(rule, text) for rule in definition.rules]
        return page
    found = desk.lab.found(session, [definition.reference])
    rows = lab_rows([definition], found, desk.lab.floors(session), text)
    total, scored = desk.indexed(session), scored_by(session, definition.reference)
    return {
        **page,
        "found": list(found.values()),
        "sections": _sections(definition, rows, text),
        "comparisons": [
            tried_row(tried, text, zone) for tried in desk.comparisons.newest(session, file.id, limit=8)
        ],
        "total": total,
        "scored": scored,
        "scored_percent": min(round(100 * scored / total), 100) if total else 0,
        "applying": desk.is_applying,
    }


def _sections(definition: ScorecardDefinition, rows: Sequence[LabRow], text: Texts) -> list[dict[str, Any]]:
    """Return the parts of a scorecard with their items; items of no section come first."""
    by_section: dict[str, list[LabRow]] = {}
    for item, row in zip(definition.items, rows, strict=True):
        by_section.setdefault(item.section, []).append(row)
    titles = {
        one.id: (one.title_zh if text.language == "zh" else one.title_en, one.weight)
        for one in definition.sections
    }
    found = []
    for identifier, items in by_section.items():
        title, weight = titles.get(identifier, (text("rules.items"), None))
        note = text("rules.weight", percent=f"{weight:g}") if weight is not None else ""
        found.append({"title": title, "note": note, "rows": items})
    return found


def _rule(rule: Any, text: Texts) -> dict[str, str]:
    chinese = text.language == "zh"
    return {
        "id": rule.id,
        "title": rule.title_zh if chinese else rule.title_en,
        "severity": rule.severity.value,
        "says": rule.says_zh if chinese else rule.says_en,
    }


def _lab_state(session: Session, desk: HistoryDesk, found: Sequence[Found], zone: ZoneInfo) -> LabState:
    last = max(found, key=lambda one: one.computed_at, default=None)
    return LabState(
        busy=desk.lab_is_busy,
        at=local_time(last.computed_at, zone) if last else "",
        population=max((one.figures.population for one in found), default=0),
        missing=desk.not_indexed(session),
        retries_at=local_time(desk.lab_retries_at, zone) if desk.lab_retries_at else "",
    )


def _known(services: Services, rule_id: str) -> str:
    """Return the id of a file that is there. Raises NotFound."""
    with reading(services.sessions) as session:
        return services.history.rules.get(session, rule_id).id


def _retire(services: Services, rule_id: str, caller: Caller) -> None:
    with transaction(services.sessions) as session:
        services.history.rules.retire(session, rule_id, by=caller.name)


def _is_scorecard(file: RuleFile) -> bool:
    return isinstance(file.definition, ScorecardDefinition)


def scorecard_of(file: RuleFile) -> ScorecardDefinition:
    """Return the scorecard of a file. Raises NotFound for one that holds rules."""
    if not isinstance(file.definition, ScorecardDefinition):
        raise NotFound("this file holds rules, and no scorecard")
    return file.definition
