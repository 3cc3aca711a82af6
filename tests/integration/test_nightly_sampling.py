"""Drawing by night: what is due is drawn once, whatever fails beside it."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from reviews import MEI, store_conversations
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.reviews import nightly
from huaxiang.api.reviews.nightly import NightlySampling, nightly_sampling
from huaxiang.api.reviews.suite import Reviews, reviews_of
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.settings import Settings, load_settings
from huaxiang.quality.review.plan_store import SAMPLER
from huaxiang.quality.review.queue import QueueFilters, queue

PLAN = "plan: {name}\ntitle: 抽检\nperiod: day\nseed: 1\ndraws: [{{number: 2}}]\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


@pytest.fixture
def reviews(settings: Settings) -> Reviews:
    return reviews_of(settings)


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the night think that it is the day after tomorrow: today's period is over and settled."""
    monkeypatch.setattr(nightly, "now", lambda: now() + timedelta(days=2))


def cases(sessions: sessionmaker[Session]) -> int:
    with transaction(sessions) as session:
        return len(queue(session, QueueFilters()).cases)


@pytest.mark.usefixtures("tomorrow")
def test_two_servers_draw_a_period_once(sessions: sessionmaker[Session], reviews: Reviews) -> None:
    store_conversations(sessions, 5, started_at=now())
    with transaction(sessions) as session:
        reviews.plans.save(session, PLAN.format(name="daily"), MEI)
    first, second = (NightlySampling(reviews.sampler, sessions) for _ in range(2))
    drawn = first.draw_due()
    assert sum(len(one.sample.picks) for one in drawn) == 2
    assert second.draw_due() == []
    assert cases(sessions) == 2
    with transaction(sessions) as session:
        assert {past.created_by for past in reviews.plans.past(session)} == {SAMPLER.name}


@pytest.mark.usefixtures("tomorrow")
def test_a_plan_that_cannot_be_drawn_holds_up_no_other(
    sessions: sessionmaker[Session], reviews: Reviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_conversations(sessions, 5, started_at=now())
    with transaction(sessions) as session:
        for name in ("a", "b"):
            reviews.plans.save(session, PLAN.format(name=name), MEI)
    draw = reviews.sampler.draw

    class Failing:
        due = staticmethod(reviews.sampler.due)

        @staticmethod
        def draw(session: Session, stored, *rest):  # type: ignore[no-untyped-def]
            if stored.plan.name == "a":
                raise NotFound("the scorecard is gone")
            return draw(session, stored, *rest)

    night = NightlySampling(Failing(), sessions)  # type: ignore[arg-type]
    assert {one.plan for one in night.draw_due()} == {"b"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("tomorrow")
def test_it_draws_while_a_server_runs_and_ends_with_it(
    sessions: sessionmaker[Session], settings: Settings, reviews: Reviews
) -> None:
    store_conversations(sessions, 5, started_at=now())
    with transaction(sessions) as session:
        reviews.plans.save(session, PLAN.format(name="daily"), MEI)
    end = time.monotonic() + 10
    with nightly_sampling(settings, sessions):
        while not cases(sessions) and time.monotonic() < end:
            time.sleep(0.02)
    assert cases(sessions) == 2
    assert "sampling" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_looked_up_once_is_looked_up_again(
    sessions: sessionmaker[Session], reviews: Reviews
) -> None:
    asked = threading.Event()

    class Failing:
        tries = 0

        def due(self, *_: object) -> list[object]:
            self.tries += 1
            if self.tries == 1:
                raise NotFound("the plan cannot be read")
            asked.set()
            return []

    with NightlySampling(Failing(), sessions, every_s=0.01):  # type: ignore[arg-type]
        assert asked.wait(10)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_can_be_switched_off(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    off = load_settings(data_dir=tmp_path, review={"sampling": False})
    with nightly_sampling(off, sessions):
        assert "sampling" not in {thread.name for thread in threading.enumerate()}
