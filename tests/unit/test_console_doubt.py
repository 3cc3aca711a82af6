"""Words that were heard badly: where they stand in the text, and which to check first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.console.present import turn_views
from huaxiang.console.present_doubt import FLOOR, doubt_views, doubts_of
from huaxiang.console.texts import texts
from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Role, Transcript, Turn, Word

ZH = texts("zh")


def turn(text: str, *words: tuple[str, float], index: int = 0) -> Turn:
    """A turn whose words take 100 ms each."""
    heard = tuple(
        Word(place * 100, place * 100 + 100, said, sure) for place, (said, sure) in enumerate(words)
    )
    return Turn(index, Role.CUSTOMER, 0, len(words) * 100, text, words=heard)


def quoted(one: Turn) -> list[str]:
    return [one.text[doubt.char_start : doubt.char_end] for doubt in doubts_of(one)]


def test_doubtful_words_are_found_in_a_text_with_punctuation_and_figures() -> None:
    one = turn("我要120平，贵不贵？", ("我要", 0.9), ("一百二十", 0.2), ("平", 0.9), ("贵不贵", 0.25))
    assert quoted(one) == ["120", "贵不贵"]


def test_words_that_follow_each_other_are_one_place_with_the_least_confidence() -> None:
    one = turn("房贷怎么算", ("房", 0.29), ("贷", 0.2), ("怎么", 0.9), ("算", 0.25))
    first, second = doubts_of(one)
    assert (first.char_start, first.char_end, first.confidence) == (0, 2, 0.2)
    assert (first.start_ms, first.end_ms) == (0, 200)
    assert (second.char_start, second.char_end) == (4, 5)


def test_a_word_that_the_text_does_not_have_is_passed_over() -> None:
    assert quoted(turn("好的", ("嗯", 0.1), ("好的", 0.9))) == []


def test_a_sure_turn_and_one_without_words_have_no_doubts() -> None:
    assert doubts_of(turn("好的", ("好的", FLOOR))) == ()
    assert doubts_of(turn("好的")) == ()


@given(
    st.lists(st.tuples(st.text("甲乙丙丁12", min_size=1, max_size=4), st.floats(0, 1)), max_size=12),
    st.text("甲乙丙丁12，。", max_size=30),
)
def test_any_words_over_any_text_give_places_in_order_within_it(
    words: list[tuple[str, float]], text: str
) -> None:
    found = doubts_of(turn(text, *words))
    ends = [0]
    for one in found:
        assert ends[-1] <= one.char_start < one.char_end <= len(text)
        assert one.start_ms < one.end_ms
        ends.append(one.char_end)


def test_what_a_finding_quotes_comes_first_and_then_the_least_sure() -> None:
    turns = (
        turn("三千一年", ("三千", 0.25), ("一年", 0.9)),
        turn("太吵了我听不清", ("太吵了", 0.1), ("我", 0.9), ("听不清", 0.2), index=1),
    )
    transcript = Transcript("r", turns, 2000)
    money = Finding(FindingKind.ENTITY, "money", 1.0, "g", (quote(transcript, 0, 0, 2),), 3000)
    whole = Finding(FindingKind.SENTIMENT, "negative", 0.8, "m", (quote(transcript, 1),))
    doubts = {one.index: doubts_of(one) for one in turns}
    views = doubt_views(transcript, Insights((money, whole), {}), doubts)
    assert [(view.words, view.percent, view.matters) for view in views] == [
        ("三千", 25, True),
        ("太吵了", 10, False),
        ("听不清", 20, False),
    ]
    assert (views[2].before, views[2].after) == ("太吵了我", "")
    assert len(doubt_views(transcript, None, doubts, most=2)) == 2


def test_doubts_are_marked_in_the_text_beside_the_findings_and_lose_no_character() -> None:
    one = turn("那家一年才三千", ("那家", 0.9), ("一年", 0.9), ("才三千", 0.2))
    transcript = Transcript("r", (one,), 2000)
    price = Finding(FindingKind.ENTITY, "money", 1.0, "g", (quote(transcript, 0, 5, 7),), 3000)
    (view,) = turn_views(transcript, Insights((price,), {}), ZH, {0: doubts_of(one)})
    assert [(part.text, part.mark, part.doubt) for part in view.segments] == [
        ("那家一年", "", None),
        ("才", "", 20),
        ("三千", "entity", 20),
    ]
