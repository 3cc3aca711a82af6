"""Speech that a recogniser passed over: voiced stretches under which no word lies. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huaxiang.asr.segmentation import Span
from huaxiang.core.types import Word


@dataclass(frozen=True, slots=True)
class CoverageOptions:
    """What counts as passed over.

    A voiced stretch of at least ``shortest_ms`` that no word touches, a word reaching ``reach_ms``
    beyond its ends. Stretches less than ``join_ms`` apart are heard again as one, with ``pad_ms`` on
    both sides. What is heard so stands where its mean log-probability per token is over
    ``log_probability``, and what is passed over in it is heard again, ``rounds`` times at the most.
    """

    shortest_ms: int = 700
    reach_ms: int = 300
    join_ms: int = 1000
    pad_ms: int = 100
    log_probability: float = -1.0
    rounds: int = 3


def passed_over(
    span: Span, runs: Sequence[tuple[int, int]], words: Sequence[Word], options: CoverageOptions
) -> tuple[Span, ...]:
    """Return the parts of a decoded span that are to be heard again.

    ``runs`` are the voiced stretches of the channel in ms, ``words`` those recognised in the span; both
    in time order.
    """
    stretches: list[tuple[int, int]] = []
    for start_ms, end_ms in runs:
        voiced = max(start_ms, span.start_ms), min(end_ms, span.end_ms)
        stretches.extend(
            left
            for left in _left(voiced, words, options.reach_ms)
            if left[1] - left[0] >= options.shortest_ms
        )
    return tuple(
        Span(
            max(start_ms - options.pad_ms, span.start_ms),
            min(end_ms + options.pad_ms, span.end_ms),
            span.channel,
        )
        for start_ms, end_ms in _joined(stretches, options.join_ms)
    )


def _left(voiced: tuple[int, int], words: Sequence[Word], reach_ms: int) -> list[tuple[int, int]]:
    """Return what of a voiced stretch lies out of the reach of all words."""
    left: list[tuple[int, int]] = []
    at_ms, end_ms = voiced
    for word in words:
        if word.start_ms - reach_ms >= end_ms:
            break
        if word.start_ms - reach_ms > at_ms:
            left.append((at_ms, word.start_ms - reach_ms))
        at_ms = max(at_ms, word.end_ms + reach_ms)
    if at_ms < end_ms:
        left.append((at_ms, end_ms))
    return left


def _joined(stretches: Sequence[tuple[int, int]], join_ms: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start_ms, end_ms in stretches:
        if joined and start_ms - joined[-1][1] < join_ms:
            joined[-1] = (joined[-1][0], end_ms)
        else:
            joined.append((start_ms, end_ms))
    return joined
