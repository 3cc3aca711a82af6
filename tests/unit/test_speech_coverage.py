"""Speech under which no word lies is found, and nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.asr.coverage import CoverageOptions, passed_over
from huaxiang.asr.segmentation import Span
from huaxiang.core.types import Word

OPTIONS = CoverageOptions(shortest_ms=700, reach_ms=300, join_ms=1000, pad_ms=100)
SPAN = Span(1000, 11_000, 1)


def word(start_ms: int, end_ms: int) -> Word:
    return Word(start_ms, end_ms, "字", 0.9)


def test_speech_after_the_last_word_is_to_be_heard_again() -> None:
    assert passed_over(SPAN, [(1000, 9000)], [word(1000, 4000)], OPTIONS) == (Span(4200, 9100, 1),)


def test_speech_before_the_first_word_is_to_be_heard_again() -> None:
    assert passed_over(SPAN, [(1000, 9000)], [word(5000, 9000)], OPTIONS) == (Span(1000, 4800, 1),)


def test_speech_without_any_word_is_to_be_heard_again_as_one() -> None:
    assert passed_over(SPAN, [(2000, 3000), (3500, 5000)], [], OPTIONS) == (Span(1900, 5100, 1),)


def test_silence_and_covered_speech_are_not() -> None:
    assert passed_over(SPAN, [], [], OPTIONS) == ()
    assert passed_over(SPAN, [(1000, 3000)], [word(1000, 2900)], OPTIONS) == ()
    assert passed_over(SPAN, [(1000, 3000)], [word(1400, 2000), word(2500, 2600)], OPTIONS) == ()


def test_a_short_stretch_is_not() -> None:
    assert passed_over(SPAN, [(2000, 2600)], [], OPTIONS) == ()


def test_speech_outside_the_span_is_not() -> None:
    assert passed_over(SPAN, [(0, 900), (11_500, 14_000)], [], OPTIONS) == ()


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 12_000), min_size=2, max_size=12, unique=True).map(sorted),
    st.lists(st.integers(0, 12_000), min_size=2, max_size=12, unique=True).map(sorted),
)
def test_parts_are_in_order_inside_the_span_and_away_from_words(runs: list[int], words: list[int]) -> None:
    spoken = [word(start, end) for start, end in zip(words[::2], words[1::2], strict=False)]
    parts = passed_over(SPAN, list(zip(runs[::2], runs[1::2], strict=False)), spoken, OPTIONS)
    assert list(parts) == sorted(parts)
    assert all(SPAN.start_ms <= part.start_ms < part.end_ms <= SPAN.end_ms for part in parts)
    for part in parts:
        assert part.duration_ms >= OPTIONS.shortest_ms
