"""Zones are told by name or as an offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from huaxiang.core.zones import zone_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "hour"), [("Asia/Shanghai", 20), ("+08:00", 20), ("-03:30", 8), ("UTC", 12)]
)
def test_a_zone_is_told_by_name_or_offset(name: str, hour: int) -> None:
    assert NOON.astimezone(zone_of(name)).hour == hour


@pytest.mark.parametrize("name", ["Mars/Olympus", "Asia", "+8", "8"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(name)):
        zone_of(name)
