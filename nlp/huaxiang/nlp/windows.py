"""Lays a conversation out in windows that fit the encoder, so that each turn is read in its context.

A conversation is read as one text: ``<s>``, then for each turn a separator and the turn's tokens.
Reading many turns at once costs each token one pass only, where a window per turn would read its
context again and again. A conversation longer than the encoder's positions is cut into windows of
about equal size; each has some turns before and after as context, whose labels other windows give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

LIMIT_TOKENS = 512
CONTEXT_BEFORE_TURNS = 4
CONTEXT_AFTER_TURNS = 2
LONGEST_PIECE_TOKENS = 240


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """The tokens of one turn: ids, and for each the span of the turn's text it stands for."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class Tokenizer(Protocol):
    """Cuts a text into the encoder's tokens."""

    start_id: int
    separator_id: int
    padding_id: int

    def tokenize(self, text: str) -> TokenSpan:
        """Return the tokens of ``text`` without special ones."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A turn, or a part of a turn that is too long to be read at once."""

    turn: int
    span: TokenSpan


@dataclass(frozen=True, slots=True)
class Window:
    """A run of pieces that is encoded together.

    ``first``/``last`` bound the pieces (last exclusive); those in ``core_first``/``core_last`` get
    their labels from here. ``segments`` gives for each token the piece's place in the window, or -1.
    """

    first: int
    core_first: int
    core_last: int
    last: int
    ids: tuple[int, ...]
    segments: tuple[int, ...]


def pieces_of(spans: Sequence[TokenSpan], longest: int = LONGEST_PIECE_TOKENS) -> list[Piece]:
    """Return the turns as pieces of at most ``longest`` tokens, in order; every turn has one."""
    pieces = []
    for turn, span in enumerate(spans):
        for start in range(0, max(len(span.ids), 1), longest):
            part = slice(start, start + longest)
            pieces.append(Piece(turn, TokenSpan(span.ids[part], span.offsets[part])))
    return pieces


def lay_out(
    pieces: Sequence[Piece],
    tokenizer: Tokenizer,
    limit: int = LIMIT_TOKENS,
    before: int = CONTEXT_BEFORE_TURNS,
    after: int = CONTEXT_AFTER_TURNS,
) -> list[Window]:
    """Return windows of at most ``limit`` tokens whose cores cover every piece exactly once.

    Context is dropped, farthest first, where core and context together do not fit.
    """
    costs = [len(piece.span.ids) + 1 for piece in pieces]
    windows = []
    for core_first, core_last in _cores(costs, limit):
        first, last = core_first, core_last
        room = limit - 1 - sum(costs[core_first:core_last])
        for _ in range(max(before, after)):
            if first > 0 and core_first - first < before and costs[first - 1] <= room:
                first -= 1
                room -= costs[first]
            if last < len(pieces) and last - core_last < after and costs[last] <= room:
                room -= costs[last]
                last += 1
        windows.append(_window(pieces, tokenizer, first, core_first, core_last, last))
    return windows


def _cores(costs: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Cut the pieces into runs of about equal cost, leaving a third of each window for context."""
    total = sum(costs)
    if total + 1 <= limit:
        return [(0, len(costs))]
    share = limit * 2 // 3
    runs = -(-total // share)
    target = total / runs
    cores, start, cost = [], 0, 0
    for place, piece_cost in enumerate(costs):
        if place > start and (cost + piece_cost / 2 > target or cost + piece_cost > limit - 1):
            cores.append((start, place))
            start, cost = place, 0
        cost += piece_cost
    cores.append((start, len(costs)))
    return cores


def _window(
    pieces: Sequence[Piece], tokenizer: Tokenizer, first: int, core_first: int, core_last: int, last: int
) -> Window:
    ids, segments = [tokenizer.start_id], [-1]
    for place in range(first, last):
        span = pieces[place].span
        ids += [tokenizer.separator_id, *span.ids]
        segments += [place - first] * (len(span.ids) + 1)
    return Window(first, core_first, core_last, last, tuple(ids), tuple(segments))
