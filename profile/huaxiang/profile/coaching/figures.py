"""A seller's or a team's figures over time, against the team and against the period before.

A group's value is the mean of its conversations' values, not of its sellers'. A seller is compared with
the others' conversations, own ones left out, or the comparison would be with oneself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from huaxiang.profile.coaching.behaviours import values_of
from huaxiang.profile.coaching.calls import Call
from huaxiang.profile.coaching.statistics import (
    Difference,
    Estimate,
    cliffs_delta,
    difference_of_means,
    difference_of_rates,
    mean,
    rate,
)

SCORE = "score"
DEFAULT_PERIOD_DAYS = 28
DEFAULT_TREND_WEEKS = 12


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """The period of the same length that ends the day before."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def has(self, call: Call, zone: tzinfo) -> bool:
        """Return whether a conversation was held in it, by the days of ``zone``."""
        return self.first <= call.held_at.astimezone(zone).date() <= self.last


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a seller or team.

    ``own``, ``before`` and ``group`` are the values of the period, the period before, and the whole
    group (the seller's team; a team's company). ``change`` is own − before, ``against`` own − others,
    ``effect`` Cliff's delta of own against others. A rate (``yes_or_no``) is a share, 0–1.
    """

    key: str
    yes_or_no: bool
    own: Estimate | None
    before: Estimate | None
    group: Estimate | None
    change: Difference | None
    against: Difference | None
    effect: Estimate | None


@dataclass(frozen=True, slots=True)
class Point:
    """One week of a trend: its Monday, and the values of own and of all conversations of the group."""

    week: date
    own: Estimate | None
    group: Estimate | None


def figures(own: Sequence[Call], before: Sequence[Call], others: Sequence[Call]) -> tuple[Figure, ...]:
    """Return all figures: the score first, then the items, then the numbers of the conversations."""
    keys = sorted({key for call in (*own, *before) for key in _keys(call)}, key=_order)
    return tuple(figure(key, own, before, others) for key in keys)


def figure(key: str, own: Sequence[Call], before: Sequence[Call], others: Sequence[Call]) -> Figure:
    """Return one figure by its key: ``score``, ``item.<id>``, ``metric.<name>`` or ``act.<label>``."""
    mine, past, theirs = (values(key, calls) for calls in (own, before, others))
    yes_or_no = key.startswith(("item.", "act."))
    return Figure(
        key=key,
        yes_or_no=yes_or_no,
        own=estimate(mine, yes_or_no, bounds_of(key)),
        before=estimate(past, yes_or_no, bounds_of(key)),
        group=estimate([*mine, *theirs], yes_or_no, bounds_of(key)),
        change=difference(mine, past, yes_or_no),
        against=difference(mine, theirs, yes_or_no),
        effect=cliffs_delta(mine, theirs) if mine and theirs else None,
    )


def trend(
    key: str, own: Iterable[Call], group: Iterable[Call], last: date, weeks: int, zone: tzinfo
) -> tuple[Point, ...]:
    """Return a figure week by week; the last week is the one with the day ``last``."""
    yes_or_no = key.startswith(("item.", "act."))
    mine, theirs = _by_week(key, own, zone), _by_week(key, group, zone)
    final = monday(last)
    mondays = [final - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    return tuple(
        Point(week, *(estimate(weeks.get(week, []), yes_or_no, bounds_of(key)) for weeks in (mine, theirs)))
        for week in mondays
    )


def values(key: str, calls: Iterable[Call]) -> list[float]:
    """Return a figure's value in each conversation that has it."""
    found = (_value(key, call) for call in calls)
    return [value for value in found if value is not None]


def estimate(
    found: Sequence[float], yes_or_no: bool, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate | None:
    """Return a share with Wilson's, or a mean with Student's interval within ``bounds``; None of nothing."""
    return rate(int(sum(found)), len(found)) if yes_or_no else mean(found, bounds)


def bounds_of(key: str) -> tuple[float, float]:
    """Return the least and the most that the value of a figure can be in one conversation."""
    if key == SCORE:
        return 0.0, 100.0
    if key.endswith(("_ratio", "_share")):
        return 0.0, 1.0
    return -math.inf, math.inf


def difference(own: Sequence[float], others: Sequence[float], yes_or_no: bool) -> Difference | None:
    """Return how far two groups differ, with interval and p; None where one is empty."""
    if yes_or_no:
        return difference_of_rates(int(sum(own)), len(own), int(sum(others)), len(others))
    return difference_of_means(own, others)


def monday(day: date) -> date:
    """Return the first day of a day's ISO week."""
    return day - timedelta(days=day.weekday())


def _keys(call: Call) -> set[str]:
    keys = {key for key in values_of(call) if not key.startswith("act.")}
    return keys if call.score is None else {SCORE, *keys}


def _value(key: str, call: Call) -> float | None:
    kind, _, name = key.partition(".")
    if kind == "metric":
        return call.numbers.get(name)
    if kind == "act":
        return float(name in call.acts)
    if kind == "item":
        passed = call.items[name].passed if name in call.items else None
        return None if passed is None else float(passed)
    return call.score


def _order(key: str) -> tuple[int, str]:
    kinds = (SCORE, "item", "metric")
    return kinds.index(key.split(".")[0]), key


def _by_week(key: str, calls: Iterable[Call], zone: tzinfo) -> dict[date, list[float]]:
    weeks: dict[date, list[float]] = {}
    for call in calls:
        value = _value(key, call)
        if value is not None:
            weeks.setdefault(monday(call.held_at.astimezone(zone).date()), []).append(value)
    return weeks
