"""Where a rule is changed: edited, checked, tested, tried on the whole history, and only then published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.history.desk import HistoryDesk
from huaxiang.api.http.dependencies import Manager
from huaxiang.api.services import Services
from huaxiang.console.forms import check_session_form, read_form
from huaxiang.console.present import number
from huaxiang.console.present_comparison import (
    change_rows,
    comparison_view,
    grade_chart,
    name_of,
    outcome_text,
)
from huaxiang.console.present_rules import (
    Checked,
    compared_name,
    comparison_url,
    example_views,
    file_title,
    mistake_views,
    quote_views,
    window_view,
    with_next_version,
)
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.console.views import Views, done, language_of
from huaxiang.core.database import reading, transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Scorecard, ScorecardItem
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.definition import RuleSet, ScorecardDefinition
from huaxiang.quality.history.compare import UNKNOWN, Comparison
from huaxiang.quality.history.comparison_store import BROKEN_OFF, FAILED, RUNNING, Tried
from huaxiang.quality.loader import Definition
from huaxiang.quality.review.outcomes import outcome_of
from huaxiang.quality.rule_versions import RuleFile
from huaxiang.quality.verdicts import reason_text

PAGE = 30


def rule_editor_router(services: Services, views: Views) -> APIRouter:
    """Return the routes of the editor of rules and of its comparisons."""
    router = APIRouter(include_in_schema=False)
    desk = services.history
    zone = ZoneInfo(services.settings.default_zone)

    @router.get("/rules/{rule_id}/edit")
    def edit(
        request: Request, caller: Manager, rule_id: str, version: int | None = None, comparison: str = ""
    ) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            source = _source(session, desk, rule_id, version, comparison)
            page = _editor(session, desk, rule_id, source, text)
            checked = _checked(session, desk, source, text)
        return views.render(request, "rule_edit.html", section="rules", page=page, checked=checked)

    @router.post("/rules/{rule_id}/edit")
    async def work(request: Request, caller: Manager, rule_id: str) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        wanted = request.query_params.get("do") or form.get("do", "check")
        source = form.get("text", "").replace("\r\n", "\n")
        return await run_in_threadpool(_worked, request, services, views, caller, rule_id, wanted, source)

    @router.get("/rules/{rule_id}/comparisons/{comparison_id}")
    def comparison(request: Request, caller: Manager, rule_id: str, comparison_id: str) -> Response:
        with reading(services.sessions) as session:
            tried = _tried(session, desk, rule_id, comparison_id)
            context = _compared(session, desk, tried, request.query_params, zone, language_of(request))
        template = "_comparison.html" if request.query_params.get("part") else "rule_comparison.html"
        return views.render(request, template, section="rules", **context)

    @router.get("/rules/{rule_id}/comparisons/{comparison_id}/changes/{recording_id}")
    def why(
        request: Request, caller: Manager, rule_id: str, comparison_id: str, recording_id: str
    ) -> Response:
        text = language_of(request)
        with reading(services.sessions) as session:
            tried = _tried(session, desk, rule_id, comparison_id)
            before, after = desk.explained(session, tried, recording_id)
        sides = _sides(recording_id, before, after, text)
        return views.render(request, "_rule_why.html", sides=sides)

    @router.post("/rules/{rule_id}/comparisons/{comparison_id}/publish")
    async def publish(request: Request, caller: Manager, rule_id: str, comparison_id: str) -> Response:
        form = await read_form(request)
        check_session_form(request, form, caller)
        published = await run_in_threadpool(
            _publish, services, rule_id, comparison_id, caller, form.get("note", "").strip()
        )
        desk.start_lab()
        if form.get("apply"):
            desk.start_applying()
        return done(f"/rules/{published}", "rules.published.done")

    return router


def _worked(
    request: Request,
    services: Services,
    views: Views,
    caller: Caller,
    rule_id: str,
    wanted: str,
    source: str,
) -> Response:
    """Do what the editor's form asks for: check, test, compare, or publish a rule set."""
    desk, text = services.history, language_of(request)
    part = "hx-request" in request.headers
    with reading(services.sessions) as session:
        checked = _checked(session, desk, source, text)
        parsed = desk.read(session, source)
    definition = None if parsed.mistakes else parsed.definition
    if definition is not None and wanted == "compare" and isinstance(definition, ScorecardDefinition):
        return _begin(request, services, views, caller, source, part=part)
    if definition is not None and wanted == "publish" and isinstance(definition, RuleSet):
        with transaction(services.sessions) as session:
            desk.rules.publish(session, source, by=caller.name)
        return done(f"/rules/{definition.id}", "rules.published.done")
    if definition is not None and wanted == "test":
        checked = _tested(desk, definition, checked, text)
    if part:
        answer = views.render(request, "_rule_checked.html", checked=checked)
        answer.headers["HX-Retarget"] = "#checked"
        answer.headers["HX-Reswap"] = "innerHTML"
        return answer
    with reading(services.sessions) as session:
        page = _editor(session, desk, rule_id, source, text)
    return views.render(request, "rule_edit.html", section="rules", page=page, checked=checked)


