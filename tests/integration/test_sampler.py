"""Drawing by plans over stored calls: whole periods, once, and those that were missed too."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from reviews import DEFINITION, MEI, shipped, store_conversations
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.reviews import sampler as sampling
from huaxiang.api.reviews.candidates import candidates
from huaxiang.api.reviews.suite import Reviews, build_reviews
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.quality.review.plan import Period, PeriodLength, period_at
from huaxiang.quality.review.plan_store import SAMPLER
from huaxiang.quality.review.queue import QueueFilters, queue

ZONE = ZoneInfo("Asia/Shanghai")
DAILY = """\
plan: daily
title: 每天抽一半
period: day
seed: 7
draws: [{share: 0.5}]
reviewers: [mei, lao.li]
"""


@pytest.fixture
def reviews() -> Reviews:
    return build_reviews(ZONE, SellerStore().team_of, shipped)


def test_a_periods_candidates_are_its_calls_with_their_main_score(
    sessions: sessionmaker[Session], reviews: Reviews
) -> None:
    calls = store_conversations(sessions, 24)
    with transaction(sessions) as session:
        SellerStore().add(session, "he.yun", SellerValues(team="电话一组"), by="mei")
        moment = calls[0].recording.metadata.started_at
        assert moment is not None
        week = period_at(PeriodLength.WEEK, moment, ZONE)
        found = candidates(session, week, None, reviews.sampler._teams_of(session))
    inside = {
        call.recording.id: call
        for call in calls
        if week.start <= (call.recording.metadata.started_at or moment) < week.end
    }
    assert 0 < len(inside) < len(calls)
    assert {one.recording_id for one in found} == set(inside)
    for one in found:
        call = inside[one.recording_id]
        assert one.definition == DEFINITION.reference
        assert one.seller == call.recording.metadata.seller
        assert one.team == ("电话一组" if one.seller == "he.yun" else None)
        assert one.setting is call.recording.metadata.setting
        assert one.duration_ms == call.transcript.duration_ms
        assert set(one.items) == {item.id for item in DEFINITION.items}


def test_a_plan_that_names_a_scorecard_draws_only_calls_scored_by_it(
    sessions: sessionmaker[Session],
) -> None:
    store_conversations(sessions, 3)
    ever = Period(now() - timedelta(days=3650), now())
    with transaction(sessions) as session:
        assert len(candidates(session, ever, DEFINITION.id, {})) == 3
        assert candidates(session, ever, "another", {}) == []


def test_a_period_is_drawn_when_it_is_over_and_a_dry_run_writes_nothing(
    sessions: sessionmaker[Session], reviews: Reviews
) -> None:
    held_at = now() - timedelta(days=1)
    store_conversations(sessions, 6, started_at=held_at)
    with transaction(sessions) as session:
        stored = reviews.plans.save(session, DAILY, MEI)
        day = reviews.sampler.period(stored, held_at)
        with pytest.raises(Conflict):
            reviews.sampler.draw(session, stored, day, MEI, day.end - timedelta(seconds=1))
        proposal = reviews.sampler.propose(session, stored, day)
        assert queue(session, QueueFilters()).cases == ()
        drawing = reviews.sampler.draw(session, stored, day, MEI, day.end)
        assert drawing.sample == proposal.drawing.sample
        assert (drawing.sample.population, len(drawing.sample.picks)) == (6, 3)
        assert len(queue(session, QueueFilters()).cases) == 3
        with pytest.raises(Conflict):
            reviews.sampler.draw(session, stored, day, MEI, day.end)


def test_the_night_draws_what_is_due_and_catches_up_but_not_before_the_plan_was_there(
    sessions: sessionmaker[Session], reviews: Reviews
) -> None:
    with transaction(sessions) as session:
        stored = reviews.plans.save(session, DAILY, MEI)
        today = reviews.sampler.period(stored, now())
        assert reviews.sampler.due(session, today.end) == []
        early = today.end + sampling.SETTLE - timedelta(seconds=1)
        assert reviews.sampler.due(session, early) == []
        later = today.end + timedelta(days=2) + sampling.SETTLE
        due = reviews.sampler.due(session, later)
        assert [period.start - today.start for _, period in due] == [timedelta(days=n) for n in range(3)]
        for plan, period in due:
            reviews.sampler.draw(session, plan, period, SAMPLER, later)
        assert reviews.sampler.due(session, later) == []


def test_a_plan_that_is_put_to_rest_is_not_drawn_by_night(
    sessions: sessionmaker[Session], reviews: Reviews
) -> None:
    with transaction(sessions) as session:
        reviews.plans.save(session, DAILY, MEI, active=False)
        assert reviews.sampler.due(session, now() + timedelta(days=3)) == []
        stored = reviews.plans.save(session, DAILY, MEI)
        (due, *_) = reviews.sampler.due(session, now() + timedelta(days=2))
        assert due[0].version == stored.version == 2


def test_after_a_long_rest_only_the_last_periods_are_drawn(
    sessions: sessionmaker[Session], reviews: Reviews
) -> None:
    with transaction(sessions) as session:
        reviews.plans.save(session, DAILY, MEI)
        assert len(reviews.sampler.due(session, now() + timedelta(days=40))) == sampling.LOOK_BACK
