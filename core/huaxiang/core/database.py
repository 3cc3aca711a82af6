"""The declarative base, the engine for SQLite or PostgreSQL, and small column types.

Transaction rule: one transaction a request or job step, opened by ``transaction`` at the edge, or
by ``reading`` where the whole history is read; stores flush, and never commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from huaxiang.core.errors import InvalidInput

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLITE_BUSY_TIMEOUT_MS = 10_000
_READS = "huaxiang_reads"


class Base(DeclarativeBase):
    """Base of every table of ours."""

    metadata = MetaData(naming_convention=NAMING)


class TimeOutOfReach(InvalidInput, DontWrapMixin):
    """A time in the first or the last year that can be written, or outside them.

    SQLAlchemy passes it on as it is, so that a caller's odd date is the caller's mistake in a query too.
    """


def within_reach(moment: datetime) -> datetime:
    """Return an aware time in UTC. Raises TimeOutOfReach.

    The years at both ends are refused, so that zones, days and months can be reckoned with what is let in.
    """
    try:
        found = moment.astimezone(UTC)
    except OverflowError as error:
        raise TimeOutOfReach("this time is too early or too late to reckon with") from error
    if not MINYEAR < found.year < MAXYEAR:
        raise TimeOutOfReach("this time is too early or too late to reckon with")
    return found


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; refuses naive ones, and those out of reach (``within_reach``).

    Stored as naive UTC where the database has no zones.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time into what the driver stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are stored aware; this one is naive")
        value = within_reach(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the driver gives into an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def string_enum(enum: type[StrEnum], name: str) -> Enum:
    """Return a column type that stores the enum's values as strings, with a CHECK named ``name``."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=32,
    )


def now() -> datetime:
    """Return the present time, aware UTC."""
    return datetime.now(UTC)


def make_engine(url: str) -> Engine:
    """Return an engine for ``sqlite:///…`` or ``postgresql://…`` (psycopg 3 is used).

    SQLite gets WAL, foreign keys, a busy timeout and write locks taken at BEGIN, so that two
    writers wait for each other instead of failing half-way. Values stay out of error messages.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
        )
    engine = create_engine(
        parsed, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return the factory that the composition root hands to whoever opens transactions."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Open one transaction: commits at the end, rolls back on any error."""
    with sessions.begin() as session:
        yield session


@contextmanager
def reading(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Open one transaction that only reads, and reads for long: the whole history, figures of months.

    On SQLite it takes no write lock, so that workers store what they did meanwhile. Nothing may be written
    in it: what it has read may be old by then.
    """
    with sessions.begin() as session:
        session.connection(execution_options={_READS: True})
        yield session
