"""The pages: both languages, every state of a recording, nothing unescaped."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from api_world import World, add_bare, add_call, sign_in
from invented_call import CUSTOMER_REF, SAID, invented_recording
from starlette.testclient import TestClient

from huaxiang.api.http.app import create_app
from huaxiang.console.assets import Assets
from huaxiang.core.jobs import Workflow
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.types import AudioInfo, CallMetadata, RecordingStatus
from huaxiang.profile.crm import put_customer

# What is tested here does not depend on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}
NASTY = "</script><script>alert('x')</script>\"'&"


@pytest.fixture
def browser(client: TestClient) -> TestClient:
    """A browser in which the admin is signed in."""
    sign_in(client, "root")
    return client


def page(browser: TestClient, path: str, status: int = 200) -> str:
    response = browser.get(path, headers=PAGE)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    return response.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_comes_in_both_languages(world: World, browser: TestClient, language: str) -> None:
    call = add_call(world.services)
    words = {
        "zh": {"/recordings": "质检", f"/recordings/{call}": "会话指标", "/customers": "阶段",
               f"/customers/{CUSTOMER_REF}": "约定的下一步", "/nothing": "没有这个页面"},
        "en": {"/recordings": "Score", f"/recordings/{call}": "Conversation metrics", "/customers": "Stage",
               f"/customers/{CUSTOMER_REF}": "Agreed next step", "/nothing": "does not exist"},
    }  # fmt: skip
    for path, expected in words[language].items():
        html = page(browser, f"{path}?lang={language}", 404 if path == "/nothing" else 200)
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in html
        assert expected in html


def test_the_chosen_language_is_remembered_and_chinese_comes_first(browser: TestClient) -> None:
    assert "<h1>录音</h1>" in page(browser, "/recordings")
    page(browser, "/recordings?lang=en")
    assert "<h1>Recordings</h1>" in page(browser, "/recordings")
    assert "<h1>录音</h1>" in page(browser, "/recordings?lang=zh")


def test_a_recording_shows_its_turns_findings_score_and_where_to_hear_them(
    world: World, browser: TestClient
) -> None:
    call = add_call(world.services)
    html = page(browser, f"/recordings/{call}")
    assert html.count('class="turn turn--') == len(SAID)
    assert f'src="/v1/recordings/{call}/audio"' in html
    clips = re.findall(r'data-clip-start="(\d+)" data-clip-end="(\d+)"', html)
    assert len(clips) > 20
    assert all(int(start) < int(end) for start, end in clips)
    found = re.search(r'<script type="application/json" id="recording-data">(.*?)</script>', html)
    assert found is not None
    data = json.loads(found[1])
    assert len(data["turns"]) == len(SAID)
    assert data["channelRoles"] == ["agent", "customer"]
    assert "已触发一票否决" in html
    assert f'href="/customers/{_customer_id(html)}"' in html


def _customer_id(html: str) -> str:
    found = re.search(r'href="/customers/([0-9a-f-]{36})"', html)
    assert found is not None
    return found[1]


def test_a_profile_links_each_quote_to_its_second(world: World, browser: TestClient) -> None:
    call = add_call(world.services)
    html = page(browser, f"/customers/{CUSTOMER_REF}")
    links = re.findall(rf'href="/recordings/{call}#t=([\d.]+)"', html)
    assert len(links) >= 8
    transcript_end_s = 70
    assert all(0 <= float(second) < transcript_end_s for second in links)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (RecordingStatus.RECEIVED, "排队中"),
        (RecordingStatus.PROCESSING, "处理中"),
        (RecordingStatus.DONE, "没有识别到说话"),
    ],
)
def test_a_recording_that_is_not_there_yet_says_how_far_it_is(
    world: World, browser: TestClient, status: RecordingStatus, shown: str
) -> None:
    html = page(browser, f"/recordings/{add_bare(world.services, status=status)}")
    assert shown in html
    assert "录音尚未解码" in html


def test_a_failed_recording_says_why(world: World, browser: TestClient) -> None:
    bare = add_bare(world.services)
    with world.services.sessions.begin() as session:
        world.services.recordings.quarantine(session, bare, "not_audio", "the file holds no audio")
    html = page(browser, f"/recordings/{bare}")
    assert "处理失败 · not_audio" in html
    assert "没有可以识别的声音" in html
    assert "the file holds no audio" in html


def test_a_manager_has_a_failed_recording_processed_again(world: World, browser: TestClient) -> None:
    bare = add_bare(world.services)
    jobs = world.services.jobs
    assert isinstance(jobs, MemoryJobs)
    with world.services.sessions.begin() as session:
        jobs.enqueue(session, bare)
        world.services.recordings.quarantine(session, bare, "not_audio", "the file holds no audio")
    html = page(browser, f"/recordings/{bare}")
    token = re.search(r'name="csrf" value="([^"]+)"', html)
    assert token is not None
    address = f"/recordings/{bare}/reprocess"
    assert browser.post(address, data={"csrf": token[1]}, headers=PAGE).status_code == 409
    jobs.run_all(Workflow(run=lambda stages, recording_id: None, stage_names=()))
    assert browser.post(address, data={"csrf": "made up"}, headers=PAGE).status_code == 403
    assert browser.post(address, data={"csrf": token[1]}, headers=PAGE).status_code == 303
    assert "排队中" in page(browser, f"/recordings/{bare}")


def test_a_waiting_page_is_told_to_reload_when_something_changed(world: World, browser: TestClient) -> None:
    bare = add_bare(world.services, status=RecordingStatus.PROCESSING)
    address = f"/recordings/{bare}/state"
    assert browser.get(f"{address}?seen=processing").status_code == 204
    changed = browser.get(f"{address}?seen=received")
    assert changed.headers["hx-refresh"] == "true"


def test_nothing_that_was_told_or_said_becomes_markup(world: World, browser: TestClient) -> None:
    call = add_call(
        world.services,
        filename=NASTY,
        metadata=CallMetadata(title=NASTY, seller=NASTY, customer_ref="CRM-9"),
        audio=AudioInfo(NASTY, 8000, 2, 60_000),
        source=NASTY,
    )
    with world.services.sessions.begin() as session:
        put_customer(session, "CRM-9", {"fields": {"name": NASTY}})
    for path in (
        "/recordings",
        f"/recordings/{call}",
        "/customers",
        "/customers/CRM-9",
        f"/recordings?seller={NASTY}",
    ):
        html = page(browser, path)
        assert "<script>alert" not in html
        assert len(re.findall(r"<script\b", html)) == len(re.findall(r"</script>", html))


def test_no_page_has_inline_script_or_style(world: World, browser: TestClient) -> None:
    call = add_call(world.services)
    for path in ("/login", "/recordings", f"/recordings/{call}", "/customers", f"/customers/{CUSTOMER_REF}"):
        html = page(browser, path)
        scripts = re.findall(r"<script([^>]*)>", html)
        assert all("src=" in attributes or "application/json" in attributes for attributes in scripts)
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", html)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


def test_lists_say_that_they_are_empty_and_filters_that_nothing_matches(browser: TestClient) -> None:
    assert "还没有录音" in page(browser, "/recordings")
    assert "没有符合条件的录音" in page(browser, "/recordings?seller=nobody")
    assert "还没有客户" in page(browser, "/customers")


def test_the_list_is_paged_and_keeps_its_filter(world: World, browser: TestClient) -> None:
    for _ in range(52):
        add_bare(world.services)
    add_bare(world.services, metadata=replace(invented_recording("x").metadata, seller="lin"))
    html = page(browser, "/recordings?seller=he.yun&status=received")
    assert html.count('<td class="is-main">') == 50
    found = re.search(r'href="(/recordings\?[^"]*cursor=[^"]*)"', html)
    assert found is not None
    second = page(browser, found[1].replace("&amp;", "&"))
    assert second.count('<td class="is-main">') == 2
    assert 'value="he.yun"' in second


def test_a_seller_finds_no_way_to_customers(world: World, client: TestClient) -> None:
    add_call(world.services)
    sign_in(client, "he.yun")
    assert 'href="/customers"' not in page(client, "/recordings")
    assert "您的账号没有此项权限" in page(client, "/customers", 403)


def test_without_the_vendored_scripts_the_pages_say_so_and_still_play(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Assets, "_is_built", lambda self, name: False)
    call = add_call(world.services)
    with TestClient(
        create_app(world.services), base_url="http://127.0.0.1", follow_redirects=False
    ) as client:
        sign_in(client, "root")
        html = page(client, f"/recordings/{call}")
        waiting = page(client, f"/recordings/{add_bare(world.services)}")
    assert 'id="vendor-missing"' in html
    assert "wavesurfer.min.js" in html
    assert "<script src=" not in html.replace('<script type="module" src=', "")
    assert "<audio" in html
    assert "hx-get" not in waiting


def test_static_files_are_kept_by_their_version(browser: TestClient) -> None:
    html = page(browser, "/login")
    found = re.search(r'href="(/static/css/base.css\?v=[0-9a-f]{16})"', html)
    assert found is not None
    assert "immutable" in browser.get(found[1]).headers["cache-control"]
    assert browser.get("/static/css/base.css").headers["cache-control"] == "no-cache"
    assert browser.get("/static/../build.py").status_code == 404
