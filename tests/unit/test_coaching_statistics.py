"""The statistics of coaching against published values and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from huaxiang.profile.coaching.statistics import (
    cliffs_delta,
    conversations_needed,
    difference_of_means,
    difference_of_rates,
    false_discovery,
    mean,
    rate,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_newcombes_interval_is_the_published_one(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = difference_of_rates(*first, *second)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_students_interval_is_that_of_scipy() -> None:
    values = [5.1, 4.9, 6.2, 5.7, 5.5]
    found = mean(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high))


def test_the_interval_of_a_few_scores_stays_where_scores_can_be() -> None:
    found = mean([0.0, 90.0], (0.0, 100.0))
    assert found is not None
    assert (found.value, found.low, found.high) == (45.0, 0.0, 100.0)


def test_welchs_interval_is_that_of_scipy() -> None:
    first, second = [3.0, 4.0, 5.5, 6.1, 2.2], [1.0, 2.5, 2.0]
    found = difference_of_means(first, second)
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_what_stands_on_nothing_is_not_estimated() -> None:
    assert rate(0, 0) is None
    assert mean([]) is None
    assert difference_of_means([], [1.0]) is None
    assert difference_of_rates(0, 0, 1, 2) is None
    alone = mean([3.0])
    assert alone is not None
    assert (alone.value, alone.low, alone.high) == (3.0, None, None)


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=12), st.lists(st.integers(0, 6), min_size=1, max_size=12)
)
def test_cliffs_delta_is_counted_pair_by_pair_and_stays_in_its_interval(
    first: list[int], second: list[int]
) -> None:
    found = cliffs_delta(first, second)
    pairs = [(a > b) - (a < b) for a in first for b in second]
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    if found.low is not None and found.high is not None:
        assert -1 <= found.low <= found.value <= found.high <= 1


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_cliffs_delta_of_yes_or_no_is_the_difference_of_the_shares(
    n: int, m: int, data: st.DataObject
) -> None:
    hits, other = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = cliffs_delta([1.0] * hits + [0.0] * (n - hits), [1.0] * other + [0.0] * (m - other))
    assert found.value == pytest.approx(hits / n - other / m)


def test_the_interval_of_cliffs_delta_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    truth = 2 * stats.norm.cdf(0.5 / np.sqrt(2)) - 1
    covered = 0
    for _ in range(300):
        found = cliffs_delta(rng.normal(0.5, 1, 25).tolist(), rng.normal(0, 1, 40).tolist())
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 300 <= 0.99


def test_as_many_conversations_as_are_asked_for_show_the_difference_four_times_in_five() -> None:
    rng = np.random.default_rng(11)
    n, delta = conversations_needed(0.4, 0.3), 0.3
    shift = float(stats.norm.ppf((1 + delta) / 2) * np.sqrt(2))
    won = round(0.4 * n)
    found = sum(
        stats.mannwhitneyu(rng.normal(shift, 1, won), rng.normal(0, 1, n - won)).pvalue < 0.05
        for _ in range(400)
    )
    assert 0.74 <= found / 400 <= 0.87


def test_the_adjustment_is_that_of_benjamini_and_hochberg() -> None:
    assert false_discovery([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert false_discovery([]) == []
