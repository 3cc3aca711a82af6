"""From recognised words to turns, in time order. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from huaxiang.core.types import Word

_PARTICLES = "吧吗呢啊呀嘛的了过着们"
_ENDS = ("。", "？", "！", "?", "!")


@dataclass(frozen=True, slots=True)
class Speech:
    """Words of one channel without a long pause between them."""

    channel: int
    words: tuple[Word, ...]

    @property
    def start_ms(self) -> int:
        """Where the first word begins."""
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        """Where the last word ends."""
        return self.words[-1].end_ms

    @property
    def raw_text(self) -> str:
        """The words joined."""
        return "".join(word.text for word in self.words).strip()

    def text_with_pauses(self, pause_ms: int, cut: Callable[[str], Iterable[str]] = iter) -> str:
        """Return the words joined, with a comma where the speaker paused for ``pause_ms`` without one.

        ``cut`` parts a text into what no comma may stand in: a recogniser's words are single characters.
        """
        whole = set(accumulate(map(len, cut("".join(word.text for word in self.words)))))
        parts, reached = [self.words[0].text], 0
        for before, word in pairwise(self.words):
            reached += len(before.text)
            unmarked = before.text[-1].isalnum() and word.text.lstrip()[0].isalnum()
            unmarked = unmarked and reached in whole and not _belongs(before.text, word.text)
            paused = word.start_ms - before.end_ms >= pause_ms
            parts.append("，" + word.text.lstrip() if paused and unmarked else word.text)
        return "".join(parts).strip()


def _belongs(before: str, after: str) -> bool:
    """Tell whether two words are of one piece whatever the pause: a number in parts, a particle."""
    return (before[-1].isdecimal() and after[0].isdecimal()) or after[0] in _PARTICLES


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """How words become turns.

    A pause of ``comma_ms`` is written as a comma. One of ``pause_ms`` between two words, or of
    ``sentence_pause_ms`` after a sentence's end, separates. Pieces of one channel are one turn where
    less than ``join_ms`` lies between them and the other side said nothing longer than a back-channel
    (``back_channel_ms``) meanwhile.
    """

    comma_ms: int = 160
    pause_ms: int = 500
    sentence_pause_ms: int = 250
    join_ms: int = 1000
    back_channel_ms: int = 800


def spoken_pieces(channel: int, words: Sequence[Word], options: TurnOptions) -> list[Speech]:
    """Separate the words of one channel, in time order, at its pauses."""
    pieces: list[list[Word]] = []
    for word in words:
        if pieces and not _separates(pieces[-1][-1], word, options):
            pieces[-1].append(word)
        else:
            pieces.append([word])
    return [Speech(channel, tuple(piece)) for piece in pieces]


def _separates(before: Word, after: Word, options: TurnOptions) -> bool:
    pause = after.start_ms - before.end_ms
    return pause >= options.pause_ms or (before.text.endswith(_ENDS) and pause >= options.sentence_pause_ms)


def turns_by_channel(pieces: Iterable[Speech], options: TurnOptions) -> list[Speech]:
    """Join pieces of several channels into turns, in the order in which they begin."""
    turns: list[Speech] = []
    for piece in sorted(pieces, key=lambda speech: (speech.start_ms, speech.channel)):
        own = _open_turn(turns, piece, options)
        if own is None:
            turns.append(piece)
        else:
            turns[own] = Speech(piece.channel, turns[own].words + piece.words)
    return turns


def _open_turn(turns: Sequence[Speech], piece: Speech, options: TurnOptions) -> int | None:
    """Return the place of the turn that a piece goes on with, if there is one."""
    for place in range(len(turns) - 1, -1, -1):
        turn = turns[place]
        if turn.channel == piece.channel:
            return place if piece.start_ms - turn.end_ms < options.join_ms else None
        if turn.end_ms - turn.start_ms > options.back_channel_ms:
            return None
    return None


def snapped(words: Sequence[Word], speech: Sequence[tuple[int, int]]) -> tuple[Word, ...]:
    """Pull word boundaries that lie in silence to the speech that the word belongs to.

    ``speech`` are the voiced spans of the channel in ms, in order. A recogniser's word times stretch
    over pauses; of a word over several spans, the one that it covers most is kept. A word outside all
    speech stays as it is.
    """
    result: list[Word] = []
    first = 0
    for word in words:
        while first < len(speech) and speech[first][1] <= word.start_ms:
            first += 1
        result.append(_snapped_word(word, speech, first))
    return tuple(result)


def _snapped_word(word: Word, speech: Sequence[tuple[int, int]], first: int) -> Word:
    best: tuple[int, int] | None = None
    for start_ms, end_ms in speech[first:]:
        if start_ms >= word.end_ms:
            break
        covered = max(start_ms, word.start_ms), min(end_ms, word.end_ms)
        if best is None or covered[1] - covered[0] > best[1] - best[0]:
            best = covered
    if best is None or best[1] <= best[0]:
        return word
    return replace(word, start_ms=best[0], end_ms=best[1])
