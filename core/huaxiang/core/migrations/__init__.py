"""Brings a database to the newest schema; works from an installed package, without an alembic.ini."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import SQLAlchemyError

from huaxiang.core.database import Base
from huaxiang.core.errors import StorageError

_ADVISORY_LOCK = 0x68_75_61_78  # "huax": one migrating process at a time on PostgreSQL


def alembic_config(connection: Connection, metadata: MetaData = Base.metadata) -> Config:
    """Return Alembic's configuration for one open connection.

    ``metadata`` is what autogenerate compares with; an upgrade reads only its naming convention.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes.update(connection=connection, metadata=metadata)
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision, in one transaction; nothing happens where it is.

    Processes that start together wait for each other. Raises StorageError where the database
    refuses, and leaves it as it was.
    """
    try:
        with _migrating(engine) as connection:
            command.upgrade(alembic_config(connection), "head")
    except SQLAlchemyError as error:
        raise StorageError(
            f"the database could not be brought to revision {newest_revision()}; it is as it was before"
        ) from error


def current_revision(engine: Engine) -> str | None:
    """Return the revision the database is at, ``None`` where it was never migrated."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """Return the revision this version of the program works with."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise StorageError("the package holds no revisions of the database: install it again")
    return head


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """Open the one transaction of a migration.

    SQLite alters a table by copying and dropping it; with foreign keys enforced the drop would
    cascade into the tables that refer to it, so they are checked at the end instead.
    """
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                yield connection
            return
        driver = connection.connection.cursor()
        try:
            driver.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise StorageError("a migration left rows that refer to nothing; nothing was changed")
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
            driver.close()
