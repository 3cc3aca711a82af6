"""The pages of review: forms that lose nothing, who sees what, plans that are tried, blind calibrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest
from api_world import World, sign_in
from reviews import DEFINITION, store_conversations
from starlette.testclient import TestClient

from huaxiang.core.database import now, transaction
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.quality.review.outcomes import Actor, Judgement, Outcome
from huaxiang.quality.review.review_store import StoredCase

# What is tested here does not depend on the database; the stores are tested on both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = {"Accept": "text/html"}
SELLER = "he.yun"
MEI = Actor("user:mei", "mei")
PLAN = "plan: daily\ntitle: 每天抽一半\nperiod: day\nseed: 7\ndraws: [{share: 0.5}]\nreviewers: [mei]\n"


@dataclass
class Browser:
    """A browser in which somebody is signed in."""

    client: TestClient
    name: str
    csrf: str = ""

    def __post_init__(self) -> None:
        _, self.csrf = sign_in(self.client, self.name)

    def get(self, path: str, status: int = 200) -> str:
        response = self.client.get(path, headers=PAGE)
        assert response.status_code == status, response.text[-300:]
        return unescape(response.text)

    def post(self, path: str, form: dict[str, str], status: int = 303) -> str:
        response = self.client.post(path, data={"csrf": self.csrf, **form}, headers=PAGE)
        assert response.status_code == status, unescape(response.text)[-300:]
        return response.headers["location"] if status == 303 else unescape(response.text)


def opened(world: World, seller: str = SELLER, start: int = 0) -> StoredCase:
    (call,) = store_conversations(world.services.sessions, start=start, seller=seller)
    with transaction(world.services.sessions) as session:
        card = world.services.scorecards.latest(session, call.recording.id)
        return world.services.reviews.cases.open(session, call.recording.id, card, seller, MEI)


def state_of(world: World, case: StoredCase) -> StoredCase:
    with transaction(world.services.sessions) as session:
        return world.services.reviews.cases.get(session, case.id)


def other_than(outcome: Outcome) -> str:
    return "failed" if outcome is Outcome.PASSED else "passed"


@pytest.fixture
def mei(client: TestClient) -> Browser:
    return Browser(client, "mei")


def test_a_changed_verdict_without_a_reason_comes_back_with_all_that_was_written(
    world: World, mei: Browser
) -> None:
    case = opened(world)
    first, second = (item.automatic for item in case.case.items[:2])
    form = {
        "seen": "1",
        f"outcome.{first.id}": other_than(first.outcome),
        f"outcome.{second.id}": second.outcome.value,
        f"reason.{second.id}": "第 2 句",
        "reason": "总体不错",
    }
    page = mei.post(f"/review/{case.id}/submit", form, 400)
    assert "改判的项都要有理由" in page
    assert 'value="第 2 句"' in page
    assert 'value="总体不错"' in page
    assert len(re.findall(r'type="radio"[^>]* checked', page)) == 2
    assert page.count('aria-invalid="true"') == 1
    assert state_of(world, case).case.version == 1
    mei.post(f"/review/{case.id}/submit", {**form, f"reason.{first.id}": "听到了"})
    done = state_of(world, case).case
    assert done.state.value == "reviewed"
    assert [item.reviewed is not None for item in done.items[:3]] == [True, True, False]


def test_who_comes_second_is_told_and_may_send_again(world: World, mei: Browser) -> None:
    case = opened(world)
    item = case.case.items[0].automatic
    with transaction(world.services.sessions) as session:
        said = [Judgement(item.id, item.outcome)]
        world.services.reviews.cases.judge(session, case.id, Actor("user:x", "lao.li"), said, 1)
    form = {f"outcome.{item.id}": other_than(item.outcome), f"reason.{item.id}": "听到了"}
    page = mei.post(f"/review/{case.id}/submit", {**form, "seen": "1"}, 409)
    assert "您打开之后有人改动了这一条" in page
    assert 'value="听到了"' in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    mei.post(f"/review/{case.id}/submit", {**form, "seen": seen[1]})
    assert state_of(world, case).case.items[0].final.value == other_than(item.outcome)


def test_sending_kept_judgements_again_adds_no_rows(world: World, mei: Browser) -> None:
    case = opened(world)
    item = case.case.items[0].automatic
    form = {f"outcome.{item.id}": item.outcome.value}
    for seen in ("1", "2"):
        mei.post(f"/review/{case.id}/keep", {**form, "seen": seen})
    assert [act.kind.value for act in state_of(world, case).acts] == ["opened", "judged"]


def test_submitting_opens_the_next_case_that_waits(world: World, mei: Browser) -> None:
    first, second = opened(world), opened(world, "lin", 1)
    assert mei.client.get("/review/next").headers["location"] == f"/review/{first.id}"
    item = first.case.items[0].automatic
    form = {f"outcome.{item.id}": item.outcome.value, "seen": "1"}
    assert mei.post(f"/review/{first.id}/submit", form) == f"/review/{second.id}"
    assert mei.post(f"/review/{second.id}/submit", form) == "/review"
    assert mei.client.get("/review/next").headers["location"] == "/review"
    assert "没有待复核的通话" in mei.get("/review")


def test_sellers_are_called_by_their_names(world: World, mei: Browser) -> None:
    case, other = opened(world), opened(world, "lin", 1)
    with transaction(world.services.sessions) as session:
        SellerStore().add(session, SELLER, SellerValues(name="何芸"), by="test")
    assert "<td>何芸</td>" in mei.get("/review")
    assert "<td>lin</td>" in mei.get("/review")  # who has no name is called by the key
    page = mei.get(f"/review?seller={SELLER}")
    assert (f"/review/{case.id}" in page, f"/review/{other.id}" in page) == (True, False)
    assert f'<option value="{SELLER}" selected>何芸</option>' in page
    assert "<span>何芸</span>" in mei.get(f"/review/{case.id}")
    assert "何芸" in mei.get("/review/calibration/new")


def test_a_case_of_somebody_else_can_be_taken_over(world: World, mei: Browser) -> None:
    case = opened(world)
    mei.post(f"/review/{case.id}/assign", {"assignee": "root", "seen": "1"})
    page = mei.get(f"/review/{case.id}")
    assert "已分配给 root" in page
    assert "data-review" not in page
    assert mei.get("/review").count('class="is-main"') == 1
    assert "没有符合条件的记录" in mei.get("/review?mine=1")
    mei.post(f"/review/{case.id}/assign", {"assignee": "mei", "seen": "2"})
    assert "data-review" in mei.get(f"/review/{case.id}")


def test_a_seller_asks_sees_nothing_unfinished_appeals_and_reads_the_outcome(
    world: World, client: TestClient
) -> None:
    case = opened(world)
    item = case.case.items[0].automatic
    mei = Browser(client, "mei")
    kept = {f"outcome.{item.id}": other_than(item.outcome), f"reason.{item.id}": "秘密的理由"}
    mei.post(f"/review/{case.id}/keep", {**kept, "seen": "1"})
    seller = Browser(client, SELLER)
    assert "秘密的理由" not in seller.get(f"/review/{case.id}")
    seller.post(f"/review/{case.id}/submit", {**kept, "seen": "2"}, 403)
    mei = Browser(client, "mei")
    mei.post(f"/review/{case.id}/submit", {**kept, "seen": "2"})
    seller = Browser(client, SELLER)
    assert "前可申诉" in seller.get("/appeals")
    page = seller.get(f"/review/{case.id}")
    assert "秘密的理由" in page
    assert "申诉要写理由" in seller.post(f"/review/{case.id}/appeal", {"reason": " ", "seen": "3"}, 400)
    seller.post(f"/review/{case.id}/appeal", {"reason": "我说了", f"item.{item.id}": "true", "seen": "3"})
    mei = Browser(client, "mei")
    assert "申诉由复核人以外的人终审" in mei.get(f"/review/{case.id}")
    root = Browser(client, "root")
    assert case.id in root.get("/appeals")
    assert "我说了" in root.get(f"/review/{case.id}")
    again = {f"outcome.{item.id}": item.outcome.value, f"reason.{item.id}": "成立"}
    assert "终审要写理由" in root.post(f"/review/{case.id}/settle", {**again, "seen": "4"}, 400)
    root.post(f"/review/{case.id}/settle", {**again, "seen": "4", "reason": "申诉成立"})
    seller = Browser(client, SELLER)
    assert "申诉成立" in seller.get(f"/review/{case.id}")
    assert "已终审" in seller.get("/appeals")


def test_a_seller_asks_for_a_review_of_an_own_call_only(world: World, client: TestClient) -> None:
    mine = store_conversations(world.services.sessions, seller=SELLER)[0].recording.id
    other = store_conversations(world.services.sessions, start=1, seller="lin")[0].recording.id
    seller = Browser(client, SELLER)
    assert f"/appeals/{mine}" in seller.get("/appeals")
    assert "申请复核" in seller.get(f"/appeals/{mine}")
    url = seller.post("/review", {"recording": mine, "reason": "第 3 句我说了"})
    assert "第 3 句我说了" in seller.get(url)
    assert client.get(f"/appeals/{mine}").headers["location"] == url
    seller.get(f"/appeals/{other}", 404)
    seller.post("/review", {"recording": other, "reason": "看看"}, 404)
    seller.get("/review", 403)
    seller.get("/review/plans", 403)


def test_a_plan_is_tried_with_its_mistakes_named_saved_drawn_once_and_put_to_rest(
    world: World, mei: Browser
) -> None:
    yesterday = now() - timedelta(days=1)
    store_conversations(world.services.sessions, 6, started_at=yesterday)
    on = yesterday.astimezone(world.services.reviews.zone).date().isoformat()
    for preset in ("random", "sellers", "doubts", "rule"):
        assert 'class="mistakes' not in mei.get(f"/review/plans/new?preset={preset}")
    wrong = mei.post("/review/plans/try", {"text": PLAN.replace("0.5", "2"), "on": on}, 400)
    assert "第 5 行" in wrong
    assert "draws: [{share: 2}]" in wrong
    tried = mei.post("/review/plans/try", {"text": PLAN, "on": on}, 200)
    assert len(re.findall(r'<td class="is-main"><a href="/recordings/', tried)) == 3
    assert "50%" in tried
    assert mei.get("/review/plans").count("is-main") == 0
    assert mei.post("/review/plans", {"text": PLAN, "active": "true"}) == "/review/plans/daily"
    assert "随机 50%" in mei.get("/review/plans")
    mei.post("/review/plans/daily/draw", {"on": on})
    assert mei.get("/review").count('class="is-main"') == 3
    assert "这一期已经抽过了" in mei.post("/review/plans/daily/draw", {"on": on}, 409)
    today = now().astimezone(world.services.reviews.zone).date().isoformat()
    assert "这一期还没有结束" in mei.post("/review/plans/daily/draw", {"on": today}, 409)
    for day in ("0001-01-01", "9999-12-31"):
        kept = mei.post("/review/plans/try", {"text": PLAN, "on": day}, 400)
        assert ("在能推算的范围内" in kept, "每天抽一半" in kept) == (True, True)
        mei.post("/review/plans/daily/draw", {"on": day}, 400)
    mei.post("/review/plans/daily/rest", {"active": "false"})
    assert "daily @ 2" in mei.get("/review/plans/daily")


def test_a_calibration_shows_others_scores_only_when_it_is_closed(world: World, client: TestClient) -> None:
    calls = [one.recording.id for one in store_conversations(world.services.sessions, 2, seller=SELLER)]
    mei = Browser(client, "mei")
    form = {"title": "周会", "reviewer.mei": "true", **{f"call.{call}": "true" for call in calls}}
    assert "至少选两位复核人" in mei.post("/review/calibration", form, 400)
    path = mei.post("/review/calibration", {**form, "reviewer.root": "true"})
    ids = [item.id for item in DEFINITION.items]
    scores = {f"outcome.{item}": "passed" for item in ids} | {f"reason.{ids[0]}": "听得清楚"}
    assert "每一项都要判定" in mei.post(f"{path}/{calls[0]}", {f"outcome.{ids[0]}": "passed"}, 400)
    assert mei.post(f"{path}/{calls[0]}", scores) == f"{path}/{calls[1]}"
    assert mei.post(f"{path}/{calls[1]}", scores) == path
    root = Browser(client, "root")
    blind = root.get(f"{path}/{calls[0]}")
    assert "听得清楚" not in blind
    assert " checked" not in blind
    assert not re.search(r"data-before|judge--(passed|failed)", blind)
    for call in calls:
        root.post(f"{path}/{call}", {**scores, f"outcome.{ids[0]}": "failed"})
    assert "结束之前" in root.get(path)
    root.post(f"{path}/close", {})
    closed = root.get(path)
    assert "mei ✓ 通过 · root ✗ 未通过" in closed
    assert "完全一致" in closed
    assert client.get(f"{path}/{calls[0]}").headers["location"] == path


@pytest.mark.parametrize(
    "path",
    [
        "/review",
        "/appeals",
        "/review/plans",
        "/review/plans/new",
        "/review/calibration",
        "/review/calibration/new",
    ],
)
def test_pages_come_in_english_too_and_when_empty(mei: Browser, path: str) -> None:
    html = mei.get(f"{path}?lang=en")
    assert '<html lang="en">' in html
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=", html)
