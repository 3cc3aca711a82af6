"""What the pages of coaching share: the chosen days, the reader, and where a clip may be heard."""

from __future__ import annotations

from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.http.heard_clips import MAX_CLIP_MS, clip_url
from huaxiang.api.services import Services
from huaxiang.console.present_coaching import PERIODS
from huaxiang.console.present_seller import ClipSource, Reader
from huaxiang.console.views import language_of
from huaxiang.core.database import now, reading
from huaxiang.core.types import Evidence
from huaxiang.profile.coaching.calls import Clip


def chosen_days(request: Request, choices: tuple[int, ...] = PERIODS, usual: int | None = None) -> int:
    """Return the length of the period in days that the address asks for, else the usual one."""
    asked = request.query_params.get("days", "")
    known = {str(days): days for days in choices}
    return known.get(asked, usual or choices[0])


def period_links(
    request: Request, chosen: int, choices: tuple[int, ...] = PERIODS
) -> list[tuple[str, str, bool]]:
    """Return the links that choose a period: name, address, whether it is the present one."""
    text = language_of(request)
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("days", "cursor")
    ]
    return [
        (
            text("coaching.days", n=days),
            f"{request.url.path}?{urlencode([*kept, ('days', days)])}",
            days == chosen,
        )
        for days in choices
    ]


def reader_of(request: Request, services: Services, caller: Caller) -> Reader:
    """Return for whom a page is made."""
    zone = ZoneInfo(services.settings.default_zone)
    with reading(services.sessions) as session:
        names = services.coaching.records.sellers.names(session)
    today = now().astimezone(zone).date()
    return Reader(language_of(request), zone, today, caller.may(Scope.MANAGER), names)


def clip_source(services: Services, caller: Caller) -> ClipSource:
    """Return what gives the address of words that the caller hears by their speaker's consent alone.

    Own recordings, and all of them for who sees all, are heard without one.
    """
    own = caller.only_seller

    def source(clip: Clip, evidence: Evidence) -> str:
        if own is None or clip.seller == own or evidence.start_ms is None or evidence.end_ms is None:
            return ""
        end_ms = min(evidence.end_ms, evidence.start_ms + MAX_CLIP_MS)
        return clip_url(services.login_key, clip.recording_id, evidence.start_ms, end_ms)

    return source
