"""The schema that the migrations make is the schema that the tables describe, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from all_tables import import_all_tables
from sqlalchemy import Engine, MetaData, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from huaxiang.core.database import Base, make_engine
from huaxiang.core.errors import StorageError
from huaxiang.core.migrations import current_revision, newest_revision, upgrade


@pytest.fixture
def metadata() -> MetaData:
    import_all_tables()
    return Base.metadata


@contextmanager
def _empty_beside(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a second, empty database of the same kind."""
    if engine.dialect.name == "sqlite":
        second = make_engine(f"sqlite:///{tmp_path / 'second.db'}")
        yield second
        second.dispose()
        return
    url = make_url(engine.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{url.database}_second"'))
        second = make_engine(url.set(database=f"{url.database}_second").render_as_string(hide_password=False))
        yield second
        second.dispose()
        connection.execute(text(f'DROP DATABASE "{url.database}_second"'))


def _described(engine: Engine) -> dict[str, Any]:
    """Everything of the schema that the database can tell, in an order of its own."""
    inspector = inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(map(str, inspector.get_foreign_keys(table))),
            "uniques": sorted(map(str, inspector.get_unique_constraints(table))),
            "checks": sorted(map(str, inspector.get_check_constraints(table))),
            "indexes": sorted(map(str, inspector.get_indexes(table))),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def _is_described(item: Any, name: str | None, *_: Any) -> bool:
    """Leave out the index of the full text, which each database has of its own kind."""
    return not (name or "").startswith(("search_text", "ix_search_turns_text"))


def test_migrations_make_what_the_tables_describe(engine: Engine, metadata: MetaData, tmp_path: Path) -> None:
    with engine.connect() as connection:
        options = {"compare_server_default": True, "include_object": _is_described}
        context = MigrationContext.configure(connection, opts=options)
        difference = compare_metadata(context, metadata)
    assert difference == [], "write a revision: python tests/revise.py ID 'what it does'"
    with _empty_beside(engine, tmp_path) as second:
        metadata.create_all(second)
        assert _described(engine) == _described(second)


def test_a_second_upgrade_changes_nothing(engine: Engine) -> None:
    before = _described(engine)
    upgrade(engine)
    assert _described(engine) == before
    assert current_revision(engine) == newest_revision()


def test_an_empty_database_has_no_revision_and_is_brought_to_the_newest(
    engine: Engine, tmp_path: Path
) -> None:
    with _empty_beside(engine, tmp_path) as second:
        assert current_revision(second) is None
        upgrade(second)
        assert current_revision(second) == newest_revision()


def test_processes_that_start_together_migrate_once(engine: Engine, tmp_path: Path) -> None:
    with _empty_beside(engine, tmp_path) as second:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: upgrade(second), range(4)))
        assert current_revision(second) == newest_revision()


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(engine: Engine, tmp_path: Path) -> None:
    with _empty_beside(engine, tmp_path) as second:
        with second.begin() as connection:
            connection.execute(text("CREATE TABLE users (in_the_way INTEGER)"))
        with pytest.raises(StorageError, match="as it was before"):
            upgrade(second)
        assert inspect(second).get_table_names() in (["users"], ["alembic_version", "users"])
        assert current_revision(second) is None


def test_foreign_keys_are_enforced_after_an_upgrade(engine: Engine) -> None:
    upgrade(engine)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO quarantine (id, recording_id, code, message, quarantined_at)"
                " VALUES ('q', 'nothing', 'c', 'm', '2026-01-01')"
            )
        )


def test_a_downgrade_leaves_no_table(engine: Engine) -> None:
    from alembic import command

    from huaxiang.core.migrations import alembic_config

    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
