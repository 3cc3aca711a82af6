"""Every address against every kind of caller: who gets in is written down here, and nowhere else."""

from __future__ import annotations

import re

import pytest
from api_world import World, sign_in
from starlette.testclient import TestClient

from huaxiang.api.http.app import scopes_of_routes

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNKNOWN = "01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"
CALLERS = {"device", "crm", "manager", "metrics", "admin", "he.yun", "mei", "root"}
PUBLIC = {"GET /healthz", "GET /readyz", "GET /login", "POST /login"}
MANAGERS = {"manager", "admin", "mei", "root"}
LISTENERS = MANAGERS | {"he.yun"}
CUSTOMERS = MANAGERS | {"crm"}
ADMINS = {"admin", "root"}
MAY = {
    "GET /metrics": {"metrics"} | ADMINS,
    "GET /openapi.json": CALLERS,
    "GET /": CALLERS,
    "GET /v1/recordings": LISTENERS,
    "GET /v1/search": LISTENERS,
    "POST /v1/recordings": {"device"} | ADMINS,
    "GET /v1/recordings/{recording_id}": LISTENERS,
    "GET /v1/recordings/{recording_id}/transcript": LISTENERS,
    "GET /v1/recordings/{recording_id}/insights": LISTENERS,
    "GET /v1/recordings/{recording_id}/scorecard": LISTENERS,
    "GET /v1/recordings/{recording_id}/scorecards": LISTENERS,
    "GET /v1/recordings/{recording_id}/audio": LISTENERS,
    "HEAD /v1/recordings/{recording_id}/audio": LISTENERS,
    "GET /v1/recordings/{recording_id}/peaks": LISTENERS,
    "GET /v1/recordings/{recording_id}/corrections": LISTENERS,
    "POST /v1/recordings/{recording_id}/corrections": LISTENERS,
    "GET /v1/recordings/{recording_id}/corrected": LISTENERS,
    "POST /v1/recordings/{recording_id}/reprocess": MANAGERS,
    "OPTIONS /v1/uploads": {"device"} | ADMINS,
    "POST /v1/uploads": {"device"} | ADMINS,
    "OPTIONS /v1/uploads/{upload_id}": {"device"} | ADMINS,
    "HEAD /v1/uploads/{upload_id}": {"device"} | ADMINS,
    "POST /v1/uploads/{upload_id}": {"device"} | ADMINS,
    "PATCH /v1/uploads/{upload_id}": {"device"} | ADMINS,
    "DELETE /v1/uploads/{upload_id}": {"device"} | ADMINS,
    "GET /v1/customers": CUSTOMERS,
    "POST /v1/customers/import": {"crm"} | ADMINS,
    "GET /v1/customers/{external_id}": CUSTOMERS,
    "PUT /v1/customers/{external_id}": {"crm"} | ADMINS,
    "GET /v1/customers/{external_id}/profile": CUSTOMERS,
    "GET /v1/devices": ADMINS,
    "POST /v1/devices": ADMINS,
    "DELETE /v1/devices/{device_id}": ADMINS,
    "GET /v1/rules": MANAGERS,
    "POST /v1/rules": MANAGERS,
    "GET /v1/rules/{rule_id}": MANAGERS,
    "POST /v1/rules/check": MANAGERS,
    "POST /v1/rules/test": MANAGERS,
    "POST /v1/rules/{rule_id}/retire": MANAGERS,
    "GET /v1/rule-comparisons": MANAGERS,
    "POST /v1/rule-comparisons": MANAGERS,
    "GET /v1/rule-comparisons/{comparison_id}": MANAGERS,
    "GET /v1/rule-comparisons/{comparison_id}/changes": MANAGERS,
    "GET /v1/rule-lab": MANAGERS,
    "POST /v1/rule-lab/run": MANAGERS,
    "PUT /v1/rule-lab/{rule_id}/{item_id}/floor": MANAGERS,
    "GET /rules": MANAGERS,
    "GET /rules/lab": MANAGERS,
    "POST /rules/lab": {"mei", "root"},
    "POST /rules/apply": {"mei", "root"},
    "GET /rules/{rule_id}": MANAGERS,
    "POST /rules/{rule_id}/retire": {"mei", "root"},
    "GET /rules/{rule_id}/items/{item_id}": MANAGERS,
    "POST /rules/{rule_id}/items/{item_id}/floor": {"mei", "root"},
    "GET /rules/{rule_id}/edit": MANAGERS,
    "POST /rules/{rule_id}/edit": {"mei", "root"},
    "GET /rules/{rule_id}/comparisons/{comparison_id}": MANAGERS,
    "GET /rules/{rule_id}/comparisons/{comparison_id}/changes/{recording_id}": MANAGERS,
    "POST /rules/{rule_id}/comparisons/{comparison_id}/publish": {"mei", "root"},
    "GET /v1/jobs": MANAGERS,
    "GET /v1/jobs/{recording_id}": MANAGERS,
    "GET /v1/reviews": LISTENERS,
    "POST /v1/reviews": LISTENERS,
    "GET /v1/reviews/{case_id}": LISTENERS,
    "POST /v1/reviews/{case_id}/assign": MANAGERS,
    "POST /v1/reviews/{case_id}/judge": MANAGERS,
    "POST /v1/reviews/{case_id}/submit": MANAGERS,
    "POST /v1/reviews/{case_id}/reopen": MANAGERS,
    "POST /v1/reviews/{case_id}/appeal": LISTENERS,
    "POST /v1/reviews/{case_id}/settle": MANAGERS,
    "GET /v1/sampling-plans": MANAGERS,
    "POST /v1/sampling-plans": MANAGERS,
    "GET /v1/sampling-plans/{name}": MANAGERS,
    "GET /v1/sampling-plans/{name}/draws": MANAGERS,
    "POST /v1/sampling-plans/{name}/draw": MANAGERS,
    "GET /v1/calibrations": MANAGERS,
    "POST /v1/calibrations": MANAGERS,
    "GET /v1/calibrations/{calibration_id}": MANAGERS,
    "POST /v1/calibrations/{calibration_id}/calls/{recording_id}": MANAGERS,
    "POST /v1/calibrations/{calibration_id}/close": MANAGERS,
    "GET /overview": MANAGERS,
    "GET /v1/overview": MANAGERS,
    "GET /v1/sellers": MANAGERS,
    "GET /v1/sellers/{key}": LISTENERS,
    "PUT /v1/sellers/{key}": MANAGERS,
    "PUT /v1/sellers/{key}/consent": LISTENERS,
    "POST /v1/sellers/{key}/practices": LISTENERS,
    "POST /v1/practices/{practice_id}/acknowledge": LISTENERS,
    "POST /v1/practices/{practice_id}/follow-up": MANAGERS,
    "POST /v1/practices/{practice_id}/close": LISTENERS,
    "GET /v1/teams": MANAGERS,
    "GET /v1/teams/{team}": MANAGERS,
    "GET /v1/behaviours": MANAGERS,
    "GET /v1/objections": MANAGERS,
    "GET /v1/objections/{objection}/{answer}": MANAGERS,
    "GET /v1/library": LISTENERS,
    "POST /v1/library": MANAGERS,
    "GET /v1/library/candidates": MANAGERS,
    "GET /v1/library/{entry_id}": LISTENERS,
    "PUT /v1/library/{entry_id}": MANAGERS,
    "POST /v1/library/{entry_id}/withdraw": MANAGERS,
    "GET /v1/digests/{week}": MANAGERS,
    "GET /recordings": LISTENERS,
    "GET /recordings/rows": LISTENERS,
    "GET /recordings/{recording_id}/row": LISTENERS,
    "POST /recordings/views": {"mei", "root", "he.yun"},
    "POST /recordings/views/{view_id}/remove": {"mei", "root", "he.yun"},
    "GET /recordings/{recording_id}": LISTENERS,
    "GET /recordings/{recording_id}/state": LISTENERS,
    "POST /recordings/{recording_id}/reprocess": {"mei", "root"},
    "GET /recordings/{recording_id}/turns/{turn}": LISTENERS,
    "GET /recordings/{recording_id}/turns/{turn}/edit": LISTENERS,
    "POST /recordings/{recording_id}/turns/{turn}": {"he.yun", "mei", "root"},
    "POST /recordings/{recording_id}/corrections/{correction_id}/{act}": {"he.yun", "mei", "root"},
    "GET /review": MANAGERS,
    "POST /review": {"he.yun", "mei", "root"},
    "GET /review/next": MANAGERS,
    "GET /review/{case_id}": LISTENERS,
    "POST /review/{case_id}/{act}": {"he.yun", "mei", "root"},
    "GET /appeals": LISTENERS,
    "GET /appeals/{recording_id}": LISTENERS,
    "GET /review/plans": MANAGERS,
    "POST /review/plans": {"mei", "root"},
    "GET /review/plans/new": MANAGERS,
    "POST /review/plans/try": {"mei", "root"},
    "GET /review/plans/{name}": MANAGERS,
    "POST /review/plans/{name}/rest": {"mei", "root"},
    "POST /review/plans/{name}/draw": {"mei", "root"},
    "GET /review/calibration": MANAGERS,
    "POST /review/calibration": {"mei", "root"},
    "GET /review/calibration/new": MANAGERS,
    "GET /review/calibration/{calibration_id}": MANAGERS,
    "POST /review/calibration/{calibration_id}/close": {"mei", "root"},
    "GET /review/calibration/{calibration_id}/{recording_id}": MANAGERS,
    "POST /review/calibration/{calibration_id}/{recording_id}": {"mei", "root"},
    "GET /team": MANAGERS,
    "GET /team/me": LISTENERS,
    "GET /team/{team}": MANAGERS,
    "GET /sellers/{key}": LISTENERS,
    "POST /sellers/{key}": {"mei", "root"},
    "POST /sellers/{key}/consent": {"he.yun", "mei", "root"},
    "POST /sellers/{key}/practices": {"he.yun", "mei", "root"},
    "POST /practices/{practice_id}/acknowledge": {"he.yun", "mei", "root"},
    "POST /practices/{practice_id}/follow-up": {"mei", "root"},
    "POST /practices/{practice_id}/close": {"he.yun", "mei", "root"},
    "GET /objections": MANAGERS,
    "GET /objections/{objection}/{answer}": MANAGERS,
    "GET /library": LISTENERS,
    "POST /library": {"mei", "root"},
    "POST /library/{entry_id}": {"mei", "root"},
    "POST /library/{entry_id}/withdraw": {"mei", "root"},
    "GET /digest": MANAGERS,
    "GET /v1/clips/{recording_id}": LISTENERS,
    "GET /customers": CUSTOMERS,
    "GET /customers/{reference}": CUSTOMERS,
    "GET /devices": ADMINS,
    "POST /devices": {"root"},
    "GET /devices/{device_id}/revoke": ADMINS,
    "POST /devices/{device_id}/revoke": {"root"},
    "GET /help": CALLERS,
    "POST /logout": CALLERS,
}
PEOPLE = ("he.yun", "mei", "root")


