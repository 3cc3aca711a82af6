"""``huaxiang user``: people are added, get another password, and are kept out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huaxiang.api import bootstrap
from huaxiang.api.access.passwords import Passwords
from huaxiang.api.access.users import stored_hash
from huaxiang.api.command import app
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.settings import load_settings


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))


def answer(*arguments: str) -> dict[str, str | None]:
    result = CliRunner().invoke(app, ["user", *arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    document: dict[str, str | None] = json.loads(result.stdout)
    return document


def signs_in(name: str, password: str) -> bool:
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        found = stored_hash(session, name)
    storage.engine.dispose()
    return found is not None and Passwords().verify(password, found[1])[0]


def test_a_user_gets_another_password_and_is_kept_out() -> None:
    first = answer("add", "mei")["password"]
    second = answer("password", "mei")["password"]
    assert first
    assert second
    assert not signs_in("mei", first)
    assert signs_in("mei", second)
    assert answer("list")["disabled_at"] is None
    assert CliRunner().invoke(app, ["user", "disable", "mei"]).exit_code == 0
    assert not signs_in("mei", second)
    assert answer("list")["disabled_at"] is not None


@pytest.mark.parametrize("command", ["password", "disable"])
def test_nobody_of_the_name_is_said(command: str) -> None:
    assert isinstance(CliRunner().invoke(app, ["user", command, "nobody"]).exception, NotFound)


def test_the_help_names_every_scope_that_a_token_may_have() -> None:
    shown = CliRunner().invoke(app, ["token", "add", "--help"], env={"COLUMNS": "200"}).stdout
    assert all(scope in shown for scope in ("crm", "manager", "metrics", "admin"))
