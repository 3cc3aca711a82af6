"""Proportions with intervals, from samples whose members stand for different numbers of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z_95 = 1.959964
"""Two-sided 95 %."""
Z_BOTH_95 = 2.241403
"""Two-sided 97.5 %: two such intervals hold together with at least 95 % (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """An estimate with its interval; ``effective`` is the size of a plain sample that tells as much."""

    estimate: float
    low: float
    high: float
    n: int
    effective: float


def wilson(share: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Return Wilson's score interval (Wilson 1927) for a share observed in a sample of size ``n`` > 0."""
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the bound is the end itself; the formula misses it by the last bit.
    low = 0.0 if share <= 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if share >= 1 else min(1.0, (centre + spread) / scale)
    return low, high


def weighted(outcomes: Sequence[tuple[bool, float]], z: float = Z_95) -> Proportion | None:
    """Estimate a share from outcomes drawn with known probabilities (0–1]; None from none.

    Each stands for 1/probability of its kind (Hájek's estimator). The interval is Wilson's for the
    effective sample size of Kish, (Σw)² / Σw².
    """
    if not outcomes:
        return None
    weights = [1 / probability for _, probability in outcomes]
    total = sum(weights)
    share = sum(weight for (hit, _), weight in zip(outcomes, weights, strict=True) if hit) / total
    effective = total * total / sum(weight * weight for weight in weights)
    low, high = wilson(share, effective, z)
    return Proportion(share, low, high, len(outcomes), effective)


def stratified(
    known: Sequence[bool], drawn: Sequence[tuple[bool, float]], population: int, z: float = Z_95
) -> Proportion | None:
    """Estimate the share in a population of which some members are known for themselves.

    ``known`` are those who were looked at for a reason of their own (appealed, chosen): each counts once.
    ``drawn`` were drawn with their probabilities and stand for all the others. None where the others are
    not represented by anybody.
    """
    others = population - len(known)
    hits = sum(known)
    if others <= 0:
        if not known:
            return None
        share = hits / len(known)
        return Proportion(share, share, share, len(known), float(len(known)))
    rest = weighted(drawn, z)
    if rest is None:
        return None

    def whole(share: float) -> float:
        return (hits + others * share) / population

    return Proportion(
        whole(rest.estimate), whole(rest.low), whole(rest.high), len(known) + rest.n, rest.effective
    )


def two_sided_p(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the p-value that two shares (hits, n) are the same: the pooled two-proportion z-test."""
    (hits_a, n_a), (hits_b, n_b) = first, second
    if not n_a or not n_b:
        return 1.0
    pooled = (hits_a + hits_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    if variance <= 0:
        return 1.0
    return math.erfc(abs(hits_a / n_a - hits_b / n_b) / math.sqrt(2 * variance))


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted so that the false discovery rate is held (Benjamini & Hochberg 1995)."""
    count = len(p_values)
    order = sorted(range(count), key=lambda place: p_values[place], reverse=True)
    adjusted = [1.0] * count
    least = 1.0
    for rank, place in zip(range(count, 0, -1), order, strict=True):
        least = min(least, p_values[place] * count / rank)
        adjusted[place] = least
    return adjusted