def test_every_route_is_in_the_table(world: World) -> None:
    routes = {f"{method} {path}" for method, path in scopes_of_routes(world.app)}
    assert routes == set(MAY) | PUBLIC


def test_every_route_but_the_public_ones_asks_for_a_caller(world: World) -> None:
    unguarded = {f"{m} {path}" for (m, path), scopes in scopes_of_routes(world.app).items() if scopes is None}
    assert unguarded == PUBLIC


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_an_unknown_caller_gets_nothing(client: TestClient, accept: str) -> None:
    addresses = [*MAY, "GET /v1/nothing", "GET /nothing", "POST /healthz/x", "TRACE /v1/recordings"]
    for route in addresses:
        method, path = route.split(" ")
        for headers in ({}, {"Authorization": "Bearer hxt_wrong"}, {"Cookie": "huaxiang_session=wrong"}):
            response = client.request(
                method, path.replace("{", "").replace("}", ""), headers={"Accept": accept, **headers}
            )
            page = (
                accept == "text/html" and method in ("GET", "HEAD", "OPTIONS") and not path.startswith("/v1/")
            )
            expected = 303 if page and "Authorization" not in headers else 401
            assert response.status_code == expected, (route, headers)
            if expected == 303:
                assert response.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("caller", sorted(CALLERS))
