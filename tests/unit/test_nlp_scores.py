"""Counting and calibration error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.scores import LabelCounts, TaskCounts, calibration_error


def test_f1_is_twice_the_hits_over_all_that_was_given_or_true() -> None:
    counts = LabelCounts(hits=3, false_alarms=1, misses=2)
    assert counts.precision == 0.75
    assert counts.recall == 0.6
    assert counts.f1 == pytest.approx(6 / 9)
    assert counts.support == 5


def test_macro_leaves_out_labels_that_never_occur() -> None:
    counts = TaskCounts.of(["a", "b", "c"])
    counts.add(["a"], ["a"])
    counts.add(["c"], ["b"])
    assert counts.macro_f1 == pytest.approx(0.5)
    assert counts.micro_f1 == pytest.approx(0.5)


def test_micro_can_be_asked_of_some_labels_only() -> None:
    counts = TaskCounts.of(["rude", "greeting"])
    counts.add(["rude"], ["greeting"])
    assert counts.total(["rude"]).precision == 0.0
    assert counts.total(["greeting"]).recall == 0.0


def test_confidence_that_is_right_as_often_as_it_says_has_no_error() -> None:
    assert calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0.0)
    assert calibration_error([(0.9, False)] * 10) == pytest.approx(0.9)
    assert calibration_error([]) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_error_is_a_share(claims: list[tuple[float, bool]]) -> None:
    assert 0.0 <= calibration_error(claims) <= 1.0 + 1e-9


@given(st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), min_size=1))
def test_hits_misses_and_false_alarms_add_up(turns: list[tuple[set[str], set[str]]]) -> None:
    counts = TaskCounts.of("abc")
    for found, true in turns:
        counts.add(found, true)
    total = counts.total()
    assert total.hits + total.misses == sum(len(true) for _, true in turns)
    assert total.hits + total.false_alarms == sum(len(found) for found, _ in turns)
    assert 0.0 <= counts.micro_f1 <= 1.0
