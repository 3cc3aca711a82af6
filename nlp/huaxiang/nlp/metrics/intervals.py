"""Arithmetic on spans of time: half-open intervals in integer ms."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as disjoint intervals in order; empty and backward ones vanish."""
    joined: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def length(intervals: Iterable[Interval]) -> int:
    """Return the total length of disjoint intervals, in ms."""
    return sum(end - start for start, end in intervals)


def gaps(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the silences between intervals; before the first and after the last there is none."""
    return [(one[1], other[0]) for one, other in pairwise(union(intervals))]


def overlap(one: Interval, other: Interval) -> int:
    """Return how long two intervals overlap, in ms."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
