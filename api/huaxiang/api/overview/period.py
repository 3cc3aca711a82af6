"""Since when an overview counts. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

EVENING = time(18)


class Since(StrEnum):
    """Since when: the evening before, a day, or a week ago."""

    NIGHT = "night"
    DAY = "day"
    WEEK = "week"


def start_of(since: Since, as_of: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, to the minute; the night begins at 18:00 of the day before."""
    local = as_of.astimezone(zone).replace(second=0, microsecond=0)
    if since is Since.NIGHT:
        return datetime.combine(local.date() - timedelta(days=1), EVENING, zone)
    return local - timedelta(days=1 if since is Since.DAY else 7)


def last_days(as_of: datetime, zone: ZoneInfo, count: int) -> tuple[date, ...]:
    """Return the days up to the present one, oldest first."""
    today = as_of.astimezone(zone).date()
    return tuple(today - timedelta(days=back) for back in reversed(range(count)))
