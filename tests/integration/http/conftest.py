"""The application over both databases, and a client that calls it in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import World, make_world
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    """The application with one caller of every kind."""
    return make_world(engine, sessions, tmp_path / "data")


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    """A client without credentials that follows no redirects."""
    with TestClient(world.app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client
