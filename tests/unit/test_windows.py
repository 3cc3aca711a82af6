"""Laying conversations out in windows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.windows import LIMIT_TOKENS, TokenSpan, lay_out, pieces_of


class CharacterTokenizer:
    start_id, padding_id, separator_id = 0, 1, 2

    def tokenize(self, text: str) -> TokenSpan:
        return TokenSpan(tuple(ord(c) for c in text), tuple((place, place + 1) for place in range(len(text))))


_TOKENIZER = CharacterTokenizer()
_lengths = st.lists(st.integers(0, 700), min_size=1, max_size=120)


def _spans(lengths: list[int]) -> list[TokenSpan]:
    return [_TOKENIZER.tokenize("字" * length) for length in lengths]


@given(_lengths)
def test_every_turn_is_labelled_by_exactly_one_window_a_piece(lengths: list[int]) -> None:
    pieces = pieces_of(_spans(lengths))
    windows = lay_out(pieces, _TOKENIZER)
    cores = [place for window in windows for place in range(window.core_first, window.core_last)]
    assert cores == list(range(len(pieces)))
    assert {piece.turn for piece in pieces} == set(range(len(lengths)))


@given(_lengths)
def test_no_window_exceeds_the_encoder(lengths: list[int]) -> None:
    for window in lay_out(pieces_of(_spans(lengths)), _TOKENIZER):
        assert len(window.ids) == len(window.segments) <= LIMIT_TOKENS
        assert window.first <= window.core_first < window.core_last <= window.last


@given(_lengths)
def test_pieces_keep_every_token_in_order(lengths: list[int]) -> None:
    spans = _spans(lengths)
    pieces = pieces_of(spans)
    for turn, span in enumerate(spans):
        own = [piece.span for piece in pieces if piece.turn == turn]
        assert tuple(offset for part in own for offset in part.offsets) == span.offsets


def test_a_short_conversation_is_read_at_once() -> None:
    (window,) = lay_out(pieces_of(_spans([20] * 10)), _TOKENIZER)
    assert (window.first, window.core_first, window.core_last, window.last) == (0, 0, 10, 10)
    assert window.ids[0] == 0
    assert window.ids.count(2) == 10


def test_a_long_conversation_has_context_on_both_sides_of_a_cut() -> None:
    windows = lay_out(pieces_of(_spans([30] * 40)), _TOKENIZER)
    assert len(windows) > 2
    middle = windows[1]
    assert middle.first < middle.core_first
    assert middle.last > middle.core_last
