"""Sampling plans: what they say, what they draw, and with which probability."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import InvalidRules
from huaxiang.core.types import Setting
from huaxiang.quality.review.outcomes import Outcome
from huaxiang.quality.review.plan import (
    Among,
    Candidate,
    Draw,
    Period,
    PeriodLength,
    Plan,
    SampledItem,
    last_whole_period,
    load_plan,
    parse_plan,
    period_at,
)
from huaxiang.quality.review.sampling import Pick, assign, draw

WEEK = Period(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
TEXT = """\
plan: phone-weekly
title: 电话每周抽检
period: week
seed: 7
scorecard: general-sales
among: {settings: [phone], sellers: [he.yun, lu.qiao], min_duration_s: 60}
draws:
  - {share: 0.05}
  - {per_seller: 3}
  - {items: [overpromise, rude], share: 1}
  - {low_confidence: 0.7, number: 10}
  - {for_review: true, number: 5}
reviewers: [mei, lao.li]
"""


def plan(*draws: Draw, seed: int = 7, among: Among | None = None) -> Plan:
    return Plan("p", "P", PeriodLength.WEEK, seed, draws, among or Among())


def calls(number: int = 60) -> list[Candidate]:
    found = []
    for place in range(number):
        failed = Outcome.FAILED if place % 6 == 0 else Outcome.PASSED
        items = {
            "rude": SampledItem(failed, 0.95, False),
            "greeting": SampledItem(Outcome.PASSED, 0.6 if place % 5 == 0 else 0.9, place % 10 == 0),
        }
        at = WEEK.start + timedelta(hours=place)
        setting = Setting.PHONE if place % 2 else Setting.ONSITE
        found.append(
            Candidate(
                f"r{place:03}",
                "general-sales @ 1",
                f"s{place % 4}",
                f"t{place % 2}",
                setting,
                at,
                90_000,
                items,
            )
        )
    return found


def test_a_plan_is_read_with_all_its_parts() -> None:
    read = load_plan(TEXT)
    assert (read.name, read.period, read.seed, read.scorecard) == ("phone-weekly", "week", 7, "general-sales")
    assert read.among == Among(
        frozenset({Setting.PHONE}), frozenset({"he.yun", "lu.qiao"}), frozenset(), 60_000
    )
    assert read.draws == (
        Draw(share=0.05),
        Draw(per_seller=3),
        Draw(share=1, items=("overpromise", "rude"), outcome=Outcome.FAILED),
        Draw(number=10, low_confidence=0.7),
        Draw(number=5, for_review=True),
    )


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (TEXT.replace("share: 0.05", "share: 0"), 8),
        (TEXT.replace("{share: 0.05}", "{share: 0.05, number: 3}"), 8),
        (TEXT.replace("period: week", "period: fortnight"), 3),
        (TEXT.replace("phone-weekly", "phone weekly"), 1),
        (TEXT.replace("[phone]", "[street]"), 6),
        (TEXT.replace("per_seller: 3", "per_seller: 0.5"), 9),
        (TEXT.replace("for_review", "for_revue"), 12),
    ],
)
def test_every_mistake_has_its_line(wrong: str, line: int) -> None:
    mistakes = parse_plan(wrong)[1]
    assert [mistake.line for mistake in mistakes][:1] == [line]
    with pytest.raises(InvalidRules, match=f"line {line}"):
        load_plan(wrong)


@given(st.text(max_size=200))
def test_no_text_stops_the_reader(text: str) -> None:
    parse_plan(text)


def test_the_same_plan_draws_the_same_calls_in_whatever_order_they_come() -> None:
    one = plan(Draw(share=0.2), Draw(per_seller=2))
    first = draw(one, calls(), WEEK)
    assert draw(one, reversed(calls()), WEEK) == first
    assert {pick.recording_id for pick in draw(replace(one, seed=8), calls(), WEEK).picks} != {
        pick.recording_id for pick in first.picks
    }


def test_only_calls_of_the_period_and_of_the_plan_are_drawn() -> None:
    late = replace(calls(1)[0], recording_id="late", at=WEEK.end)
    sample = draw(plan(Draw(share=1)), [*calls(), late], WEEK)
    assert sample.population == 60
    among = Among(settings=frozenset({Setting.PHONE}), sellers=frozenset({"s1"}), teams=frozenset({"t1"}))
    picked = draw(plan(Draw(share=1), among=among), calls(), WEEK).picks
    assert {pick.recording_id for pick in picked} == {f"r{place:03}" for place in range(1, 60, 4)}
    assert draw(plan(Draw(share=1), among=Among(min_duration_ms=90_001)), calls(), WEEK).picks == ()


def test_hits_low_confidence_review_and_sellers_are_strata_of_their_own() -> None:
    hits = draw(plan(Draw(share=1, items=("rude",), outcome=Outcome.FAILED)), calls(), WEEK)
    assert len(hits.picks) == 10
    unsure = draw(plan(Draw(number=100, low_confidence=0.7)), calls(), WEEK)
    assert len(unsure.picks) == 12
    assert {pick.probability for pick in unsure.picks} == {1.0}
    left = draw(plan(Draw(number=3, for_review=True)), calls(), WEEK)
    assert {pick.probability for pick in left.picks} == {0.5}
    sellers = draw(plan(Draw(per_seller=3)), calls(), WEEK)
    chosen = {one.recording_id: one.seller for one in calls()}
    assert Counter(chosen[pick.recording_id] for pick in sellers.picks) == {f"s{n}": 3 for n in range(4)}
    assert {round(pick.probability, 9) for pick in sellers.picks} == {0.2}


def test_a_call_is_drawn_as_often_as_its_probability_says() -> None:
    draws = (Draw(share=0.11), Draw(number=4), Draw(share=0.5, items=("rude",), outcome=Outcome.FAILED))
    rounds = 1500
    found: Counter[str] = Counter()
    said: dict[str, float] = {}
    everything = calls(30)
    for seed in range(rounds):
        for pick in draw(plan(*draws, seed=seed), everything, WEEK).picks:
            found[pick.recording_id] += 1
            said[pick.recording_id] = pick.probability
    for one in everything:
        hit = one.items["rude"].outcome is Outcome.FAILED
        expected = 1 - (1 - 0.11) * (1 - 4 / 30) * (0.5 if hit else 1)
        assert said[one.recording_id] == pytest.approx(expected)
        spread = (expected * (1 - expected) / rounds) ** 0.5
        assert abs(found[one.recording_id] / rounds - expected) < 4.5 * spread


def test_calls_are_shared_out_evenly_and_nobody_gets_an_own_call() -> None:
    picks = [Pick(f"r{place}", 0.5, (1,)) for place in range(9)]
    sellers: dict[str, str | None] = {pick.recording_id: "mei" for pick in picks[:3]}
    found = assign(picks, sellers, ["mei", "lao.li", "xu"])
    assert all(found[key] != "mei" for key in sellers)
    assert max(Counter(found.values()).values()) - min(Counter(found.values()).values()) <= 1
    assert assign(picks, dict.fromkeys(sellers, "mei"), ["mei"]).keys().isdisjoint(sellers)


def test_periods_follow_the_calendar_of_the_place() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    night = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # Monday 00:30 in Shanghai
    week = period_at(PeriodLength.WEEK, night, zone)
    assert (week.start.date().isoformat(), week.end.date().isoformat()) == ("2026-11-23", "2026-11-30")
    assert last_whole_period(PeriodLength.WEEK, night, zone).end == week.start
    month = last_whole_period(PeriodLength.MONTH, datetime(2026, 3, 1, tzinfo=UTC), zone)
    assert (month.start.day, (month.end - month.start).days) == (1, 28)


def test_every_moment_lies_in_exactly_one_period() -> None:
    zone = ZoneInfo("Europe/Berlin")  # with days of 23 and 25 hours
    for length in PeriodLength:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        for _ in range(800):
            found = period_at(length, moment, zone)
            assert found.start <= moment < found.end
            moment += timedelta(hours=13)
