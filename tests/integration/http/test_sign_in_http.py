"""Signing in by a browser: cookies, form tokens, the throttle, where it leads to."""

from __future__ import annotations

import re

import pytest
from api_world import PASSWORD, World, sign_in
from starlette.testclient import TestClient

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}


def form_token(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/login", headers=PAGE).text)
    assert found is not None
    return found[1]


def post(client: TestClient, **fields: str) -> tuple[int, str]:
    """Send the sign-in form; return status and where it leads to."""
    form = {"name": "mei", "password": PASSWORD, "next": "/recordings", **fields}
    response = client.post("/login", data=form, headers=PAGE)
    return response.status_code, response.headers.get("location", "")


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    token = form_token(client)
    response = client.post(
        "/login", data={"name": "mei", "password": PASSWORD, "csrf": token, "next": ""}, headers=PAGE
    )
    cookie = next(c for c in response.headers.get_list("set-cookie") if c.startswith("huaxiang_session="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert "secure" not in attributes  # plain HTTP on loopback


@pytest.mark.parametrize("base_url", ["http://huaxiang.example", "https://huaxiang.example"])
def test_off_loopback_the_cookie_is_secure(world: World, base_url: str) -> None:
    with TestClient(world.app, base_url=base_url, follow_redirects=False) as client:
        page = client.get("/login", headers=PAGE)
        login_cookie = next(c for c in page.headers.get_list("set-cookie"))
        assert "secure" in login_cookie.lower()
        warned = 'role="alert"' in page.text
        assert warned == base_url.startswith("http:")


def test_the_right_pair_leads_where_the_visitor_was_going(client: TestClient) -> None:
    assert post(client, csrf=form_token(client), next="/customers?cursor=x") == (303, "/customers?cursor=x")


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "",
        "/a\nb",
    ],
)
def test_a_sign_in_never_leads_to_another_site(client: TestClient, target: str) -> None:
    assert post(client, csrf=form_token(client), next=target) == (303, "/recordings")


def test_a_wrong_password_shows_the_form_again_without_the_password(client: TestClient) -> None:
    token = form_token(client)
    response = client.post(
        "/login", data={"name": "mei", "password": "a wrong one!", "csrf": token}, headers=PAGE
    )
    assert response.status_code == 401
    assert 'id="failure"' in response.text
    assert "a wrong one!" not in response.text


def test_a_form_of_another_browser_or_site_is_refused(world: World, client: TestClient) -> None:
    stolen = form_token(client)
    assert post(client, csrf="made up")[0] == 403
    with TestClient(world.app, base_url="http://127.0.0.1", follow_redirects=False) as other:
        assert post(other, csrf=stolen)[0] == 403
    foreign = client.post(
        "/login",
        data={"name": "mei", "password": PASSWORD, "csrf": stolen},
        headers={**PAGE, "Origin": "https://elsewhere.example"},
    )
    assert foreign.status_code == 403


def test_after_too_many_failures_the_page_says_when_to_come_back(client: TestClient) -> None:
    token = form_token(client)
    for _ in range(5):
        assert post(client, csrf=token, password="a wrong one!")[0] == 401
    response = client.post("/login", data={"name": "mei", "password": PASSWORD, "csrf": token}, headers=PAGE)
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0


def test_a_signed_in_browser_changes_nothing_without_its_form_token(world: World, client: TestClient) -> None:
    script, _ = sign_in(client, "root")
    assert client.post("/v1/devices", json={"name": "badge 2"}).status_code == 403
    wrong = {"X-CSRF-Token": "made up"}
    assert client.post("/v1/devices", json={"name": "badge 2"}, headers=wrong).status_code == 403
    assert client.post("/v1/devices", json={"name": "badge 2"}, headers=script).status_code == 201


def test_signing_out_needs_the_form_token_and_ends_the_session(client: TestClient) -> None:
    _, csrf = sign_in(client, "mei")
    cookie = client.cookies["huaxiang_session"]
    assert client.post("/logout", data={"csrf": "made up"}).status_code == 403
    assert client.post("/logout", data={"csrf": csrf}).status_code == 303
    client.cookies.set("huaxiang_session", cookie)
    assert client.get("/v1/recordings").status_code == 401


def test_a_page_without_a_session_asks_to_sign_in_and_comes_back(client: TestClient) -> None:
    response = client.get("/recordings?seller=lin", headers=PAGE)
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=%2Frecordings%3Fseller%3Dlin"
