"""Rule files: every mistake is named with its line, and no file however odd breaks the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import InvalidRules
from huaxiang.quality.check import check_rules
from huaxiang.quality.loader import load_scorecard, parse_scorecard, shipped_scorecard

GOOD = """\
scorecard: demo
version: 1
title: {zh: 示例, en: Demo}
sections:
  - id: only
    title: {zh: 唯一, en: Only}
    items:
      - id: greeting
        title: {zh: 问候, en: Greeting}
        points: 10
        passes_when: CONDITION
"""


def mistakes_of(condition: str) -> list[tuple[int, str]]:
    return [(m.line, m.message) for m in parse_scorecard(GOOD.replace("CONDITION", condition))[1]]


def test_the_shipped_scorecard_has_no_mistake() -> None:
    assert check_rules(shipped_scorecard("general-sales")) == []


def test_the_points_of_the_shipped_scorecard_add_up_to_one_hundred() -> None:
    items = load_scorecard(shipped_scorecard("general-sales")).items
    assert sum(item.points for item in items if not item.forbidden) == 100
    assert [item.id for item in items if item.auto_fail] == ["rude"]


@pytest.mark.parametrize(
    ("condition", "cause"),
    [
        ("{act: greets}", "'greets' is none of"),
        ("{act: greeting, intent: reject}", "exactly one of"),
        ("{role: agent}", "exactly one of"),
        ("{shout: loud}", "unknown key 'shout'"),
        ("{act: greeting, role: boss}", "'boss' is none of"),
        ("{act: greeting, at_least: 0}", "a number from 1"),
        ("{act: greeting, at_least: 1.5}", "whole number"),
        ("{act: greeting, confidence: 2}", "a number from 0 to 1"),
        ("{act: greeting, above: 3}", "above does not go with act"),
        ("{act: greeting, place: {middle: {turns: 3}}}", "unknown key 'middle'"),
        ("{act: greeting, place: {first: {minutes: 3}}}", "unknown key 'minutes'"),
        ("{act: greeting, place: {first: {percent: 120}}}", "a number from 0 to 100"),
        ("{keywords: []}", "at least one entry"),
        ("{keywords: 您好}", "expected a list"),
        ("{pattern: '(未闭合'}", "not a regular expression"),
        ("{metric: talk_ratio}", "needs above or below"),
        ("{metric: talk_ratio, above: much}", "expected a number"),
        ("{objections_answered: 回应}", "is none of"),
        ("{all: []}", "at least one entry"),
        ("{not: greeting}", "expected a mapping"),
        ("{act: greeting, act: pitch}", "given twice"),
    ],
)
def test_a_mistake_in_a_condition_is_named_with_its_line(condition: str, cause: str) -> None:
    found = mistakes_of(condition)
    assert any(line == 11 and cause in message for line, message in found), found


def test_every_mistake_of_a_file_is_named_and_not_only_the_first() -> None:
    text = (
        GOOD.replace("CONDITION", "{act: greets}")
        .replace("points: 10", "points: much")
        .replace("en: Only", "")
    )
    assert len(parse_scorecard(text)[1]) == 3


def test_an_item_id_is_used_once() -> None:
    text = GOOD.replace("CONDITION", "{act: greeting}")
    item = text[text.index("      - id: greeting") :]
    assert any("used twice" in mistake.message for mistake in parse_scorecard(text + item)[1])


def test_aliases_cannot_grow_a_rule_without_bound() -> None:
    condition = "{all: &a [{act: greeting}]}"
    assert mistakes_of(condition) == []
    grown = GOOD.replace("CONDITION", "{any: [{all: &a [{act: greeting}]}, {all: *a}]}")
    assert ["aliases" in mistake.message for mistake in parse_scorecard(grown)[1]] == [True]


def test_a_rule_nested_without_end_is_refused() -> None:
    deep = "{not: " * 200 + "{act: greeting}" + "}" * 200
    assert any("nested deeper" in message for _, message in mistakes_of(deep))


def test_a_file_with_mistakes_is_not_loaded_and_the_error_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("CONDITION", "{act: greets}"), encoding="utf-8")
    with pytest.raises(InvalidRules, match=r"mine\.yaml: line 11"):
        load_scorecard(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InvalidRules, match="UTF-8"):
        check_rules(path)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    _, mistakes = parse_scorecard(text)
    assert mistakes


_leaf = st.one_of(
    st.sampled_from(
        ["{act: greeting}", "{intent: any}", "{keywords: [好]}", "{metric: x, above: 1}", "x", "[]"]
    )
)


@given(
    st.recursive(
        _leaf, lambda inner: st.builds("{{all: [{}, {{not: {}}}]}}".format, inner, inner), max_leaves=12
    )
)
def test_no_condition_however_odd_breaks_the_reader(condition: str) -> None:
    definition, mistakes = parse_scorecard(GOOD.replace("CONDITION", condition))
    assert definition.items or mistakes


def test_a_few_names_that_stand_for_more_conditions_than_can_be_judged_are_refused_at_once() -> None:
    doubled = "".join(
        f"  c{level}: {{all: [{{condition: c{before}}}, {{condition: c{before}}}]}}\n"
        for before, level in enumerate(range(1, 40))
    )
    text = f"""scorecard: doubled
version: 1
title: {{zh: 测试, en: Test}}
conditions:
  c0: {{act: greeting}}
{doubled}sections:
  - id: one
    title: {{zh: 一, en: One}}
    items:
      - {{id: it, title: {{zh: 项, en: Item}}, points: 10, passes_when: {{condition: c39}}}}
"""
    _, mistakes = parse_scorecard(text)
    assert "too_many" in {mistake.code for mistake in mistakes}
