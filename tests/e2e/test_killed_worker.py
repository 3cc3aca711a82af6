"""A worker killed in any stage is started again and ends in the same stored result, nothing done twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest
from sqlalchemy import Connection, text

from huaxiang.api import bootstrap
from huaxiang.api.workflow import STAGE_NAMES
from huaxiang.core.database import make_engine, transaction
from huaxiang.core.settings import load_settings
from huaxiang.core.types import CallMetadata

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("pipeline_worker.py")
LIMIT_S = 120
CLIP_S = 12
STARTED_AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
VOLATILE = {"id", "created_at", "updated_at", "version", "received_at", "stage_attempts", "attempts"}
RESULTS = (
    "recordings",
    "transcripts",
    "turns",
    "insights",
    "findings",
    "scorecards",
    "scorecard_items",
    "customer_tags",
    "customer_conversations",
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of the stereo demo call."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp3"
    with av.open(str(ROOT / "tests/data/calls/saas-007.mp3")) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is None or float(packet.dts * packet.time_base) > CLIP_S:
                break
            packet.stream = stream
            target.mux(packet)
    return path


@contextmanager
def worker(data_dir: Path, url: str, die_at: str = "") -> Iterator[subprocess.Popen[bytes]]:
    with (data_dir / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(WORKER), str(data_dir), url, die_at],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def received(data_dir: Path, url: str, clip: Path) -> str:
    system = bootstrap.build_system(load_settings(data_dir=data_dir, database_url=url))
    metadata = CallMetadata(STARTED_AT, "+08:00", "seller-1", "CRM-1", agent_channel=0)
    with transaction(system.storage.sessions) as session:
        got = bootstrap.build_services(system).receiver.receive_file(
            session, "test", clip, clip.name, metadata
        )
    system.storage.engine.dispose()
    return got.recording_id


def wait_until_done(url: str, recording_id: str) -> None:
    engine = make_engine(url)
    deadline = time.monotonic() + LIMIT_S
    status = None
    while time.monotonic() < deadline and status not in ("done", "failed"):
        with engine.connect() as connection:
            status = connection.execute(
                text("SELECT status FROM recordings WHERE id = :id"), {"id": recording_id}
            ).scalar()
        time.sleep(0.2)
    engine.dispose()
    assert status == "done"


def stored_result(url: str) -> dict[str, list[dict[str, Any]]]:
    engine = make_engine(url)
    with engine.connect() as connection:
        result = {table: _rows(connection, table) for table in RESULTS}
    engine.dispose()
    return result


def _rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    rows = connection.execute(text(f"SELECT * FROM {table}")).mappings()  # noqa: S608  # our own names
    kept = [
        {key: _plain(value) for key, value in row.items() if key not in VOLATILE and not key.endswith("_id")}
        for row in rows
    ]
    return sorted(kept, key=repr)


def _plain(value: Any) -> Any:
    """The same value from either database: JSON is text in SQLite, and so are times."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if not isinstance(value, str):
        return value if isinstance(value, dict | list) else str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", value):
        return datetime.fromisoformat(value).replace(tzinfo=UTC).isoformat()
    try:
        read = json.loads(value)
    except json.JSONDecodeError:
        return value
    return _plain(read) if not isinstance(read, str) else read


def without_ids(result: dict[str, list[dict[str, Any]]], recording_id: str) -> dict[str, str]:
    return {table: repr(rows).replace(recording_id, "RECORDING") for table, rows in result.items()}


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_killed_in_any_stage_ends_in_the_same_result(
    tmp_path: Path, database_url: str, clip: Path, models_dir: Path
) -> None:
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    plain_url = f"sqlite:///{undisturbed / 'plain.db'}"
    expected_id = received(undisturbed, plain_url, clip)
    with worker(undisturbed, plain_url):
        wait_until_done(plain_url, expected_id)
    expected = without_ids(stored_result(plain_url), expected_id)

    disturbed = tmp_path / "disturbed"
    disturbed.mkdir()
    recording_id = received(disturbed, database_url, clip)
    for stage in STAGE_NAMES:
        with worker(disturbed, database_url, f"{stage}:started") as process:
            assert process.wait(LIMIT_S) == -9, f"the worker did not reach {stage}"
    with worker(disturbed, database_url):
        wait_until_done(database_url, recording_id)

    found = without_ids(stored_result(database_url), recording_id)
    assert [table for table in RESULTS if found[table] != expected[table]] == []
    reached = Counter((disturbed / "reached").read_text(encoding="utf-8").split())
    assert [reached[f"{stage}:worked"] for stage in STAGE_NAMES] == [1] * len(STAGE_NAMES)
    assert [reached[f"{stage}:started"] for stage in STAGE_NAMES] == [2] * len(STAGE_NAMES)
