"""Intervals, effects and tests for small samples; ``docs/coaching.md`` has each formula with its source.

Pure functions over plain numbers. An interval is of 95 % where nothing else is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
POWER = 0.80
_Z: float = float(stats.norm.ppf((1 + LEVEL) / 2))
_Z_POWER: float = float(stats.norm.ppf(POWER))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, how many observations it stands on, and its interval, None where there are too few."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two groups, its interval, and the probability of one as large by chance."""

    value: float
    low: float | None
    high: float | None
    p: float | None


def rate(hits: int, n: int) -> Estimate | None:
    """Return a share with Wilson's interval (1927), None of nothing.

    The interval stays within 0 and 1 and is never empty of width, also at 0 of n and n of n.
    """
    if n == 0:
        return None
    low, high = wilson(hits, n)
    return Estimate(hits / n, n, low, high)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's score interval of ``hits`` of ``n`` (n > 0)."""
    share, square = hits / n, _Z * _Z
    middle = share + square / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = (middle - reach) / (1 + square / n), (middle + reach) / (1 + square / n)
    # Rounding must not push a bound past the share itself at 0 of n and at n of n.
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def mean(values: Sequence[float], bounds: tuple[float, float] = (-math.inf, math.inf)) -> Estimate | None:
    """Return the mean with Student's t interval, None of nothing; one value alone has no interval.

    ``bounds`` are the least and the most that a value can be: the interval of a few stays within.
    """
    if not values:
        return None
    middle, n = fmean(values), len(values)
    if n < 2:
        return Estimate(middle, n)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * stdev(values) / math.sqrt(n)
    least, most = bounds
    return Estimate(middle, n, max(middle - reach, least), min(middle + reach, most))


def difference_of_rates(hits: int, n: int, other_hits: int, other_n: int) -> Difference | None:
    """Return ``hits/n − other_hits/other_n`` with Newcombe's interval (1998, method 10) and Fisher's p.

    None where one of the groups is empty.
    """
    if n == 0 or other_n == 0:
        return None
    first, second = hits / n, other_hits / other_n
    (low, high), (other_low, other_high) = wilson(hits, n), wilson(other_hits, other_n)
    value = first - second
    table = [[hits, n - hits], [other_hits, other_n - other_hits]]
    return Difference(
        value,
        value - math.hypot(first - low, other_high - second),
        value + math.hypot(high - first, second - other_low),
        float(stats.fisher_exact(table).pvalue),
    )


def difference_of_means(values: Sequence[float], others: Sequence[float]) -> Difference | None:
    """Return the difference of two means with Welch's interval and the p of Mann and Whitney's test.

    The test compares ranks, so that one endless call does not decide. None where a group has nothing;
    without an interval where one has fewer than two values.
    """
    if not values or not others:
        return None
    value = fmean(values) - fmean(others)
    p = rank_test(values, others)
    if len(values) < 2 or len(others) < 2:
        return Difference(value, None, None, p)
    first, second = stdev(values) ** 2 / len(values), stdev(others) ** 2 / len(others)
    if first + second == 0:
        return Difference(value, value, value, p)
    freedom = (first + second) ** 2 / (first**2 / (len(values) - 1) + second**2 / (len(others) - 1))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(first + second)
    return Difference(value, value - reach, value + reach, p)


def rank_test(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the two-sided p of Mann and Whitney's test, 1 where all values are the same."""
    if len({*values, *others}) == 1:
        return 1.0
    return float(stats.mannwhitneyu(values, others, alternative="two-sided").pvalue)


def cliffs_delta(values: Sequence[float], others: Sequence[float]) -> Estimate:
    """Return Cliff's delta (1993): how much oftener a value is above one of ``others`` than below, −1…1.

    Its interval is the asymmetric one of Feng and Cliff (2004), of the unbiased estimate of the variance
    of dominance, and where the groups do not overlap at all, Wilson's of the smaller group; none where a
    group has fewer than two values. Of yes-or-no values it is the
    difference of the two shares.
    """
    first, second = np.asarray(values, dtype=np.float64), np.asarray(others, dtype=np.float64)
    above = _dominance(first, second)
    below = -_dominance(second, first)
    delta = float(above.mean())
    n, m = len(first), len(second)
    if n < 2 or m < 2:
        return Estimate(delta, n + m)
    if abs(delta) == 1:  # the formula has no width here; as many agree as the smaller group has values
        inner = 2 * wilson(min(n, m), min(n, m))[0] - 1
        return Estimate(delta, n + m, *((inner, 1.0) if delta > 0 else (-1.0, -inner)))
    variance = _variance_of_delta(above, below, _share_of_unequal(first, second), delta)
    quantile = float(stats.norm.ppf((1 + LEVEL) / 2))
    reach = quantile * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + quantile**2 * variance)
    middle, below_line = delta - delta**3, 1 - delta**2 + quantile**2 * variance
    low, high = (middle - reach) / below_line, (middle + reach) / below_line
    return Estimate(delta, n + m, max(-1.0, min(low, delta)), min(1.0, max(high, delta)))


def _dominance(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each value the mean sign of its difference to the others, by their order."""
    ordered = np.sort(others)
    smaller = np.searchsorted(ordered, values, side="left")
    larger = len(others) - np.searchsorted(ordered, values, side="right")
    result: NDArray[np.float64] = (smaller - larger) / len(others)
    return result


def _share_of_unequal(values: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    ordered = np.sort(others)
    equal = np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values, side="left")
    return 1.0 - float(equal.sum()) / (len(values) * len(others))


def _variance_of_delta(
    above: NDArray[np.float64], below: NDArray[np.float64], unequal: float, delta: float
) -> float:
    """Return the unbiased variance of delta, and never less than what one pair could hide."""
    n, m = len(above), len(below)
    by_row = float(((above - delta) ** 2).sum())
    by_column = float(((below - delta) ** 2).sum())
    by_pair = n * m * (unequal - delta**2)
    variance = (m**2 * by_row + n**2 * by_column - by_pair) / (n * m * (n - 1) * (m - 1))
    return max(variance, (1 - delta**2) / (n * m - 1))


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p of each test by Benjamini and Hochberg (1995)."""
    if not p_values:
        return []
    return [float(value) for value in stats.false_discovery_control(p_values, method="bh")]


def conversations_needed(share: float, delta: float) -> int:
    """Return how many observations show a difference of ``delta`` at p 0.05 with a power of 0.80.

    Noether (1987) for Mann and Whitney's test, where ``share`` of them (0 < share < 1) are in the first
    group: N = (z₀.₉₇₅ + z₀.₈)² / (3·share·(1 − share)·delta²), as P(X > Y) − ½ = delta / 2.
    """
    return math.ceil((_Z + _Z_POWER) ** 2 / (3 * share * (1 - share) * delta**2))
