"""The layers around the endpoints: every error a problem, nothing said or sent in a log or a label."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from api_world import World, add_call, make_world, sign_in
from invented_call import CUSTOMER_REF, SAID, SELLER
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from huaxiang.api.http import schemas
from huaxiang.core.errors import ModelMissing, StorageError
from huaxiang.core.logging import configure_logging

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the program writes to its log, with its own settings."""
    written = StringIO()
    root = logging.getLogger()
    before = (root.handlers, root.level)
    configure_logging("debug", written)
    yield written
    structlog.reset_defaults()
    root.handlers = before[0]
    root.setLevel(before[1])
    logging.getLogger("huaxiang").setLevel(logging.NOTSET)


SECRET = "客户说的话和电话13800138000"


@pytest.fixture
def admin(world: World) -> dict[str, str]:
    return world.headers("admin")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/recordings/none", 404, "not_found"),
        ("GET", "/v1/recordings/" + "x" * 37, 422, "invalid_request"),
        ("PATCH", "/v1/recordings", 405, "method_not_allowed"),
        ("DELETE", "/v1/customers/C-1", 405, "method_not_allowed"),
        ("GET", "/v1/recordings?limit=x", 422, "invalid_request"),
        ("POST", "/v1/recordings", 400, "invalid_input"),
        ("PUT", "/v1/customers/C-1", 422, "invalid_request"),
        ("PATCH", "/v1/uploads/none", 412, "precondition_failed"),
    ],
)
def test_every_error_is_a_problem_with_its_request_id(
    client: TestClient, admin: dict[str, str], method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path, headers=admin)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = schemas.Problem.model_validate(response.json())
    assert (problem.status, problem.code) == (status, code)
    assert problem.request_id == response.headers["x-request-id"]


@pytest.mark.parametrize(
    "body", [b"{", b'{"fields": {"a": ' + b"[" * 5000, b"\xff\xfe", b'{"fields": {"a": NaN}}']
)
def test_a_body_that_is_no_json_is_a_problem(client: TestClient, admin: dict[str, str], body: bytes) -> None:
    headers = {**admin, "Content-Type": "application/json"}
    response = client.put("/v1/customers/C-1", content=body, headers=headers)
    assert response.status_code in (400, 422)
    schemas.Problem.model_validate(response.json())


def test_a_body_over_the_limit_is_refused_declared_or_not(
    engine: Engine, sessions: sessionmaker[Session], tmp_path: Any
) -> None:
    world = make_world(engine, sessions, tmp_path / "data", http={"max_body_bytes": 1000})
    body = b'{"fields": {"name": "' + b"x" * 2000 + b'"}}'
    with TestClient(world.app, base_url="http://127.0.0.1") as client:
        headers = {**world.headers("crm"), "Content-Type": "application/json"}
        for content in (body, iter([body[:900], body[900:]])):
            response = client.put("/v1/customers/C-1", content=content, headers=headers)
            assert response.status_code == 413
            assert response.json()["code"] == "too_large"


def test_every_answer_has_the_security_headers(client: TestClient, admin: dict[str, str]) -> None:
    for path in ("/healthz", "/login", "/static/css/base.css", "/v1/recordings", "/nothing", "/metrics"):
        headers = client.get(path, headers=admin).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_a_plain_request_id_is_taken_over_and_an_odd_one_is_not(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "trace-1"}).headers["x-request-id"] == "trace-1"
    odd = client.get("/healthz", headers={"X-Request-ID": "a b<script>"}).headers["x-request-id"]
    assert odd not in ("", "a b<script>")


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_what_nobody_expected_is_a_500_that_tells_nothing(
    world: World, client: TestClient, admin: dict[str, str], accept: str, log: StringIO
) -> None:
    def fail() -> None:
        raise RuntimeError(SECRET)

    world.app.add_api_route("/v1/broken", fail)
    response = client.get("/v1/broken", headers={**admin, "Accept": accept})
    assert response.status_code == 500
    problem = schemas.Problem.model_validate(response.json())
    assert problem.code == "internal"
    shown = response.text + log.getvalue()
    assert all(part not in shown for part in (SECRET[:5], "13800138000"))
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    broken = next(line for line in lines if line["event"] == "unexpected error")
    assert broken["error"]["type"] == "RuntimeError"
    assert any("fail" in place for place in broken["error"]["at"])
    assert broken["request_id"] == problem.request_id


def test_logs_and_metrics_hold_routes_and_never_what_or_who(
    world: World, client: TestClient, admin: dict[str, str], log: StringIO
) -> None:
    call = add_call(world.services)
    sign_in(client, "root")
    paths = [
        f"/recordings/{call}",
        f"/customers/{CUSTOMER_REF}",
        f"/v1/recordings/{call}/transcript",
        f"/v1/recordings?seller={SELLER}",
        f"/v1/customers/{CUSTOMER_REF}/profile",
        "/v1/customers/+8613800138000",
        "/v1/nothing/13800138000",
    ]
    log.truncate(0)
    for path in paths:
        client.get(path, headers={"Accept": "text/html"})
    requests = [line for line in log.getvalue().splitlines() if '"event": "request"' in line]
    assert len(requests) == len(paths)
    assert all('"dropped"' not in line for line in requests)
    figures = client.get("/metrics", headers=admin).text
    told = log.getvalue() + figures
    assert f'"recording_id": "{call}"' in log.getvalue()
    assert call not in figures
    private = {text[:6] for _, text in SAID} | {SELLER, CUSTOMER_REF, "13800138000"}
    found = [index for index, words in enumerate(sorted(private)) if words in told]
    assert not found
    assert 'route="/v1/recordings/{recording_id}/transcript",status="200"' in figures
    assert 'route="unmatched",status="404"' in figures


def test_metrics_count_recordings_by_state(world: World, client: TestClient, admin: dict[str, str]) -> None:
    add_call(world.services)
    figures = client.get("/metrics", headers=admin).text
    assert 'huaxiang_recordings{status="done"} 1.0' in figures
    assert "huaxiang_queue_depth 0.0" in figures
    assert client.get("/metrics", headers=world.headers("metrics")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, ("127.0.0.1", 5000), 200),
        ({}, ("::1", 5000), 200),
        ({"X-Forwarded-For": "10.0.0.9"}, ("127.0.0.1", 5000), 401),
        ({}, ("10.0.0.9", 5000), 401),
    ],
)
def test_metrics_answer_this_machine_without_a_token_where_the_setting_says_so(
    engine: Engine,
    sessions: sessionmaker[Session],
    tmp_path: Any,
    headers: dict[str, str],
    address: tuple[str, int],
    status: int,
) -> None:
    world = make_world(engine, sessions, tmp_path / "data", access={"metrics_from_loopback": True})
    with TestClient(world.app, client=address) as client:
        assert client.get("/metrics", headers=headers).status_code == status
        assert client.get("/v1/recordings", headers=headers).status_code == 401


def test_readiness_names_what_fails_by_its_code_only(world: World, client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "checks": {"database": "ok", "blobs": "ok"}}
    checks: dict[str, Any] = world.services.checks  # type: ignore[assignment]  # a dict under its Mapping

    def failing() -> None:
        raise ModelMissing("/home/somebody/models/whisper-base is missing")

    checks["models"] = failing
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["models"] == "model_missing"
    assert "somebody" not in response.text
    assert client.get("/healthz").status_code == 200


def test_a_database_of_another_revision_is_not_ready(
    world: World, client: TestClient, sessions: sessionmaker[Session]
) -> None:
    from sqlalchemy import text

    with sessions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    assert client.get("/readyz").json()["checks"]["database"] == StorageError.code
