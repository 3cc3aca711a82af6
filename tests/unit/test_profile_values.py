"""Field values are kept in one form, and a bad one is told apart without being repeated."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import InvalidRules
from huaxiang.core.types import Json
from huaxiang.profile.catalogue import FieldType, MergeRule, load_catalogue, parse_catalogue
from huaxiang.profile.values import BadValue, Locale, read_value, value_hash

SHANGHAI = Locale("CN", ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("field", "told", "kept"),
    [
        ("name", "  王小明 ", "王小明"),
        ("age", "35", 35),
        ("purchase_count", 3.0, 3),
        ("total_spent_yuan", "¥12,345.60", 12345.6),
        ("budget_yuan", "30000元", 30000),
        ("birthday", "1990-02-03", "1990-02-03"),
        ("birthday", "1990-02-02T18:00:00Z", "1990-02-03"),  # already the third in Shanghai
        ("registered_at", "2026-11-01T09:00:00", "2026-11-01T01:00:00Z"),
        ("sex", "女", "female"),
        ("sex", "Male", "male"),
        ("phone", "138 0013 8000", "+8613800138000"),
        ("do_not_contact", "是", True),
        ("favourite_brands", ["甲", "乙", "甲 "], ["甲", "乙"]),
        ("favourite_brands", "甲", ["甲"]),
        ("favourite_brands", [], None),
        ("city", "", None),
        ("city", None, None),
        ("门店", {"id": 7}, {"id": 7}),
    ],
)
def test_a_value_is_kept_in_the_form_of_its_type(field: str, told: Json, kept: Json) -> None:
    assert read_value(load_catalogue().field(field), told, SHANGHAI) == kept


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("age", "thirty"),
        ("age", -1),
        ("age", 1.5),
        ("age", True),
        ("total_spent_yuan", "1.234"),
        ("total_spent_yuan", "NaN"),
        ("total_spent_yuan", 1e300),
        ("birthday", "1990年"),
        ("registered_at", "yesterday"),
        ("sex", "?"),
        ("phone", "138****8000"),
        ("email", "nobody"),
        ("do_not_contact", "maybe"),
        ("favourite_brands", {"a": 1}),
        ("name", ["a"]),
        ("name", "x" * 1001),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("next_step", "demo"),
        ("门店", "x" * 5000),
    ],
)
def test_a_value_of_another_type_is_refused(field: str, told: Json) -> None:
    with pytest.raises(BadValue):
        read_value(load_catalogue().field(field), told, SHANGHAI)


def test_a_time_without_offset_is_refused_where_no_zone_is_set() -> None:
    with pytest.raises(BadValue):
        read_value(load_catalogue().field("registered_at"), "2026-11-01T09:00:00", Locale())


@given(
    st.sampled_from(sorted(load_catalogue().fields)),
    st.text(min_size=6, max_size=30, alphabet=st.characters(codec="utf-8")) | st.integers(min_value=10**6),
)
def test_a_kept_value_is_kept_again_unchanged_and_a_refusal_never_repeats_it(field: str, told: Json) -> None:
    definition = load_catalogue().field(field)
    refusal, kept = "", None
    try:
        kept = read_value(definition, told, SHANGHAI)
    except BadValue as error:
        refusal = str(error)
    assert str(told) not in refusal
    assert refusal or read_value(definition, kept, SHANGHAI) == kept


@given(st.dates(min_value=date(1900, 1, 1)))
def test_every_date_is_kept(day: date) -> None:
    assert read_value(load_catalogue().field("birthday"), day.isoformat(), Locale()) == day.isoformat()


def test_equal_values_have_equal_hashes_and_true_is_not_one() -> None:
    assert value_hash({"a": 1, "b": "二"}) == value_hash({"b": "二", "a": 1})
    assert value_hash(True) != value_hash(1)


def test_the_catalogue_names_every_field_and_tag_in_both_languages() -> None:
    catalogue = load_catalogue()
    titled = [*catalogue.fields.values(), *catalogue.tags.values(), *catalogue.groups.values()]
    assert len(titled) > 90
    assert all(title.zh and title.en for title in titled)


def test_an_unknown_field_is_a_custom_one_of_any_type_whose_latest_value_wins() -> None:
    custom = load_catalogue().field("门店编号")
    assert (custom.name, custom.type, custom.merge) == ("custom.门店编号", FieldType.ANY, MergeRule.LATEST)
    assert load_catalogue().field("custom.门店编号") == custom


FIELD = "{name: %s, group: basic, type: text, zh: 甲, en: A, merge: %s}"
CATALOGUE = """
version: 1
lifecycle: {new_days: 1, active_days: 2, lost_days: 3, loyal_purchases: 2}
groups: {basic: {zh: 基, en: B}}
fields: [%s]
tags: []
"""


@pytest.mark.parametrize(
    "fields",
    [
        FIELD % ("a", "union"),
        FIELD % ("a", "most_confident"),
        FIELD % ("a", "whatever"),
        FIELD % ("a", "latest") + ", " + FIELD % ("a", "latest"),
        FIELD.replace("basic", "nowhere") % ("a", "latest"),
        "{",
    ],
    ids=["union of a text", "no half life", "unknown rule", "twice", "no such group", "no YAML"],
)
def test_a_catalogue_with_a_mistake_is_refused(fields: str) -> None:
    with pytest.raises(InvalidRules):
        parse_catalogue(CATALOGUE % fields)
