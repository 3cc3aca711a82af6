"""The arithmetic of scorecards: sections, weights, base points, what does not apply, what fails all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.quality import points_of, total
from huaxiang.quality.definition import (
    AllOf,
    Item,
    ScorecardDefinition,
    Scoring,
    Section,
    Threshold,
)

NOTHING = AllOf(())
GRADES = (
    Threshold("excellent", 90, "优秀", "Excellent"),
    Threshold("pass", 60, "合格", "Pass"),
    Threshold("fail", 0, "不合格", "Fail"),
)


def item(name: str, points: float, section: str = "talk", **more: object) -> Item:
    return replace(Item(name, name, name, points, NOTHING, section=section), **more)  # type: ignore[arg-type]


def section(name: str, weight: float | None = None, base: float = 0.0) -> Section:
    return Section(name, name, name, weight, base)


def card(items: tuple[Item, ...], *sections: Section, base: float = 0.0) -> ScorecardDefinition:
    return ScorecardDefinition(
        "demo", 1, "示例", "Demo", items, sections or (section("talk"),), base, thresholds=GRADES
    )


PLAIN = card((item("a", 60), item("b", 40), item("rude", 30, forbidden=True, auto_fail=True)))


def test_points_of_what_passed_are_added_up() -> None:
    totals = total(PLAIN, {"a": True, "b": False, "rude": True})
    assert (totals.score, totals.possible, totals.percent) == (60, 100, 60)
    assert totals.grade is not None
    assert totals.grade.id == "pass"


def test_what_does_not_apply_leaves_the_possible_score() -> None:
    totals = total(PLAIN, {"a": True, "b": None, "rude": True})
    assert (totals.score, totals.possible) == (60, 60)
    assert totals.grade is not None
    assert totals.grade.id == "excellent"


def test_an_item_without_an_outcome_does_not_apply_and_a_strange_outcome_counts_nothing() -> None:
    assert total(PLAIN, {"a": True, "stranger": False}).possible == 60


def test_a_score_never_falls_below_nothing() -> None:
    fault = card((item("a", 10), item("fault", 50, forbidden=True)))
    assert total(fault, {"a": True, "fault": False}).score == 0


def test_one_failed_auto_fail_climbs_to_section_and_scorecard() -> None:
    totals = total(PLAIN, {"a": True, "b": True, "rude": False})
    assert (totals.score, totals.auto_failed) == (0, True)
    assert totals.sections[0].auto_failed
    assert totals.grade is not None
    assert totals.grade.id == "fail"


def test_a_section_can_fail_alone() -> None:
    items = (item("a", 50, "one", fails_section=True), item("b", 20, "one"), item("c", 30, "two"))
    totals = total(card(items, section("one"), section("two")), {"a": False, "b": True, "c": True})
    assert [(s.id, s.score, s.auto_failed) for s in totals.sections] == [("one", 0, True), ("two", 30, False)]
    assert (totals.score, totals.possible, totals.auto_failed) == (30, 100, False)


def test_base_points_are_taken_from_and_extra_points_never_lift_above_what_is_possible() -> None:
    items = (
        item("notice", 20, scoring=Scoring.TAKE),
        item("praise", 5, scoring=Scoring.ADD),
        item("promise", 30, forbidden=True),
    )
    base = card(items, base=100.0)
    assert total(base, {"notice": False, "praise": True, "promise": True}).score == 85
    assert total(base, {"notice": True, "praise": True, "promise": True}).score == 100
    assert total(base, {"notice": False, "praise": None, "promise": False}).score == 50
    assert total(base, dict.fromkeys(("notice", "praise", "promise"))).possible == 0


def test_weights_are_percentages_of_the_whole_and_an_empty_section_leaves_it() -> None:
    items = (item("a", 1, "one"), item("b", 3, "one"), item("c", 7, "two"), item("praise", 4, "extra"))
    extra = replace(items[3], scoring=Scoring.TAKE)
    weighted = card((*items[:3], extra), section("one", 40), section("two", 60), section("extra"))
    assert total(weighted, {"a": False, "b": True, "c": True, "praise": True}).score == 90
    assert total(weighted, {"a": False, "b": True, "c": True, "praise": False}).score == 86
    alone = total(weighted, {"a": True, "b": True, "c": None, "praise": True})
    assert (alone.score, alone.possible) == (40, 40)


def test_a_suggestion_counts_nothing_even_where_it_would_fail_all() -> None:
    items = (item("a", 10), item("idea", 50, forbidden=True, auto_fail=True, suggest_only=True))
    assert total(card(items), {"a": True, "idea": False}).score == 10
    assert points_of(items[1], False) == (0, 0)


outcome = st.sampled_from([True, False, None])
kinds = st.sampled_from([None, *Scoring])
items_ = st.lists(
    st.tuples(st.integers(0, 100), kinds, st.booleans(), st.booleans(), st.sampled_from("xyz"), outcome),
    min_size=1,
    max_size=10,
)


@given(items_, st.sampled_from([0.0, 100.0]), st.booleans())
def test_every_score_lies_between_nothing_and_what_was_possible(
    given_items: list[tuple[int, Scoring | None, bool, bool, str, bool | None]], base: float, weighted: bool
) -> None:
    items = tuple(
        item(str(place), points, name, scoring=kind, forbidden=forbidden, auto_fail=fatal)
        for place, (points, kind, forbidden, fatal, name, _) in enumerate(given_items)
    )
    sections = [section(name, weight) for name, weight in zip("xyz", (50, 50, None), strict=True)]
    definition = card(items, *(sections if weighted else map(section, "xyz")), base=base)
    outcomes = {str(place): entry[5] for place, entry in enumerate(given_items)}
    totals = total(definition, outcomes)
    assert 0 <= totals.score <= totals.possible
    assert totals.auto_failed == any(i.auto_fail and outcomes[i.id] is False for i in items)
    assert totals.percent is None or 0 <= totals.percent <= 100


def test_the_grade_is_the_highest_that_is_reached() -> None:
    definition = card((item("a", 9), item("b", 1)))
    assert total(definition, {"a": True, "b": False}).grade == GRADES[0]
    assert total(definition, {"a": False, "b": False}).grade == GRADES[2]
    assert total(definition, {}).grade is None


@pytest.mark.parametrize("passed", [True, False, None])
def test_points_follow_the_outcome(passed: bool | None) -> None:
    points, possible = points_of(item("a", 5), passed)
    assert (points, possible) == {True: (5, 5), False: (0, 5), None: (0, 0)}[passed]
