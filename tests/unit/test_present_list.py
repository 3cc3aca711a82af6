"""The list as an address, and quotes with what was looked for marked in them."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.api.search.terms import read_terms
from huaxiang.console.list_query import NAMES, read_list_query
from huaxiang.console.present_list import label_groups, snippet, with_present
from huaxiang.console.texts import texts
from huaxiang.core.types import Role

SHANGHAI = ZoneInfo("Asia/Shanghai")
SORTS = {"when": 0, "score": 0, "duration": 0, "seller": 0}


@pytest.mark.parametrize(
    ("said", "typed", "expected"),
    [
        ("太贵了吧", "贵", "太<mark>贵</mark>了吧"),
        ("太贵了吧，太贵", "太贵", "<mark>太贵</mark>了吧，<mark>太贵</mark>"),
        ("<b>太贵</b>", "太贵", "&lt;b&gt;<mark>太贵</mark>&lt;/b&gt;"),
        ("一年 9600 元", "９６００", "一年 <mark>9600</mark> 元"),
        ("没有", "太贵", "没有"),
        ("好" * 40 + "太贵" + "好" * 50, "太贵", "…" + "好" * 14 + "<mark>太贵</mark>" + "好" * 40 + "…"),
    ],
)
def test_a_quote_shows_the_words_in_their_surroundings(said: str, typed: str, expected: str) -> None:
    assert snippet(said, read_terms(typed)) == expected


@given(said=st.text(max_size=200), typed=st.text(max_size=20), most=st.integers(20, 80))
def test_a_quote_is_never_longer_than_it_may_be_and_never_markup(said: str, typed: str, most: int) -> None:
    shown = snippet(said, read_terms(typed), most)
    plain = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in plain
    assert ">" not in plain
    assert len(shown.striptags()) <= most + 2


def test_an_address_says_what_the_store_is_asked() -> None:
    given_ = {
        "q": "太贵", "role": "customer", "score": "60-80", "veto": "true", "from": "2026-11-01",
        "to": "2026-11-02", "inspected": "2026-11-01T18:00", "cursor": "x", "nonsense": "y", "seller": " ",
    }  # fmt: skip
    query = read_list_query(given_, SORTS)
    filters = query.filters(SHANGHAI)
    assert filters.search is not None
    assert filters.search.role is Role.CUSTOMER
    assert (filters.score_from, filters.score_before, filters.auto_failed) == (60, 80, True)
    assert filters.started_from == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert filters.started_before == datetime(2026, 11, 2, 16, tzinfo=UTC)
    assert filters.inspected_from == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert filters.seller is None
    assert "nonsense" not in query.query
    assert read_list_query(dict(parse_qsl(query.query)), SORTS) == query


@given(parameters=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=250)))
def test_no_address_breaks_the_list_and_its_query_says_the_same_again(parameters: dict[str, str]) -> None:
    query = read_list_query(parameters, SORTS)
    query.filters(SHANGHAI)
    assert read_list_query(dict(parse_qsl(query.query)), SORTS) == query


def test_an_order_that_is_the_usual_one_is_not_written() -> None:
    assert read_list_query({"sort": "-when"}, SORTS).query == ""
    assert read_list_query({"sort": "secret"}, SORTS).query == ""
    assert read_list_query({"sort": "score"}, SORTS).query == "sort=score"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_label_has_a_word(language: str) -> None:
    words = texts(language).words
    groups = label_groups(texts(language))
    assert len(groups) == 3
    for _, options in groups:
        assert all(value in words for value, _ in options if not value.endswith(".any"))


def test_a_choice_in_force_is_among_the_choices() -> None:
    assert with_present([("a", "A")], "b") == [("a", "A"), ("b", "b")]
    assert with_present([("a", "A")], "a") == with_present([("a", "A")], "") == [("a", "A")]
