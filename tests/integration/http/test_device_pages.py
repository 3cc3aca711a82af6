"""The page of devices: a key is shown once and stored nowhere, and revoking is asked about first."""

from __future__ import annotations

import re

import pytest
from api_world import World, add_call, sign_in
from starlette.testclient import TestClient

# What is tested here does not depend on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}


@pytest.fixture
def admin(client: TestClient) -> tuple[TestClient, str]:
    _, csrf = sign_in(client, "root")
    return client, csrf


def test_a_key_is_shown_once_and_lets_its_device_upload(admin: tuple[TestClient, str]) -> None:
    browser, csrf = admin
    answer = browser.post("/devices", data={"csrf": csrf, "name": "工牌-021"}, headers=PAGE)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    key = re.search(r">(hxd_[\w-]+)<", answer.text)
    assert key is not None
    assert key[1] not in browser.get("/devices", headers=PAGE).text
    options = browser.options("/v1/uploads", headers={"Authorization": f"Bearer {key[1]}"})
    assert options.status_code == 204


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [("", 400, "名称须为"), ("badge 1", 409, "已有同名设备"), ("a\x07", 400, "名称须为")],
)
def test_a_name_that_does_not_do_is_said_beside_the_field(
    admin: tuple[TestClient, str], name: str, status: int, words: str
) -> None:
    browser, csrf = admin
    answer = browser.post("/devices", data={"csrf": csrf, "name": name}, headers=PAGE)
    assert answer.status_code == status
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "hxd_" not in answer.text


def test_the_page_tells_what_a_device_sent_and_opens_it(world: World, admin: tuple[TestClient, str]) -> None:
    browser, _ = admin
    with world.services.sessions.begin() as session:
        (device,) = world.services.devices.list(session)
    add_call(world.services, source=device.id)
    html = browser.get("/devices", headers=PAGE).text
    assert "2026-11-20 10:00" in html
    listing = browser.get(f"/recordings?source={device.id}", headers=PAGE).text
    assert "共 1 条" in listing
    assert "共 0 条" in browser.get("/recordings?source=another", headers=PAGE).text


def test_revoking_is_asked_about_and_ends_the_key(world: World, admin: tuple[TestClient, str]) -> None:
    browser, csrf = admin
    with world.services.sessions.begin() as session:
        (device,) = world.services.devices.list(session)
    address = f"/devices/{device.id}/revoke"
    assert "永久失效" in browser.get(address, headers=PAGE).text
    assert browser.options("/v1/uploads", headers=world.headers("device")).status_code == 204
    assert browser.post(address, data={"csrf": "x"}, headers=PAGE).status_code == 403
    assert browser.post(address, data={"csrf": csrf}, headers=PAGE).status_code == 303
    assert browser.options("/v1/uploads", headers=world.headers("device")).status_code == 401
    again = browser.get(address, headers=PAGE).text
    assert f'action="{address}"' not in again
    assert browser.get("/devices/none/revoke", headers=PAGE).status_code == 404


def test_the_keys_are_told_in_both_languages(admin: tuple[TestClient, str]) -> None:
    browser, _ = admin
    assert "后退或前进 5 秒" in browser.get("/help?lang=zh", headers=PAGE).text
    assert "Play or pause" in browser.get("/help?lang=en", headers=PAGE).text
