"""Scorecards and rule sets over HTTP: read, check, try, publish and retire them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import rule_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Manager, ServicesDep, once
from huaxiang.api.rule_documents import (
    examples_json,
    file_json,
    mistakes_json,
    publication_json,
    version_json,
)
from huaxiang.core.database import transaction
from huaxiang.core.types import Json
from huaxiang.quality.loader import parse

router = APIRouter(prefix="/v1/rules", tags=["rules"])
RuleId = Annotated[str, Path(max_length=64, examples=["general-sales"])]


@router.get("", summary="List scorecards and rule sets", responses={200: {"model": schemas.RulePage}})
def get_rules(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=64, description="``next_cursor`` of a page.")] = None,
) -> Response:
    """Return every scorecard and rule set by id, with its newest version and whether it is in use."""
    with transaction(services.sessions) as session:
        files = [file for file in services.rules.list(session) if cursor is None or file.id > cursor]
    page, more = files[:limit], len(files) > limit
    items: list[Json] = [file_json(file) for file in page]
    return respond(request, Answer({"items": items, "next_cursor": page[-1].id if more else None}))


@router.get(
    "/{rule_id}", summary="Read a scorecard or rule set", responses={200: {"model": schemas.RuleText}}
)
def get_rule(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    rule_id: RuleId,
    version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> Response:
    """Return a version (the newest if none is named) as it was written, and the list of all versions."""
    with transaction(services.sessions) as session:
        shown, text = services.rules.show(session, rule_id, version)
        versions: list[Json] = [version_json(one) for one in services.rules.versions(session, rule_id)]
    return respond(request, Answer({**version_json(shown), "text": text, "versions": versions}))


@router.post("/check", summary="Check a file", responses={200: {"model": schemas.RuleMistakes}})
def check_rules(
    request: Request, services: ServicesDep, caller: Manager, body: schemas.RuleTextIn
) -> Response:
    """Name every mistake of a file with its line, cause and cure; nothing is stored.

    The file may refer to the rules of the rule sets in use.
    """
    with transaction(services.sessions) as session:
        library = services.rules.library(session)
    mistakes = parse(body.text, library).mistakes
    return respond(request, Answer({"mistakes": mistakes_json(mistakes, body.language)}))


@router.post("/test", summary="Run a file's own examples", responses={200: {"model": schemas.RuleExamples}})
def test_rules(
    request: Request, services: ServicesDep, caller: Manager, body: schemas.RuleTextIn
) -> Response:
    """Run each item's and rule's own examples through the model; nothing is stored.

    A file with mistakes is answered with them and no examples; one of more than 200 examples is refused.
    """
    with transaction(services.sessions) as session:
        library = services.rules.library(session)
    parsed = parse(body.text, library)
    if parsed.mistakes or parsed.definition is None:
        mistakes = mistakes_json(parsed.mistakes, body.language)
        return respond(request, Answer({"mistakes": mistakes, "examples": [], "agree": 0}))
    results = services.history.examples(parsed.definition)
    agree = sum(result.agrees for result in results)
    return respond(request, Answer({"mistakes": [], "examples": examples_json(results), "agree": agree}))


@router.post(
    "",
    summary="Publish a file",
    status_code=201,
    responses={201: {"model": schemas.Publication}, 200: {"model": schemas.Publication}},
)
def publish_rules(
    request: Request, services: ServicesDep, caller: Manager, body: schemas.PublishIn
) -> Response:
    """Judge conversations by this file from now on, in place of an earlier version of its id.

    ``dry_run`` says what would be done. Answered with 200 where nothing was stored: a dry run, or the
    very text that is in use already. A version that is taken is 409, a file with mistakes 400.
    """

    def work(session: Session) -> Answer:
        act = services.rules.plan if body.dry_run else services.rules.publish
        done = act(session, body.text, by=caller.name, note=body.note)
        stored = done.changed and not body.dry_run
        headers = {"Location": f"/v1/rules/{quote(done.version.id)}"} if stored else {}
        document = {**publication_json(done), "dry_run": body.dry_run}
        return Answer(document, 201 if stored else 200, headers)

    return once(request, caller, work)


@router.post("/{rule_id}/retire", summary="Take out of use", responses={200: {"model": schemas.Retired}})
def retire_rules(
    request: Request, services: ServicesDep, caller: Manager, rule_id: RuleId, body: schemas.RetireIn
) -> Response:
    """Take a scorecard or rule set out of use until a new version is published; its scores stay."""

    def work(session: Session) -> Answer:
        if body.dry_run:
            file = services.rules.plan_retirement(session, rule_id)
        else:
            file = services.rules.retire(session, rule_id, by=caller.name, note=body.note)
        return Answer({**file_json(file), "dry_run": body.dry_run})

    return once(request, caller, work)
