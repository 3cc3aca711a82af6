"""Words become turns in time order, by channel and pause, and every word is kept once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from invented_speech import words_of

from huaxiang.asr.turns import Speech, TurnOptions, snapped, spoken_pieces, turns_by_channel
from huaxiang.core.types import Word

OPTIONS = TurnOptions()


def said(channel: int, start_ms: int, text: str) -> Speech:
    return Speech(channel, words_of(text, start_ms))


def texts(speech: list[Speech]) -> list[str]:
    return [piece.raw_text for piece in speech]


@st.composite
def channel_words(draw: st.DrawFn) -> tuple[Word, ...]:
    at, words = 0, []
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 1500), st.integers(40, 900)), max_size=20)):
        words.append(Word(at + gap, at + gap + length, "字", 0.9))
        at += gap + length
    return tuple(words)


@settings(deadline=None)
@given(st.lists(channel_words(), min_size=1, max_size=3))
def test_every_word_is_in_exactly_one_turn_and_turns_are_in_order(channels: list[tuple[Word, ...]]) -> None:
    pieces = [
        piece for channel, words in enumerate(channels) for piece in spoken_pieces(channel, words, OPTIONS)
    ]
    turns = turns_by_channel(pieces, OPTIONS)
    for channel, words in enumerate(channels):
        kept = [word for turn in turns if turn.channel == channel for word in turn.words]
        assert tuple(kept) == words
    assert [turn.start_ms for turn in turns] == sorted(turn.start_ms for turn in turns)


def test_a_long_pause_separates_and_a_short_one_does_not() -> None:
    words = words_of("您好", 0) + words_of("请问", 700) + words_of("在吗", 2000)
    assert texts(spoken_pieces(0, words, OPTIONS)) == ["您好请问", "在吗"]


def test_the_end_of_a_sentence_needs_a_shorter_pause_to_separate() -> None:
    words = (*words_of("您好", 0), Word(400, 600, "吗？", 0.9), *words_of("好", 900))
    assert texts(spoken_pieces(0, words, OPTIONS)) == ["您好吗？", "好"]


def test_two_channels_alternate() -> None:
    pieces = [said(0, 0, "您好"), said(1, 600, "你好你是哪位"), said(0, 2000, "我是小张")]
    assert texts(turns_by_channel(pieces, OPTIONS)) == ["您好", "你好你是哪位", "我是小张"]


def test_a_back_channel_does_not_break_the_others_turn() -> None:
    pieces = [said(0, 0, "我们这款"), said(1, 850, "嗯"), said(0, 1300, "卖得好")]
    assert texts(turns_by_channel(pieces, OPTIONS)) == ["我们这款卖得好", "嗯"]


def test_a_real_answer_in_between_breaks_it() -> None:
    pieces = [said(0, 0, "我们这款"), said(1, 700, "多少钱一年"), said(0, 1750, "三百")]
    assert texts(turns_by_channel(pieces, OPTIONS)) == ["我们这款", "多少钱一年", "三百"]


def test_the_same_side_after_a_long_silence_begins_a_new_turn() -> None:
    pieces = [said(0, 0, "您好"), said(0, 2400, "在吗")]
    assert texts(turns_by_channel(pieces, OPTIONS)) == ["您好", "在吗"]


def test_pauses_are_written_as_commas_once() -> None:
    speech = Speech(
        0, (*words_of("您好"), Word(400, 500, "，", 0.9), *words_of("请", 900), *words_of("坐", 1400))
    )
    assert speech.text_with_pauses(160) == "您好，请，坐"
    assert speech.raw_text == "您好，请坐"


def test_a_word_stretched_over_silence_is_pulled_to_its_speech() -> None:
    words = (Word(0, 1000, "您", 0.9), Word(1000, 2600, "好", 0.9))
    assert snapped(words, [(300, 900), (2200, 2500)]) == (
        Word(300, 900, "您", 0.9),
        Word(2200, 2500, "好", 0.9),
    )


def test_a_word_over_two_runs_goes_to_the_one_it_covers_most() -> None:
    assert snapped((Word(0, 1000, "好", 0.9),), [(0, 100), (400, 1000)]) == (Word(400, 1000, "好", 0.9),)


def test_a_word_outside_all_speech_stays() -> None:
    word = Word(100, 200, "好", 0.9)
    assert snapped((word,), [(500, 900)]) == (word,)
    assert snapped((word,), []) == (word,)


@settings(deadline=None)
@given(channel_words(), st.lists(st.integers(0, 20_000), min_size=2, max_size=12, unique=True).map(sorted))
def test_snapping_never_turns_time_backward(words: tuple[Word, ...], cuts: list[int]) -> None:
    speech = list(zip(cuts[::2], cuts[1::2], strict=False))
    result = snapped(words, speech)
    assert [word.text for word in result] == [word.text for word in words]
    assert all(word.start_ms <= word.end_ms for word in result)
    starts = [word.start_ms for word in result]
    assert starts == sorted(starts)


def test_a_pause_within_a_number_or_before_a_particle_is_no_comma() -> None:
    said = (("一共", 0, 400), ("19", 700, 900), ("584", 1200, 1500), ("对", 1900, 2100), ("吧", 2400, 2500))
    words = tuple(Word(start, end, text, 0.9) for text, start, end in said)
    assert Speech(0, words).text_with_pauses(160) == "一共，19584，对吧"


def test_a_pause_within_a_word_is_not_marked() -> None:
    said = ("我", "考", "虑", "下")
    speech = Speech(
        0, tuple(Word(1000 * place, 1000 * place + 500, text, 0.9) for place, text in enumerate(said))
    )
    assert speech.text_with_pauses(160) == "我，考，虑，下"
    assert speech.text_with_pauses(160, lambda _: ("我", "考虑", "下")) == "我，考虑，下"