def test_a_caller_gets_in_where_the_table_says_so_and_nowhere_else(
    world: World, client: TestClient, caller: str
) -> None:
    headers, csrf = sign_in(client, caller) if caller in PEOPLE else (world.headers(caller), "")
    for route, allowed in MAY.items():
        method, path = route.split(" ")
        if path == "/logout":
            continue
        address = re.sub(r"\{.*?\}", UNKNOWN, path)
        form = {"csrf": csrf} if not path.startswith("/v1/") and method == "POST" else None
        status = client.request(method, address, headers=headers, data=form).status_code
        assert (status not in (401, 403)) == (caller in allowed), (route, status)
    if caller in PEOPLE:
        assert client.post("/logout", data={"csrf": csrf}).status_code == 303
        assert client.get("/v1/recordings").status_code == 401


def test_the_public_addresses_answer_everyone(client: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/login", "/static/css/base.css"):
        assert client.get(path).status_code == 200


def test_metrics_answer_loopback_without_a_token_only_where_the_setting_says_so(
    world: World, client: TestClient
) -> None:
    assert client.get("/metrics").status_code == 401


def test_a_body_of_an_unknown_caller_is_not_read(client: TestClient) -> None:
    def never() -> object:
        raise AssertionError("the body was read")
        yield b""

    assert client.post("/v1/recordings", content=never()).status_code == 401  # type: ignore[arg-type]