def _begin(
    request: Request, services: Services, views: Views, caller: Caller, source: str, *, part: bool
) -> Response:
    desk = services.history
    with transaction(services.sessions) as session:
        comparison_id = desk.begin(session, source, caller.name)
        tried = desk.comparisons.get(session, comparison_id)
    desk.start(comparison_id)
    if not part:
        return RedirectResponse(comparison_url(tried.scorecard, comparison_id), 303)
    text, zone = language_of(request), ZoneInfo(services.settings.default_zone)
    with reading(services.sessions) as session:
        context = _compared(session, desk, tried, {}, zone, text)
    return views.render(request, "_comparison.html", section="rules", **context)


def _source(session: Session, desk: HistoryDesk, rule_id: str, version: int | None, comparison: str) -> str:
    """Return the text to begin with: of a comparison, of a version, or the newest, as the next version."""
    if comparison:
        return _tried(session, desk, rule_id, comparison).text
    newest = desk.rules.versions(session, rule_id)[0].version
    _, source = desk.rules.show(session, rule_id, version)
    return with_next_version(source, newest)


def _editor(session: Session, desk: HistoryDesk, rule_id: str, source: str, text: Texts) -> dict[str, Any]:
    """Return what the editor shows. Raises NotFound for an id of which there is no file, nor a comparison."""
    file = _file(session, desk, rule_id)
    if file is None and not desk.comparisons.newest(session, rule_id, limit=1):
        raise NotFound("there is no scorecard or rule set of this id")
    return {
        "id": rule_id,
        "title": file_title(file.definition, text) if file else rule_id,
        "back": f"/rules/{rule_id}" if file else "/rules",
        "text": source,
        "is_scorecard": file is None or isinstance(file.definition, ScorecardDefinition),
    }


def _file(session: Session, desk: HistoryDesk, rule_id: str) -> RuleFile | None:
    return next((file for file in desk.rules.list(session) if file.id == rule_id), None)


def _checked(session: Session, desk: HistoryDesk, source: str, text: Texts) -> Checked:
    parsed = desk.read(session, source)
    if parsed.mistakes or parsed.definition is None:
        return Checked(mistake_views(parsed.mistakes, text))
    definition = parsed.definition
    count = len(definition.items) if isinstance(definition, ScorecardDefinition) else len(definition.rules)
    summary = text("rules.checked", name=definition.reference, count=count)
    if _file(session, desk, definition.id) is None:
        return Checked(summary=summary, warning=text("rules.checked.new", id=definition.id))
    return Checked(summary=summary, warning=_version_taken(session, desk, definition, text))


def _version_taken(session: Session, desk: HistoryDesk, definition: Definition, text: Texts) -> str:
    """Return why a file cannot be published where its version is there already; empty where it is not."""
    if _file(session, desk, definition.id) is None:
        return ""
    newest = desk.rules.versions(session, definition.id)[0].version
    if definition.version > newest:
        return ""
    return text("rules.checked.taken", version=newest, next=newest + 1)


def _tested(desk: HistoryDesk, definition: Definition, checked: Checked, text: Texts) -> Checked:
    results = desk.examples(definition)
    return Checked(summary=checked.summary, warning=checked.warning, examples=example_views(results, text))


def _tried(session: Session, desk: HistoryDesk, rule_id: str, comparison_id: str) -> Tried:
    tried = desk.comparisons.get(session, comparison_id)
    if tried.scorecard != rule_id:
        raise NotFound("there is no such comparison of this scorecard")
    return tried


def _compared(
    session: Session,
    desk: HistoryDesk,
    tried: Tried,
    query: Mapping[str, str],
    zone: ZoneInfo,
    text: Texts,
) -> dict[str, Any]:
    """Return what the page of a comparison shows, in whatever state it is."""
    url = comparison_url(tried.scorecard, tried.id)
    when = local_time(tried.created_at, zone)
    head: dict[str, Any] = {
        "id": tried.id,
        "rule_id": tried.scorecard,
        "url": url,
        "title": _title(session, desk, tried, text),
        "back": f"/rules/{tried.scorecard}" if _file(session, desk, tried.scorecard) else "/rules",
        "name": compared_name(tried, text),
        "reference": tried.definition,
        "note": text("rules.comparison.note", time=when, by=tried.created_by),
        "running": tried.state == RUNNING,
        "percent": round(100 * tried.done_share),
        "error": _error(tried, text),
    }
    if tried.comparison is None:
        return {"tried": head, "view": None, "changes": []}
    head["missing"] = desk.not_indexed(session)
    names = SellerStore().names(session)
    view = comparison_view(tried.comparison, url, names, text)
    parsed = desk.read(session, tried.text).definition
    thresholds = parsed.thresholds if isinstance(parsed, ScorecardDefinition) else ()
    head["grades"] = grade_chart(tried.comparison, thresholds, text)
    page = _changes_page(session, desk, tried, tried.comparison, query, names, zone, text)
    told = {**head, **page.pop("head"), **_publishing(session, desk, tried, text)}
    return {"tried": told, "view": view, **page}


