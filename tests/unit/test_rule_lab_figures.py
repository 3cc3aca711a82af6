"""What the lab says of a rule: precision and recall from reviews, with intervals that can be trusted."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.quality.history.lab import Occurrence, item_figures, suggests
from huaxiang.quality.history.proportions import false_discovery, stratified, two_sided_p, weighted, wilson
from huaxiang.quality.review.outcomes import Origin, Outcome
from huaxiang.quality.review.queue import JudgedItem

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 9, 7, 4, tzinfo=UTC)


def call(number: int, passed: bool | None, *, week: int = 0) -> Occurrence:
    return Occurrence(f"r{number}", MONDAY + timedelta(weeks=week, minutes=number), passed)


def review(number: int, automatic: bool | None, judged: bool | None, probability: float | None) -> JudgedItem:
    said = {True: Outcome.PASSED, False: Outcome.FAILED, None: Outcome.NOT_APPLICABLE}
    origin = Origin.SELLER if probability is None else Origin.SAMPLED
    return JudgedItem(
        f"r{number}", "c @ 1", "item", said[automatic], said[judged], False, origin, probability, None, MONDAY
    )


def test_wilsons_interval_is_that_of_the_literature() -> None:
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 1.0)), min_size=1, max_size=60))
def test_a_weighted_share_lies_within_its_interval_and_weighs_no_more_than_its_sample(
    outcomes: list[tuple[bool, float]],
) -> None:
    share = weighted(outcomes)
    assert share is not None
    assert 0 <= share.low <= share.estimate <= share.high <= 1
    assert share.effective <= len(outcomes) + 1e-9


def test_calls_drawn_seldom_stand_for_many() -> None:
    share = weighted([(True, 1.0), (False, 0.1)])
    assert share is not None
    assert share.estimate == pytest.approx(1 / 11)
    assert share.effective == pytest.approx(121 / 101)


def test_what_was_appealed_stands_for_itself_alone() -> None:
    share = stratified([False, False], [(True, 0.5)] * 10, population=100)
    assert share is not None
    assert share.estimate == pytest.approx(0.98)
    assert share.high == pytest.approx(0.98)
    assert stratified([False], [], population=100) is None, "nobody stands for the other 99"


def test_precision_and_recall_of_a_known_history_lie_within_their_intervals() -> None:
    """400 hits of which 320 are right, 600 others of which 60 were missed; hits are drawn more often."""
    rng = random.Random(3)
    inside = 0
    for _ in range(40):
        calls, reviews = [], []
        for number in range(1000):
            hit = number < 400
            wrong = number % 5 == 0 if hit else number % 10 == 0
            calls.append(call(number, not hit))
            probability = 0.3 if hit else 0.1
            if rng.random() < probability:
                fails = hit is not wrong
                reviews.append(review(number, not hit, not fails, probability))
        figures = item_figures(calls, reviews, ZONE)
        assert figures.precision is not None
        assert figures.recall is not None
        inside += figures.precision.low <= 0.8 <= figures.precision.high
        inside += figures.recall.low <= 320 / 380 <= figures.recall.high
    assert inside >= 0.9 * 80


def test_without_a_sample_of_calls_that_it_passes_there_is_no_recall() -> None:
    calls = [call(number, passed=number >= 10) for number in range(100)]
    reviews = [review(number, False, False, 0.5) for number in range(8)]
    figures = item_figures(calls, reviews, ZONE)
    assert figures.precision is not None
    assert figures.recall is None
    assert (figures.reviewed_hits, figures.reviewed_others) == (8, 0)


def test_reviews_that_were_only_asked_for_say_so_and_decide_nothing() -> None:
    calls = [call(number, passed=number >= 50) for number in range(100)]
    reviews = [review(number, False, True, None) for number in range(30)]
    figures = item_figures(calls, reviews, ZONE)
    assert figures.basis == "chosen"
    assert figures.overturned == 30
    assert not suggests(figures, 0.85)


@pytest.mark.parametrize(
    ("right", "wrong", "under"),
    [(0, 0, False), (5, 1, False), (0, 5, True), (24, 6, True), (27, 3, False), (19, 1, False), (3, 4, True)],
)
def test_an_item_suggests_where_it_is_surely_wrong_too_often_or_often_enough_seen_to_be(
    right: int, wrong: int, under: bool
) -> None:
    calls = [call(number, passed=number >= 500) for number in range(1000)]
    reviews = [review(number, False, number >= right, 0.1) for number in range(right + wrong)]
    assert suggests(item_figures(calls, reviews, ZONE), 0.85) is under


def test_weeks_begin_on_monday_where_the_company_is_and_drift_is_seen() -> None:
    sunday_night = Occurrence("late", datetime(2026, 9, 13, 17, tzinfo=UTC), None)  # Monday 01:00 in Shanghai
    calls = [call(number, passed=number % 10 != 0, week=number // 100) for number in range(600)]
    calls += [call(1000 + number, passed=number % 2 == 0, week=6 + number // 50) for number in range(100)]
    figures = item_figures([*calls, sunday_night], [], ZONE)
    assert [week.monday.isoformat() for week in figures.weeks][:2] == ["2026-09-07", "2026-09-14"]
    assert figures.weeks[1].applicable == 100
    assert figures.recent_rate == pytest.approx(0.5)
    assert figures.earlier_rate == pytest.approx(0.1)
    assert figures.drift_p < 1e-6


def test_a_rule_that_never_fires_is_told_from_one_that_seldom_applies() -> None:
    assert item_figures([call(n, passed=True) for n in range(40)], [], ZONE).never_fires
    assert not item_figures([call(n, passed=True) for n in range(10)], [], ZONE).never_fires
    assert item_figures([call(n, passed=False) for n in range(40)], [], ZONE).always_fires


def test_false_discoveries_are_held_as_benjamini_and_hochberg_do() -> None:
    adjusted = false_discovery([0.01, 0.04, 0.03, 0.5])
    assert adjusted == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert two_sided_p((5, 100), (5, 100)) == pytest.approx(1.0)
    assert two_sided_p((0, 0), (5, 100)) == 1.0
