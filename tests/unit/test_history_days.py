"""Days that commands on the history are given."""

from __future__ import annotations

from datetime import UTC, datetime

from huaxiang.api.command.history import day_of
from huaxiang.core.zones import zone_of


def test_a_day_begins_where_the_company_is() -> None:
    begins = day_of(datetime(2026, 11, 20), zone_of("Asia/Shanghai"))  # as typer gives it
    assert begins is not None
    assert begins.astimezone(UTC) == datetime(2026, 11, 19, 16, tzinfo=UTC)
    assert day_of(None, UTC) is None
