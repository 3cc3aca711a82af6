"""Text to tokens and typed words to terms."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.api.search.terms import MAX_TERMS, places, read_terms, tokens_of

SAID = "我们 A8 套餐一年 9600 元，太贵了吧？"


def found_in(text: str, typed: str) -> bool:
    """Whether every term's tokens stand in a row in the text's, as both databases look for them."""
    tokens = tokens_of(text)

    def stands(term_tokens: tuple[str, ...], open_end: bool) -> bool:
        *head, last = term_tokens
        for start in range(len(tokens) - len(head)):
            end = tokens[start + len(head)]
            ends = end.startswith(last) if open_end else end == last
            if tokens[start : start + len(head)] == head and ends:
                return True
        return False

    return all(stands(term.tokens, term.open_end) for term in read_terms(typed))


def test_chinese_is_cut_into_pairs_and_words_and_numbers_stay_whole() -> None:
    assert tokens_of("太贵了吧") == ["太贵", "贵了", "了吧", "吧"]
    assert tokens_of("A8 套餐") == ["a8", "套餐", "餐"]


@pytest.mark.parametrize(
    "typed",
    [
        "太贵",
        "贵",
        "贵了吧",
        "元太贵",
        "9600元",
        "960",
        "a8",
        "Ａ８套餐",
        "太贵 套餐",
        '"A8 套餐"',
        "一年9600",
    ],
)
def test_what_was_said_is_found_by_any_part_of_it(typed: str) -> None:
    assert found_in(SAID, typed)


@pytest.mark.parametrize("typed", ["贵太", "餐套", "600", "8 太贵了呀", "便宜"])
def test_what_was_not_said_is_not_found(typed: str) -> None:
    assert not found_in(SAID, typed)


@given(st.text(alphabet="我们太贵了一年吧价格，。 ", min_size=1, max_size=40), st.data())
def test_every_stretch_of_chinese_is_found_and_marked(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : data.draw(st.integers(start + 1, len(text)))]
    terms = read_terms(f'"{part}"')
    if not terms:
        assert not part.strip("，。 ")
        return
    assert found_in(text, f'"{part}"')
    marked = places(text, terms)
    assert any(first <= start + len(part) - len(part.lstrip("，。 ")) < last for first, last in marked)
    assert all(a_end < b_start for (_, a_end), (b_start, _) in pairwise(marked))


@given(st.text(max_size=200))
def test_whatever_is_typed_gives_plain_tokens(typed: str) -> None:
    terms = read_terms(typed)
    assert len(terms) <= MAX_TERMS
    assert all(token.isalnum() for term in terms for token in term.tokens)
    assert places(typed, terms) == sorted(places(typed, terms))
