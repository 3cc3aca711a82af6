"""Builds evidence: the one place where a span of text becomes a quote with its place in the audio."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TypeAlias

from huaxiang.core.types import Evidence, Transcript, Turn, Word

_Block: TypeAlias = tuple[int, int, int, int]
"""Start and end in the text, start and end in what was spoken."""
_MYRIADS = frozenset("万亿")


def quote(
    transcript: Transcript, turn_index: int, char_start: int = 0, char_end: int | None = None
) -> Evidence:
    """Return evidence for ``turn.text[char_start:char_end]`` (the whole turn as it comes).

    Times come from the words under the span; a typed conversation has none. Raises IndexError for
    a turn that does not exist and ValueError for an empty span.
    """
    turn = transcript.turns[turn_index]
    end = len(turn.text) if char_end is None else char_end
    start_ms, end_ms = span_times(turn, char_start, end) if transcript.timed else (None, None)
    return Evidence(
        recording_id=transcript.recording_id,
        turn=turn.index,
        char_start=char_start,
        char_end=end,
        start_ms=start_ms,
        end_ms=end_ms,
        quote=turn.text[char_start:end],
    )


def span_times(turn: Turn, char_start: int, char_end: int) -> tuple[int, int]:
    """Return start and end in ms of the words that ``turn.text[char_start:char_end]`` was read from.

    ``text`` and the recognised words differ by punctuation and by how numbers are written, so the
    two are aligned first (longest matching blocks). Without words the time is shared out evenly.
    """
    if not turn.words:
        return _shared_out(turn, char_start, char_end)
    spoken = "".join(word.text for word in turn.words)
    first, last = _aligned(turn.text, spoken, char_start, char_end)
    covered = _words_between(turn.words, first, max(last, first + 1))
    return covered[0].start_ms, max(covered[-1].end_ms, covered[0].start_ms)


def _shared_out(turn: Turn, char_start: int, char_end: int) -> tuple[int, int]:
    length = max(len(turn.text), 1)
    duration = turn.end_ms - turn.start_ms
    return (
        turn.start_ms + duration * char_start // length,
        turn.start_ms + -(-duration * char_end // length),
    )


def _aligned(text: str, spoken: str, char_start: int, char_end: int) -> tuple[int, int]:
    """Map a span of ``text`` to the span of ``spoken`` it stands for."""
    first: int | None = None
    last = 0
    for text_start, text_end, spoken_start, spoken_end in _blocks(text, spoken):
        overlap_start, overlap_end = max(text_start, char_start), min(text_end, char_end)
        if overlap_start >= overlap_end or spoken_start == spoken_end:
            continue
        if text_end - text_start == spoken_end - spoken_start:
            start = spoken_start + overlap_start - text_start
            end = spoken_start + overlap_end - text_start
        else:
            start, end = spoken_start, spoken_end
        first = start if first is None else first
        last = end
    if first is None:
        place = min(len(spoken) * char_start // max(len(text), 1), max(len(spoken) - 1, 0))
        return place, place + 1
    return first, last


def _blocks(text: str, spoken: str) -> list[_Block]:
    """Return the blocks of both texts that stand for each other, in order.

    A number is one block: in 2.3万 for 二万三千 the 万 is the same sign, and not in the same place.
    """
    blocks: list[_Block] = []
    in_change = False
    for tag, *block in SequenceMatcher(None, text, spoken, autojunk=False).get_opcodes():
        text_start, text_end, spoken_start, spoken_end = block
        changed = tag != "equal" or set(text[text_start:text_end]) <= _MYRIADS
        if changed and in_change:
            first = blocks.pop()
            text_start, spoken_start = first[0], first[2]
        blocks.append((text_start, text_end, spoken_start, spoken_end))
        in_change = changed
    return blocks


def _words_between(words: tuple[Word, ...], first: int, last: int) -> list[Word]:
    covered = []
    position = 0
    for word in words:
        if position < last and position + len(word.text) > first:
            covered.append(word)
        position += len(word.text)
    return covered or [words[-1]]
