"""``huaxiang review``: plans are saved by version, tried dry, and draw a period once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from reviews import store_conversations
from typer.testing import CliRunner

from huaxiang.api import bootstrap
from huaxiang.api.command import app
from huaxiang.core.database import now, transaction
from huaxiang.core.settings import load_settings
from huaxiang.quality.review.queue import QueueFilters, queue

PLAN = "plan: daily\ntitle: 抽检\nperiod: day\nseed: 1\ndraws: [{number: 2}]\n"


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, "utf-8")
    return path


def answers(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["review", *arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["review", *arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def cases() -> int:
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        found = len(queue(session, QueueFilters()).cases)
    storage.engine.dispose()
    return found


def test_a_plan_is_tried_saved_and_draws_what_it_said(plan: Path) -> None:
    storage = bootstrap.open_storage(load_settings())
    yesterday = now() - timedelta(days=1)
    store_conversations(storage.sessions, 5, started_at=yesterday)
    storage.engine.dispose()
    on = yesterday.astimezone(ZoneInfo(load_settings().default_zone)).date().isoformat()

    assert answers("save", str(plan), "--dry-run")[0]["dry_run"] is True
    assert answers("plans") == []
    assert [answers("save", str(plan))[0]["version"] for _ in range(2)] == [1, 2]
    assert "抽检" in told("plans")
    (tried,) = answers("sample", "--plan", "daily", "--on", on, "--dry-run")
    assert (tried["id"], tried["population"], tried["drawn"]) == (None, 5, 2)
    assert cases() == 0
    (drawn,) = answers("sample", "--plan", "daily", "--on", on)
    assert drawn["calls"] == tried["calls"]
    assert cases() == 2
    again = CliRunner().invoke(app, ["review", "sample", "--plan", "daily", "--on", on])
    assert again.exit_code != 0


def test_without_a_plan_that_is_due_nothing_is_drawn(plan: Path) -> None:
    answers("save", str(plan))  # it was not there when yesterday ended
    assert answers("sample") == []
    assert "nothing is due" in told("sample", "--dry-run")
    answers("save", str(plan), "--rest")
    assert "no" in told("plans")


def test_mistakes_are_named_and_a_day_needs_its_plan(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(PLAN.replace("number: 2", "number: none"), "utf-8")
    for arguments in (["save", str(wrong)], ["sample", "--on", "2026-11-20"], ["sample", "--plan", "none"]):
        assert CliRunner().invoke(app, ["review", *arguments]).exit_code != 0
    assert answers("plans") == []
