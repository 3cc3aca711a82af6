"""``huaxiang rules``: a file is checked, published, listed, shown and retired at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rule_files import scorecard_text
from typer.testing import CliRunner

from huaxiang.api.command import app


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))


def answer(*arguments: str, exit_code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["rules", *arguments, "--json"])
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def written(folder: Path, text: str) -> str:
    path = folder / "house.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_file_is_published_listed_shown_and_retired(tmp_path: Path) -> None:
    file = written(tmp_path, scorecard_text())
    assert answer("check", file)["mistakes"] == []
    assert answer("publish", file, "--dry-run")["dry_run"] is True
    assert "house" not in {one["id"] for one in answer("list")}
    assert answer("publish", file, "--note", "第一版", "--by", "mei")["changed"] is True
    assert answer("publish", file)["changed"] is False
    listed = {one["id"]: one for one in answer("list")}
    assert (listed["house"]["published_by"], listed["general-sales"]["shipped"]) == ("mei", True)
    shown = CliRunner().invoke(app, ["rules", "show", "house", "--version", "1"])
    assert shown.stdout == scorecard_text()
    assert answer("show", "general-sales")["shipped"] is True
    assert answer("retire", "house", "--dry-run")["in_use"] is True
    assert answer("retire", "house")["in_use"] is False
    assert {one["id"]: one["in_use"] for one in answer("list")}["house"] is False


def test_a_file_with_mistakes_is_named_line_by_line_and_not_published(tmp_path: Path) -> None:
    file = written(tmp_path, scorecard_text(condition="{act: greets}"))
    for command in ("check", "publish"):
        (mistake,) = answer(command, file, exit_code=1)["mistakes"]
        assert (mistake["line"], mistake["code"]) == (11, "none_of")
    assert "house" not in {one["id"] for one in answer("list")}


def test_what_is_printed_for_people_names_the_version(tmp_path: Path) -> None:
    file = written(tmp_path, scorecard_text())
    runner = CliRunner()
    assert (
        "house @ 1 would be published" in runner.invoke(app, ["rules", "publish", file, "--dry-run"]).stdout
    )
    assert "house @ 1 published" in runner.invoke(app, ["rules", "publish", file]).stdout
    assert "in use already" in runner.invoke(app, ["rules", "publish", file]).stdout
    assert "house" in runner.invoke(app, ["rules", "list"]).stdout
    assert "house @ 1 is out of use" in runner.invoke(app, ["rules", "retire", "house"]).stdout
