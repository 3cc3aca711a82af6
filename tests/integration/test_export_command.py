"""``huaxiang export``: what it would write, what it wrote, and that it writes over nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from corrected_calls import CALMER, add_scored_call, correct, text
from typer.testing import CliRunner

from huaxiang.api import bootstrap
from huaxiang.api.command import app
from huaxiang.core.errors import Conflict
from huaxiang.core.settings import load_settings


@pytest.fixture(autouse=True)
def _corrected_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of 20 November 2026 with one corrected turn, in a store of its own."""
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))
    system = bootstrap.build_system(load_settings())
    services = bootstrap.build_services(system)
    call = add_scored_call(services)
    correct(services, call, text(7, CALMER))
    system.storage.engine.dispose()


def answer(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["export", *arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_dry_run_counts_what_is_then_written(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    planned = answer(str(folder), "--dry-run")
    assert not folder.exists()
    written = answer(str(folder))
    assert written == {**planned, "dry_run": False}
    assert (written["conversations"], written["corrected_turns"], written["clips"]) == (1, 1, 1)
    assert sorted(path.name for path in folder.iterdir()) == ["asr", "conversations.jsonl"]
    assert isinstance(CliRunner().invoke(app, ["export", str(folder)]).exception, Conflict)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--from", "2026-11-20", "--to", "2026-11-20"), 1),
        (("--from", "2026-11-21"), 0),
        (("--to", "2026-11-19"), 0),
        (("--seller", "nobody"), 0),
        (("--customer", "CRM-1001"), 1),
        (("--all", "--no-audio"), 1),
    ],
)
def test_calls_are_chosen_by_day_seller_and_customer(
    tmp_path: Path, arguments: tuple[str, ...], count: int
) -> None:
    found = answer(str(tmp_path / "out"), "--dry-run", *arguments)
    assert found["conversations"] == count


def test_what_it_says_to_people_holds_no_word_of_what_was_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(tmp_path / "out")])
    assert result.stdout.startswith("wrote 1 conversations with 13 turns (1 corrected) and 1 clips")
    assert "三千" not in result.stdout + result.stderr
