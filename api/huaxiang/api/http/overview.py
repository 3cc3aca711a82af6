"""The overview of what was inspected."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from huaxiang.api.http import overview_schemas as schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Manager, ServicesDep
from huaxiang.api.overview.period import Since
from huaxiang.api.overview.reading import Group, read_overview
from huaxiang.api.serialise import time_json
from huaxiang.core.database import now, reading
from huaxiang.core.types import Json
from huaxiang.profile.coaching.statistics import Estimate

router = APIRouter(prefix="/v1/overview", tags=["recordings"])


@router.get("", summary="Read the overview", responses={200: {"model": schemas.Overview}})
def get_overview(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    since: Annotated[
        Since, Query(description="Since 18:00 of the day before, 24 hours, or a week.")
    ] = Since.NIGHT,
) -> Response:
    """Return what was inspected since, what waits for somebody, and scores and failures of four weeks.

    Days and evenings are those of the server's zone (`HUAXIANG_DEFAULT_ZONE`).
    """
    zone = ZoneInfo(services.settings.default_zone)
    with reading(services.sessions) as session:
        found = read_overview(session, services.search.list, since, now(), zone)
    days: list[Json] = [
        {"day": day.isoformat(), "score": _estimate(score)}
        for day, score in zip(found.days, found.by_day, strict=True)
    ]
    document: dict[str, Json] = {
        "since": found.since.value,
        "start": time_json(found.start),
        "counts": asdict(found.counts),
        "score": _estimate(found.score),
        "days": days,
        "teams": [_group(one) for one in found.teams],
        "sellers": [_group(one) for one in found.sellers],
    }
    return respond(request, Answer(document))


def _estimate(found: Estimate | None) -> Json:
    return None if found is None else asdict(found)


def _group(group: Group) -> Json:
    items: list[Json] = [
        {"item": item, "failed": _estimate(failed)} for item, failed in sorted(group.failed.items())
    ]
    return {
        "key": group.key,
        "name": group.name,
        "team": group.team,
        "score": _estimate(group.score),
        "items": items,
    }
