"""``huaxiang seller``, ``outcome`` and ``digest``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from coached import add_coached_history
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from huaxiang.api import bootstrap
from huaxiang.api.coaching.suite import open_coaching
from huaxiang.api.command import app
from huaxiang.core.settings import load_settings
from huaxiang.profile.coaching.digest import week_of
from huaxiang.profile.coaching.sellers import Seller, SellerStore


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def storage() -> Iterator[bootstrap.Storage]:
    storage = bootstrap.open_storage(load_settings())
    yield storage
    storage.engine.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def lines(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def stored(storage: bootstrap.Storage, key: str) -> Seller:
    with storage.sessions() as session:
        return SellerStore().get(session, key)


def test_a_seller_is_added_changed_and_listed(storage: bootstrap.Storage) -> None:
    (made,) = lines("seller", "add", "wang", "--name", "王芳", "--team", "一组", "--user", "wf", "--consent")
    assert (made["name"], made["team"], made["user_name"], made["library_consent"]) == (
        "王芳",
        "一组",
        "wf",
        True,
    )
    lines("seller", "add", "wang", "--team", "")
    assert (stored(storage, "wang").name, stored(storage, "wang").team) == ("王芳", None)
    lines("seller", "add", "li", "--team", "二组")
    assert [one["key"] for one in lines("seller", "list")] == ["li", "wang"]
    assert [one["key"] for one in lines("seller", "list", "--team", "二组")] == ["li"]


def test_a_dry_run_writes_nothing(storage: bootstrap.Storage, tmp_path: Path) -> None:
    lines("seller", "add", "wang", "--name", "王芳", "--dry-run")
    assert not stored(storage, "wang").registered
    file = tmp_path / "sellers.csv"
    file.write_text("key,name\nwang,王芳\n", "utf-8")
    (report,) = lines("seller", "import", str(file), "--dry-run")
    assert (report["dry_run"], report["created"]) == (True, 1)
    assert not stored(storage, "wang").registered


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_sellers_are_imported_and_wrong_rows_named(
    storage: bootstrap.Storage, tmp_path: Path, encoding: str
) -> None:
    lines("seller", "add", "old", "--name", "旧名", "--team", "一组", "--user", "taken")
    file = tmp_path / "sellers.csv"
    rows = [
        "key,name,team,user,active,consent,备注",
        "wang,王芳,一组,wf,是,是,x",
        "old,新名,,,否,,",
        ",无名,,,,,",
        "li,李,二组,taken,,,",
        "zhao,赵,,,maybe,,",
        "wang,王芳,一组,wf,是,是,",
    ]
    file.write_text("\n".join(rows), encoding)
    result = run("seller", "import", str(file), "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    counts = {name: report[name] for name in ("rows", "created", "updated", "unchanged", "rejected")}
    assert counts == {"rows": 6, "created": 1, "updated": 1, "unchanged": 1, "rejected": 3}
    assert [(e["row"], e["column"]) for e in report["errors"]] == [(4, "key"), (5, "user"), (6, "active")]
    assert report["ignored_columns"] == ["备注"]
    old = stored(storage, "old")
    assert (old.name, old.team, old.user_name, old.active) == ("新名", "一组", "taken", False)
    assert stored(storage, "wang").library_consent
    assert not stored(storage, "li").registered


def test_a_file_without_keys_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sellers.csv"
    file.write_text("name\n王芳\n", "utf-8")
    assert run("seller", "import", str(file)).exit_code == 1


def outcomes(storage: bootstrap.Storage) -> dict[str, int]:
    def read(session: Session) -> dict[str, int]:
        moment = datetime.now(UTC)
        found = open_coaching(load_settings()).desk.behaviours(session, moment)
        return dict(found.outcomes)

    with storage.sessions() as session:
        return read(session)


def test_outcomes_are_imported_and_count(storage: bootstrap.Storage, tmp_path: Path) -> None:
    conversations = add_coached_history(storage.sessions, 12)
    last = conversations[-1].recording.metadata
    assert last.started_at is not None
    file = tmp_path / "deals.csv"
    day = (last.started_at + timedelta(days=1)).date().isoformat()
    word = "丢单" if conversations[-1].outcome == "won" else "成交"
    file.write_text(f"客户编号,结果,日期\n{last.customer_ref},{word},{day}\nC-1,不知道,{day}\n", "utf-8")
    options = ("--customer", "客户编号", "--outcome", "结果", "--day", "日期", "--json")
    before = outcomes(storage)
    dry = run("outcome", "import", str(file), *options, "--dry-run")
    assert dry.exit_code == 1
    assert outcomes(storage) == before
    done = run("outcome", "import", str(file), *options)
    report = json.loads(done.stdout)
    assert (report["updated"], report["rejected"], report["errors"][0]["column"]) == (1, 1, "结果")
    assert outcomes(storage) != before


def test_the_digest_is_printed_for_people_and_for_programs(storage: bootstrap.Storage) -> None:
    add_coached_history(storage.sessions, 40)
    week = week_of((datetime.now(UTC) - timedelta(days=7)).date())
    (found,) = lines("digest", "--week", week)
    assert (found["week"], found["teams"][0]["team"]) == (week, None)
    printed = run("digest", "--week", week, "--team", "门店组")
    assert printed.exit_code == 0
    assert week in printed.stdout
    assert "门店组" in printed.stdout
    assert run("digest", "--week", "2026-W60").exit_code == 1
