"""The overview: its figures are those of the lists they open, and it is for managers."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from api_world import World, add_bare, add_call, sign_in
from coached import add_coached_history
from starlette.testclient import TestClient

from huaxiang.api.http.overview_schemas import Overview
from huaxiang.api.overview.period import Since
from huaxiang.api.overview.reading import read_overview
from huaxiang.core.database import now, transaction
from huaxiang.core.types import RecordingStatus
from huaxiang.quality.history.invented import SELLERS

SHANGHAI = ZoneInfo("Asia/Shanghai")
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}


def test_figures_scores_and_failures_are_those_of_what_is_stored(world: World) -> None:
    services = world.services
    history = add_coached_history(services.sessions, 48, weeks=3)
    add_bare(services, status=RecordingStatus.PROCESSING)
    add_bare(services)
    with transaction(services.sessions) as session:
        scores = {one.recording.id: services.scorecards.latest(session, one.recording.id) for one in history}
        found = read_overview(session, services.search.list, Since.NIGHT, now(), SHANGHAI)
    counts = found.counts
    assert counts.inspected == 48
    assert counts.vetoed == sum(score.auto_failed for score in scores.values())
    assert counts.doubtful == sum(any(i.for_review for i in score.items) for score in scores.values())
    assert (counts.failed, counts.received, counts.processing) == (0, 1, 1)
    shares = [score.score / score.possible for score in scores.values()]
    assert found.score is not None
    assert found.score.value == pytest.approx(sum(shares) / len(shares))
    for day, estimate in zip(found.days, found.by_day, strict=True):
        week = [
            scores[one.recording.id].score / scores[one.recording.id].possible
            for one in history
            if timedelta() <= day - _day(one.recording.metadata.started_at) < timedelta(days=7)
        ]
        assert (estimate.n if estimate else 0) == len(week)
        assert estimate is None or estimate.value == pytest.approx(sum(week) / len(week))
    assert {one.name for one in found.teams} == {seller.team for seller in SELLERS}
    lately = {one.recording.id for one in history if _day(one.recording.metadata.started_at) in found.days}
    (he_yun,) = (one for one in found.sellers if one.key == "he.yun")
    own = [one.recording.id for one in history if one.seller.key == "he.yun" and one.recording.id in lately]
    judged = [
        item.passed
        for key in own
        for item in scores[key].items
        if item.id == "permission" and item.passed is not None
    ]
    assert he_yun.failed["permission"].n == len(judged)
    assert he_yun.failed["permission"].value == pytest.approx(judged.count(False) / len(judged))
    for veto in found.vetoes:
        (item,) = (item for item in scores[veto.recording_id].items if item.id == veto.item.id)
        assert item.auto_fail
        assert item.passed is False
        assert veto.evidence == (item.evidence[0] if item.evidence else None)


@ON_SQLITE
def test_the_interval_of_few_scores_stays_where_scores_are(world: World) -> None:
    services = world.services
    add_coached_history(services.sessions, 2, weeks=1)
    with transaction(services.sessions) as session:
        found = read_overview(session, services.search.list, Since.NIGHT, now(), SHANGHAI)
    assert found.score is not None
    assert (found.score.low, found.score.high) == (0.0, 1.0)


@ON_SQLITE
def test_each_figure_opens_the_list_that_it_counts(world: World, client: TestClient) -> None:
    add_coached_history(world.services.sessions, 24, weeks=2)
    failed = add_bare(world.services)
    with transaction(world.services.sessions) as session:
        world.services.recordings.quarantine(session, failed, "not_audio", "the file holds no audio")
    sign_in(client, "mei")
    html = client.get("/overview", headers=PAGE).text
    tiles = re.findall(
        r'<a class="tile[^"]*" href="(/recordings[^"]+)">\s*<span class="tile__label">[^<]+</span>\s*'
        r'<span class="tile__value">(\d+)</span>',
        html,
    )
    counted = [(url, int(value)) for url, value in tiles if "sort=score" not in url]
    assert len(counted) >= 5
    for url, value in counted:
        listing = client.get(url.replace("&amp;", "&"), headers=PAGE).text
        assert f"共 {value} 条" in listing, url


@ON_SQLITE
def test_program_and_page_have_one_overview(world: World, client: TestClient) -> None:
    add_coached_history(world.services.sessions, 12, weeks=1)
    response = client.get("/v1/overview?since=week", headers=world.headers("manager"))
    assert response.status_code == 200
    document = Overview.model_validate(response.json())
    assert document.counts.inspected == 12
    assert len(document.days) == 28
    assert client.get("/v1/overview?since=ever", headers=world.headers("manager")).status_code == 422


@ON_SQLITE
def test_an_empty_store_has_an_overview_too(client: TestClient) -> None:
    sign_in(client, "mei")
    for language, words in (("zh", "这段时间没有一票否决"), ("en", "No automatic fail")):
        answer = client.get(f"/overview?lang={language}&since=nonsense&by=nonsense", headers=PAGE)
        assert answer.status_code == 200
        assert words in answer.text


@ON_SQLITE
def test_managers_begin_on_the_overview_and_sellers_on_their_calls(world: World, client: TestClient) -> None:
    add_call(world.services)
    sign_in(client, "mei")
    assert client.get("/").headers["location"] == "/overview"
    sign_in(client, "he.yun")
    assert client.get("/").headers["location"] != "/overview"
    assert client.get("/overview", headers=PAGE).status_code == 403


def _day(moment: datetime | None) -> date:
    assert moment is not None
    return moment.astimezone(SHANGHAI).date()
