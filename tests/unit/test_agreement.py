"""Krippendorff's alpha against the worked examples of Krippendorff (2011), and against its definition."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.quality.review.agreement import Level, Unit, agreement, krippendorff_alpha


def units_of(*rows: str) -> list[Unit]:
    """Read the tables of the paper: a row an observer, a column a unit, a dot for nothing said."""
    columns = zip(*(row.split() for row in rows), strict=True)
    return [
        {str(who): float(ord(value)) for who, value in enumerate(column) if value != "."}
        for column in columns
    ]


BINARY = units_of("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0")
NOMINAL = units_of("a a b b d c c c e d d a", "b a b b b c c c e d d d")
MISSING = units_of(
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)


@pytest.mark.parametrize(
    ("units", "level", "published"),
    [
        (BINARY, Level.NOMINAL, 0.095),
        (NOMINAL, Level.NOMINAL, 0.692),
        (MISSING, Level.NOMINAL, 0.743),
        (MISSING, Level.INTERVAL, 0.849),
    ],
)
def test_the_worked_examples_come_out_as_published(units: list[Unit], level: Level, published: float) -> None:
    assert krippendorff_alpha(units, level) == pytest.approx(published, abs=0.0005)


def by_definition(units: list[Unit], level: Level) -> float | None:
    """Alpha from all pairs one by one, without a matrix."""
    usable = [list(unit.values()) for unit in units if len(unit) >= 2]
    said = [value for unit in usable for value in unit]
    n = len(said)

    def distance(a: float, b: float) -> float:
        return (a - b) ** 2 if level is Level.INTERVAL else float(a != b)

    observed = sum(sum(distance(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in usable)
    expected = sum(distance(a, b) for a, b in permutations(said, 2))
    return None if not expected else 1 - (observed / n) / (expected / (n * (n - 1)))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3).map(float)), max_size=9),
    st.sampled_from(Level),
)
def test_alpha_is_what_its_definition_says(units: list[Unit], level: Level) -> None:
    expected = by_definition(units, level)
    found = krippendorff_alpha(units, level)
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found == pytest.approx(expected)


def test_the_interval_holds_alpha_and_narrows_with_more_units() -> None:
    few, many = agreement(MISSING, Level.NOMINAL), agreement(MISSING * 10, Level.NOMINAL)
    assert (few.units, few.values) == (11, 40)
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.alpha is not None
    assert few.low < few.alpha < few.high
    assert many.high - many.low < (few.high - few.low) / 2
    assert agreement(MISSING, Level.NOMINAL) == few


def test_nothing_is_claimed_where_nothing_can_be_said() -> None:
    assert agreement([], Level.NOMINAL).alpha is None
    alone = agreement([{"a": 1.0}, {"b": 0.0}], Level.NOMINAL)
    assert (alone.alpha, alone.units, alone.unanimous) == (None, 0, None)
    same = agreement([{"a": 1.0, "b": 1.0}] * 5, Level.NOMINAL)
    assert (same.alpha, same.unanimous, same.units) == (None, 1.0, 5)
    two = agreement([{"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 0.0}], Level.NOMINAL)
    assert (two.alpha, two.low) == (1.0, None)
