"""Since when an overview counts, and which days it shows."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from huaxiang.api.overview.period import Since, last_days, start_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 11, 20, 0, 31, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (Since.NIGHT, datetime(2026, 11, 19, 10, 0, tzinfo=UTC)),
        (Since.DAY, datetime(2026, 11, 19, 0, 31, tzinfo=UTC)),
        (Since.WEEK, datetime(2026, 11, 13, 0, 31, tzinfo=UTC)),
    ],
)
def test_the_night_begins_at_six_in_the_evening_of_the_zone(since: Since, expected: datetime) -> None:
    assert start_of(since, MORNING, SHANGHAI) == expected


def test_days_are_those_of_the_zone() -> None:
    days = last_days(datetime(2026, 11, 19, 17, 0, tzinfo=UTC), SHANGHAI, 3)
    assert [day.isoformat() for day in days] == ["2026-11-18", "2026-11-19", "2026-11-20"]
