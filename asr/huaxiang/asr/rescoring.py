"""Chooses among what a recogniser might have heard by what people say: homophones become the right words.

A recogniser trained on little Mandarin hears the syllable and writes another character of its sound. A
trellis of its own alternatives and of characters that sound alike is searched for the words that are most
likely, by the recogniser and by a language model together (second-pass rescoring; Ortmanns, Ney & Aubert
1997).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from huaxiang.asr.language_model import START, WordTrigrams
from huaxiang.asr.lattice import Position, Stretch
from huaxiang.asr.pronunciation import readings_of, sound_class

_HAN = re.compile(r"[\u3400-\u9fff]+")
_LONGEST_WORD = 5


@dataclass(frozen=True, slots=True)
class RescoringOptions:
    """How the recogniser is weighed against the language model; all costs are natural log-probabilities.

    ``recogniser`` weighs its log-probabilities. A character that sounds the same as the decoded one costs
    ``same_sound`` more, one that merely sounds alike ``alike``, an alternative of another sound
    ``other_sound``. What the recogniser did not list is taken to lie ``unlisted`` under the least likely
    that it did, or ``unfinished`` under the bytes that it begins with. Nothing is as good as decoded:
    ``least`` is the smallest cost. A character that was decoded with a log-probability over ``sure`` stays.
    """

    recogniser: float = 0.8
    same_sound: float = 1.0
    alike: float = 8.0
    other_sound: float = 4.0
    unlisted: float = 0.5
    unfinished: float = 0.0
    least: float = 0.5
    sure: float = -0.02
    dearest: float = 28.0
    beam: int = 6
    words_at_a_place: int = 20
    homophones: int = 40
    ordinary: int = 10


@dataclass(frozen=True, slots=True)
class _Path:
    """The best way to a place: its score and its words."""

    score: float
    words: tuple[str, ...]


class Rescorer:
    """Finds the likeliest words in the neighbourhood of a recogniser's result.

    ``ordinary`` are the frequencies of a language's words; those of ``options.ordinary`` and more, and those
    of the language model, may be written.
    """

    def __init__(
        self, model: WordTrigrams, ordinary: Mapping[str, int], options: RescoringOptions | None = None
    ) -> None:
        self._model = model
        self._options = options or RescoringOptions()
        known = {word for word, count in ordinary.items() if count >= self._options.ordinary} | model.words
        words = [word for word in known if len(word) <= _LONGEST_WORD and is_han(word)]
        self._words = _tree(words)
        self._homophones = self._by_sound(word for word in words if len(word) == 1)

    def rescored(self, stretches: Sequence[Stretch]) -> str:
        """Return the text of stretches with the likeliest characters; what is not Han stays."""
        return "".join(self._likeliest(stretch.positions) + stretch.text for stretch in stretches)

    def _likeliest(self, positions: Sequence[Position]) -> str:
        reached: list[dict[tuple[str, str], _Path]] = [{} for _ in range(len(positions) + 1)]
        reached[0][START, START] = _Path(0.0, ())
        choices = [self._choices(position) for position in positions]
        for place in range(len(positions)):
            paths = sorted(reached[place].items(), key=lambda item: -item[1].score)[: self._options.beam]
            if not paths:
                continue
            for word, cost in self._words_from(positions, choices, place):
                ends = reached[place + len(word)]
                for (before, last), path in paths:
                    score = path.score - cost + self._model.log_probability(word, before, last)
                    known = ends.get((last, word))
                    if known is None or known.score < score:
                        ends[last, word] = _Path(score, (*path.words, word))
        return "".join(max(reached[-1].values(), key=lambda path: path.score).words)

    def _words_from(
        self, positions: Sequence[Position], choices: Sequence[Mapping[str, float]], place: int
    ) -> list[tuple[str, float]]:
        """Return the words that may begin at a place, with what they cost against what was decoded."""
        found: dict[str, float] = {positions[place].char: 0.0}
        open_words = [(self._words, "", 0.0)]
        while open_words:
            branch, begun, cost = open_words.pop()
            if place + len(begun) == len(choices):
                continue
            for char, more in choices[place + len(begun)].items():
                grown = branch.get(char)
                if grown is None or cost + more > self._options.dearest:
                    continue
                word = begun + char
                if "" in grown:
                    found[word] = cost + more
                open_words.append((grown, word, cost + more))
        head = positions[place]
        for word, score in head.words.items():
            if len(word) == head.length:
                decoded = "".join(position.char for position in positions[place : place + head.length])
                cost = self._cost_of_word(decoded, word, score)
                found[word] = min(found.get(word, cost), cost)
        ranked = sorted(found.items(), key=lambda item: item[1] - self._model.log_unigram(item[0]))
        return ranked[: self._options.words_at_a_place]

    def _cost_of_word(self, decoded: str, word: str, score: float) -> float:
        strange = sum(not _sound_alike(*pair) for pair in zip(decoded, word, strict=True))
        return self._doubt(score) + self._options.other_sound * strange

    def _doubt(self, score: float) -> float:
        """Return the cost of a log-probability against the decoded one's."""
        return max(self._options.recogniser * -score, self._options.least)

    def _choices(self, position: Position) -> dict[str, float]:
        """Return the characters that a place may hold, with what they cost against the decoded one."""
        options = self._options
        choices = {position.char: 0.0}
        if position.log_probability > options.sure:
            return choices
        for char, score in position.others.items():
            strange = 0.0 if _sound_alike(position.char, char) else options.other_sound
            choices[char] = self._doubt(score) + strange
        for sound in _sounds(position.char):
            for char in self._homophones.get(sound, ()):
                if char not in choices:
                    choices[char] = self._unlisted_cost(position, char)
        return choices

    def _unlisted_cost(self, position: Position, char: str) -> float:
        options = self._options
        spelled = char.encode()
        begun = [score - options.unfinished for start, score in position.begun if spelled.startswith(start)]
        score = max(begun, default=position.floor - options.unlisted)
        likeness = options.same_sound if _sound_the_same(position.char, char) else options.alike
        return self._doubt(score) + likeness

    def _by_sound(self, chars: Iterable[str]) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for char in sorted(chars, key=lambda char: (-self._model.log_unigram(char), char)):
            for sound in _sounds(char):
                if len(found[sound]) < self._options.homophones:
                    found[sound].append(char)
        return dict(found)


def is_han(text: str) -> bool:
    """Tell whether a text is Han characters and nothing else."""
    return bool(_HAN.fullmatch(text))


@lru_cache(maxsize=16384)
def _sounds(char: str) -> frozenset[tuple[str, str]]:
    return frozenset(map(sound_class, readings_of(char)))


@lru_cache(maxsize=65536)
def _sound_alike(first: str, second: str) -> bool:
    return not _sounds(first).isdisjoint(_sounds(second))


@lru_cache(maxsize=65536)
def _sound_the_same(first: str, second: str) -> bool:
    return not set(readings_of(first)).isdisjoint(readings_of(second))


def _tree(words: Iterable[str]) -> dict[str, Any]:
    """Return the words as a tree of characters; an empty key marks the end of one."""
    tree: dict[str, Any] = {}
    for word in words:
        branch = tree
        for char in word:
            branch = branch.setdefault(char, {})
        branch[""] = {}
    return tree