def _changes_page(
    session: Session,
    desk: HistoryDesk,
    tried: Tried,
    comparison: Comparison,
    query: Mapping[str, str],
    names: Mapping[str, str],
    zone: ZoneInfo,
    text: Texts,
) -> dict[str, Any]:
    """Return a page of the conversations that change, narrowed to a seller, a team or an item."""
    url = comparison_url(tried.scorecard, tried.id)
    kept = {name: query[name] for name in ("seller", "team", "item") if name in query}
    sellers = _narrowed_sellers(session, comparison, kept)
    cursor = query.get("cursor", "")
    after = int(cursor) if cursor.isdecimal() else -1
    found = desk.comparisons.changes(
        session, tried.id, sellers=sellers, item=kept.get("item"), after=after, limit=PAGE + 1
    )
    titles = {item.id: item.title_zh if text.language == "zh" else item.title_en for item in comparison.items}
    more = {**kept, "cursor": str(found[PAGE - 1].position)} if len(found) > PAGE else None
    told = [name_of(kept[name], names, text) for name in ("team", "seller") if name in kept]
    told += [titles.get(kept["item"], kept["item"])] if "item" in kept else []
    return {
        "changes": change_rows(found[:PAGE], comparison.items, url, names, zone, text),
        "head": {
            "changes_note": text("rules.changes.note", count=comparison.whole.changed),
            "narrowed": " · ".join(told),
            "next_url": f"{url}?{urlencode(more)}#changes" if more else "",
            "first_url": f"{url}?{urlencode(kept)}#changes" if after >= 0 else "",
        },
    }


def _narrowed_sellers(session: Session, comparison: Comparison, kept: Mapping[str, str]) -> list[str] | None:
    """Return the sellers whose conversations are meant; None for all."""
    if "seller" in kept:
        return [kept["seller"]]
    if "team" not in kept:
        return None
    teams = SellerStore().team_of(session)
    keys = (group.key for group in comparison.sellers)
    return [key for key in keys if teams.get(key, UNKNOWN) == kept["team"]]


def _publishing(session: Session, desk: HistoryDesk, tried: Tried, text: Texts) -> dict[str, Any]:
    """Return whether what was tried may be published, and why not."""
    current = desk.scorecards.get(session, tried.scorecard)
    reference = current.reference if current else ""
    blocked = ""
    if reference == tried.definition and desk.rules.show(session, tried.scorecard)[1] == tried.text:
        blocked = text("rules.blocked.published")
    elif reference != tried.against:
        blocked = text("rules.blocked.moved", name=reference or text("rules.tried.new"))
    else:
        parsed = desk.read(session, tried.text)
        if parsed.definition is not None and not parsed.mistakes:
            blocked = _version_taken(session, desk, parsed.definition, text)
        else:
            blocked = text("rules.blocked.mistakes")
    return {"publishable": not blocked, "blocked": blocked}


def _publish(services: Services, rule_id: str, comparison_id: str, caller: Caller, note: str) -> str:
    """Publish exactly the text that was tried, against the version it was compared with."""
    desk = services.history
    with transaction(services.sessions) as session:
        tried = _tried(session, desk, rule_id, comparison_id)
        desk.publish(session, tried, by=caller.name, note=note)
        return tried.scorecard


def _title(session: Session, desk: HistoryDesk, tried: Tried, text: Texts) -> str:
    current = desk.scorecards.get(session, tried.scorecard)
    return file_title(current, text) if current else tried.scorecard


def _error(tried: Tried, text: Texts) -> str:
    if tried.state != FAILED:
        return ""
    if tried.error == BROKEN_OFF:
        return text("rules.error.broken_off")
    return text("rules.error.failed", code=tried.error or "")


def _sides(
    recording_id: str, before: Scorecard | None, after: Scorecard | None, text: Texts
) -> list[dict[str, Any]]:
    """Return the items that come to something else, as each of the two scores judges them."""
    passed = [{item.id: item.passed for item in side.items} if side else {} for side in (before, after)]
    both = {*passed[0], *passed[1]}
    moved = {one for one in both if passed[0].get(one, ...) != passed[1].get(one, ...)}
    names = (text("rules.before"), text("rules.after"))
    return [
        {
            "name": name,
            "score": f"{number(side.score)}/{number(side.possible)}" if side else text("rules.absent"),
            "judged": [
                _judged(recording_id, item, text) for item in (side.items if side else ()) if item.id in moved
            ],
        }
        for name, side in zip(names, (before, after), strict=True)
    ]


def _judged(recording_id: str, item: ScorecardItem, text: Texts) -> dict[str, Any]:
    outcome = outcome_of(item.passed).value
    reason = reason_text(item.reason_code, item.reason_detail, text.language) if item.reason_code else ""
    return {
        "recording_id": recording_id,
        "title": item.title if text.language == "zh" else item.title_en or item.title,
        "outcome": outcome_text(outcome, text),
        "tone": {"failed": "bad", "passed": "good"}.get(outcome, ""),
        "reason": reason,
        "quotes": quote_views(item.evidence),
        "window": window_view(item.window),
    }
