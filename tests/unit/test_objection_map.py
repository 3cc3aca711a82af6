"""The objection map: kinds of answer, counts with intervals, and an order that small numbers do not win."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.profile.coaching.calls import Outcome
from huaxiang.profile.coaching.objections import (
    ANSWERS,
    Course,
    Measure,
    answer_kind,
    objection_map,
)

HELD = datetime(2026, 10, 5, 2, tzinfo=UTC)


def course(
    number: int = 0,
    *,
    objection: str = "price",
    answer: str = "objection_handling",
    good: bool = True,
    outcome: Outcome = Outcome.UNKNOWN,
    mood: float | None = None,
    recording: str = "",
) -> Course:
    return Course(
        recording_id=recording or f"r{number}",
        seller="s",
        held_at=HELD,
        objection=objection,
        turn=number,
        answer=answer,
        mood_change=mood,
        settled=good,
        next_step=good,
        outcome=outcome,
        confidence=0.9,
        quotes=(),
    )


@pytest.mark.parametrize(
    ("acts", "kind"),
    [
        ((), "none"),
        (("greeting", "pitch"), "none"),
        (("objection_handling", "empathy"), "empathy+objection_handling"),
        (("value_evidence",), "value_evidence"),
        (("empathy", "objection_handling", "value_evidence"), "empathy+objection_handling+value_evidence"),
        (("empathy", "objection_handling", "pressure"), "forbidden"),
    ],
)
def test_the_kind_of_answer_is_made_of_its_acts(acts: tuple[str, ...], kind: str) -> None:
    assert answer_kind(acts) == kind


@given(
    st.sets(st.sampled_from(["empathy", "objection_handling", "value_evidence", "rude", "pitch", "quote"]))
)
def test_every_answer_has_a_kind_that_the_map_shows(acts: set[str]) -> None:
    assert answer_kind(acts) in ANSWERS


def test_two_lucky_answers_do_not_win_over_forty_good_ones() -> None:
    lucky = [course(n, answer="empathy") for n in range(2)]
    proven = [course(10 + n, good=n % 10 != 0) for n in range(40)]
    cells = objection_map([*lucky, *proven]).cells
    assert [(cell.answer, cell.rank, cell.n) for cell in cells] == [
        ("objection_handling", 1, 40),
        ("empathy", 2, 2),
    ]
    assert cells[1].next_step.value == 1.0 > cells[0].next_step.value


def test_a_cell_counts_courses_and_the_sale_counts_recordings() -> None:
    twice = [course(n, recording="one", outcome=Outcome.WON) for n in range(2)]
    other = [course(5, outcome=Outcome.LOST, good=False), course(6, outcome=Outcome.OPEN, mood=1.0)]
    (cell,) = objection_map([*twice, *other]).cells
    assert (cell.n, cell.recordings) == (4, 3)
    assert (cell.settled.value, cell.settled.n) == (0.75, 4)
    assert cell.won is not None
    assert (cell.won.value, cell.won.n) == (0.5, 2)
    assert cell.mood_change is not None
    assert (cell.mood_change.value, cell.mood_change.n, cell.mood_change.low) == (1.0, 1, None)


def test_the_measure_that_is_chosen_ranks() -> None:
    sold = [course(n, answer="empathy", good=False, outcome=Outcome.WON) for n in range(9)]
    agreed = [course(20 + n, outcome=Outcome.LOST) for n in range(9)]
    first = {m: objection_map([*sold, *agreed], m).cells[0].answer for m in Measure}
    assert first == {
        Measure.NEXT_STEP: "objection_handling",
        Measure.SETTLED: "objection_handling",
        Measure.WON: "empathy",
    }


def test_the_most_frequent_objection_comes_first() -> None:
    found = objection_map([course(1, objection="trust"), course(2), course(3), course(4, answer="none")])
    assert found.objections == ("price", "trust")
    assert found.answers == ("objection_handling", "none")
    assert (found.n, found.cell("price", "none") is not None, found.cell("trust", "none")) == (4, True, None)


def test_a_map_of_nothing_is_empty() -> None:
    found = objection_map([])
    assert (found.cells, found.n, found.objections) == ((), 0, ())
