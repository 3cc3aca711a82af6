"""Recordings found by what was said, told, found and scored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from huaxiang.api.http import search_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Listener, ServicesDep
from huaxiang.api.search.filters import own
from huaxiang.api.search.index import Search
from huaxiang.api.search.listing import DEFAULT_SORT, Listed, ListFilters
from huaxiang.api.search.terms import read_terms
from huaxiang.api.serialise import recording_json, time_json
from huaxiang.core.database import reading
from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json, RecordingStatus, Role, Setting
from huaxiang.quality.review.outcomes import CaseState

router = APIRouter(prefix="/v1/search", tags=["recordings"])
Name = Annotated[str | None, Query(max_length=200)]
Percent = Annotated[float | None, Query(ge=0, le=100)]
Moment = Annotated[datetime | None, Query(examples=["2026-11-20T00:00:00+08:00"])]


class SearchParameters:
    """What the list is narrowed to."""

    def __init__(
        self,
        q: Annotated[
            str | None, Query(max_length=500, description="Words that were said, all of them anywhere.")
        ] = None,
        role: Annotated[Role | None, Query(description="Who said them.")] = None,
        status: RecordingStatus | None = None,
        seller: Name = None,
        team: Name = None,
        customer: Name = None,
        setting: Setting | None = None,
        source: Name = None,
        started_from: Moment = None,
        started_before: Moment = None,
        score_from: Percent = None,
        score_before: Percent = None,
        auto_failed: bool | None = None,
        failed_item: Name = None,
        label: Annotated[str | None, Query(max_length=100, examples=["objection.price"])] = None,
        review: CaseState | None = None,
    ) -> None:
        for moment in (started_from, started_before):
            if moment is not None and moment.tzinfo is None:
                raise InvalidInput("times need an offset, like 2026-11-20T00:00:00+08:00")
        terms = read_terms(q or "")
        if q and not terms:
            raise InvalidInput("a search needs a letter, a digit or a Chinese character")
        self.filters = ListFilters(
            search=Search(terms, role) if terms else None,
            status=status,
            seller=seller,
            team=team,
            customer_ref=customer,
            setting=setting,
            source=source,
            started_from=started_from,
            started_before=started_before,
            score_from=score_from,
            score_before=score_before,
            auto_failed=auto_failed,
            failed_item=failed_item,
            label=label,
            review=review,
        )


@router.get("", summary="Search recordings", responses={200: {"model": schemas.FoundPage}})
def search_recordings(
    request: Request,
    services: ServicesDep,
    caller: Listener,
    parameters: Annotated[SearchParameters, Depends()],
    sort: Annotated[
        str, Query(max_length=20, description="when, score, duration or seller; `-` turns it.")
    ] = DEFAULT_SORT,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Return recordings in which all words of ``q`` were said and that pass every filter, with the turns.

    Words are parted by spaces and kept together by quotation marks. A seller finds own recordings only.
    """
    filters = own(parameters.filters, caller)
    with reading(services.sessions) as session:
        found = services.search.list
        page = found.page(session, filters, sort=sort, cursor=cursor, limit=limit)
        total = found.count(session, filters)
    items: list[Json] = [_found_json(listed) for listed in page.items]
    return respond(request, Answer({"items": items, "total": total, "next_cursor": page.next_cursor}))


def _found_json(listed: Listed) -> dict[str, Json]:
    score: Json = None
    if listed.score is not None and listed.possible is not None:
        score = {
            "score": listed.score,
            "possible": listed.possible,
            "auto_failed": listed.auto_failed,
        }
    hits: list[Json] = [
        {
            "turn": hit.turn,
            "role": hit.role.value,
            "start_ms": hit.start_ms,
            "end_ms": hit.end_ms,
            "text": hit.text,
        }
        for hit in listed.hits
    ]
    return {
        "recording": recording_json(listed.recording),
        "when": time_json(listed.when),
        "seller_name": listed.seller_name,
        "score": score,
        "review": listed.review.value if listed.review else None,
        "hits": hits,
    }
