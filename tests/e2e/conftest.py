"""A company at work and its people at their browsers, for the tests of the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import USERS, sign_in
from browser import Visitors, chromium
from console_world import ConsoleWorld, make_console_world
from starlette.testclient import TestClient
from tus_server import PATH, serving

from huaxiang.core.database import make_engine, session_factory

AXE = Path(__file__).parents[1] / ".vendor" / "axe.min.js"


@pytest.fixture(scope="module")
def company(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleWorld]:
    """One company for a module; what its tests change, the next ones see changed."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copyfile(sqlite_template, folder / "huaxiang.db")
    engine = make_engine(f"sqlite:///{folder / 'huaxiang.db'}")
    yield make_console_world(engine, session_factory(engine), folder / "data")
    engine.dispose()


@pytest.fixture(scope="module")
def visitors(company: ConsoleWorld, chromium_or_skip: str) -> Iterator[Visitors]:
    """The people of the company at their browsers, signed in."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run `make console`")
    app = company.world.app
    with serving(app) as uploads, chromium(chromium_or_skip) as browser:
        cookies = {}
        with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
            for name in USERS:
                sign_in(client, name)
                cookies[name] = client.cookies["huaxiang_session"]
        yield Visitors(browser, uploads.removesuffix(PATH), cookies, AXE.read_text())
