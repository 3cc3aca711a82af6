"""Krippendorff's alpha: how far reviewers agree beyond chance, with an interval and the size it stands on.

Krippendorff, K. (2011). Computing Krippendorff's Alpha-Reliability. α = 1 − Dₒ/Dₑ, from the matrix of
coincidences of pairable values; missing values are left out, not guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Unit: TypeAlias = Mapping[str, float]
"""What each reviewer said of one thing; who said nothing is not in it."""
BOOTSTRAPS = 1000
INTERVAL = 0.95


class Level(StrEnum):
    """The level of measurement: names (passed, failed, …) or numbers with distances (points)."""

    NOMINAL = "nominal"
    INTERVAL = "interval"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Alpha with its interval.

    ``alpha`` is None where nothing can be said: no thing that two people judged, or everybody always
    said the same one value, so that there is nothing to agree beyond chance about. ``units`` counts the
    things that two or more judged, ``values`` what they said of them; ``unanimous`` is the share of
    units in which all said the same.
    """

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    values: int
    unanimous: float | None


def krippendorff_alpha(units: Sequence[Unit], level: Level) -> float | None:
    """Return alpha over units; None where it is not defined (see ``Agreement``)."""
    coincidences, values = _coincidences(_pairable(units))
    return _alpha(coincidences, values, level)


def agreement(units: Sequence[Unit], level: Level, *, seed: int = 1) -> Agreement:
    """Return alpha with a percentile bootstrap interval over units.

    The things judged are drawn anew with replacement, so the interval says how far the figure would
    move with other calls. Needs three or more units; the same input gives the same interval.
    """
    pairable = _pairable(units)
    per_unit, values = _per_unit(pairable)
    alpha = _alpha(per_unit.sum(axis=0), values, level)
    low = high = None
    if alpha is not None and len(pairable) >= 3:
        low, high = _bootstrap(per_unit, values, level, seed)
    same = sum(len(set(unit.values())) == 1 for unit in pairable)
    return Agreement(
        alpha=alpha,
        low=low,
        high=high,
        units=len(pairable),
        values=sum(len(unit) for unit in pairable),
        unanimous=same / len(pairable) if pairable else None,
    )


def _bootstrap(
    per_unit: NDArray[Any], values: NDArray[Any], level: Level, seed: int
) -> tuple[float | None, float | None]:
    rng = np.random.default_rng(seed)
    count = len(per_unit)
    drawn = [
        _alpha(per_unit[rng.integers(0, count, count)].sum(axis=0), values, level) for _ in range(BOOTSTRAPS)
    ]
    # A draw without any variation is full agreement as far as it goes.
    alphas = [1.0 if alpha is None else alpha for alpha in drawn]
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(alphas, [tail, 1 - tail])
    return float(low), float(high)


def _pairable(units: Sequence[Unit]) -> list[Unit]:
    return [unit for unit in units if len(unit) >= 2]


def _coincidences(units: Sequence[Unit]) -> tuple[NDArray[Any], NDArray[Any]]:
    per_unit, values = _per_unit(units)
    return per_unit.sum(axis=0), values


def _per_unit(units: Sequence[Unit]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return each unit's matrix of coincidences, and the values that its rows stand for."""
    values = np.array(sorted({value for unit in units for value in unit.values()}), dtype=float)
    place = {value: index for index, value in enumerate(values.tolist())}
    found = np.zeros((len(units), len(values), len(values)))
    for number, unit in enumerate(units):
        counts = np.zeros(len(values))
        for value in unit.values():
            counts[place[value]] += 1
        pairs = np.outer(counts, counts) - np.diag(counts)
        found[number] = pairs / (len(unit) - 1)
    return found, values


def _alpha(coincidences: NDArray[Any], values: NDArray[Any], level: Level) -> float | None:
    if len(values) == 0:
        return None
    totals = coincidences.sum(axis=1)
    n = totals.sum()
    if n <= 1:
        return None
    if level is Level.NOMINAL:
        distance = 1.0 - np.eye(len(values))
    else:
        distance = (values[:, None] - values[None, :]) ** 2
    expected = (np.outer(totals, totals) * distance).sum() / (n - 1)
    if expected == 0:
        return None
    return float(1 - (coincidences * distance).sum() / expected)
