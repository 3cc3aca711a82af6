"""How likely a word is after two others: counted in sales conversations, resting on ordinary words."""

from __future__ import annotations

import gzip
import json
import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.errors import ModelCorrupt

SHIPPED_SENTENCES = Path(__file__).parent / "weights" / "sales-words.json.gz"
START = ""
"""Stands before the first word of a stretch."""

_UNKNOWN = 1e-9  # the probability of a word that no table knows
# A sentence begins twice, so that its first word has two before it. Other words are numbered from 2.
_BEFORE, _BEGINNING, _STRANGE = 0, 1, -1

Numbers = NDArray[np.int64]


class _Followers:
    """How often what follows what: for every history its followers in order, in flat arrays.

    For 440,000 words of text they take 10 MB, and tables of tables 100.
    """

    def __init__(self, histories: Numbers, words: Numbers, kinds: int, history_count: int) -> None:
        """Count pairs of a history and a word, both numbered from 0, the words below ``kinds``."""
        keys, counts = np.unique(histories * kinds + words, return_counts=True)
        self._starts = _whole(np.searchsorted(keys, np.arange(history_count + 1) * kinds))
        self._words = _whole(keys % kinds)
        self._before = _whole(np.append(0, np.cumsum(counts)))

    def __len__(self) -> int:
        """Return how many different pairs came."""
        return len(self._words)

    def place(self, history: int, word: int) -> int | None:
        """Return the place of a pair among all of them in order, ``None`` if it never came."""
        start, end = self._starts[history], self._starts[history + 1]
        place = bisect_left(self._words, word, start, end)
        return place if place < end and self._words[place] == word else None

    def estimate(self, history: int, word: int, shorter: float) -> float:
        """Return P(word | history); ``shorter`` is that of the shorter history."""
        start, end = self._starts[history], self._starts[history + 1]
        if start == end:
            return shorter
        before, place = self._before, self.place(history, word)
        count = 0 if place is None else before[place + 1] - before[place]
        return (count + (end - start) * shorter) / (before[end] - before[start] + end - start)


class WordTrigrams:
    """A word trigram model, interpolated by Witten and Bell's estimate of the unseen.

    P(w|h) = (c(h,w) + N(h)·P(w|h')) / (c(h) + N(h)), where N(h) counts the different words after h and h' is
    h without its first word (Bell, Cleary & Witten 1990). Under the unigrams lie the frequencies of
    ``ordinary`` words. ``sentences`` are sequences of words without marks between them.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], ordinary: Mapping[str, int]) -> None:
        self._numbers = {START: _BEGINNING}
        text: list[int] = []
        for sentence in sentences:
            text += (_BEFORE, _BEGINNING)
            text += (self._numbers.setdefault(word, len(self._numbers) + 1) for word in sentence)
        said = np.array(text, dtype=np.int64)
        kinds = len(self._numbers) + 1
        words = np.flatnonzero(said > _BEGINNING)
        follows = np.flatnonzero(said != _BEFORE)
        self._singles = _Followers(np.zeros_like(words), said[words], kinds, 1)
        self._pairs = _Followers(said[follows - 1], said[follows], kinds, kinds)
        pairs = said[follows - 1] * kinds + said[follows]
        histories = np.searchsorted(np.unique(pairs), said[words - 2] * kinds + said[words - 1])
        self._triples = _Followers(histories, said[words], kinds, len(self._pairs))
        self._ordinary = ordinary
        self._ordinary_total = sum(ordinary.values()) or 1
        self._single = lru_cache(maxsize=65536)(self._unigram)

    @property
    def words(self) -> frozenset[str]:
        """The words that the sentences hold."""
        return frozenset(self._numbers) - {START}

    def log_probability(self, word: str, before: str, last: str) -> float:
        """Return the natural logarithm of P(word | before, last); ``START`` where nothing precedes."""
        probability = self._single(word)
        history = self._numbers.get(last)
        if history is None:
            return math.log(probability)
        number = self._numbers.get(word, _STRANGE)
        probability = self._pairs.estimate(history, number, probability)
        first = _BEFORE if last == START else self._numbers.get(before)
        longer = None if first is None else self._pairs.place(first, history)
        if longer is not None:
            probability = self._triples.estimate(longer, number, probability)
        return math.log(probability)

    def log_unigram(self, word: str) -> float:
        """Return the natural logarithm of P(word), whatever precedes."""
        return math.log(self._single(word))

    def _unigram(self, word: str) -> float:
        ordinary = max(self._ordinary.get(word, 0) / self._ordinary_total, _UNKNOWN)
        return self._singles.estimate(0, self._numbers.get(word, _STRANGE), ordinary)


def _whole(values: Numbers) -> array[int]:
    """Return numbers in 32 bits: single ones are read faster from an array than from numpy's."""
    return array("i", values.astype(np.int32).tobytes())


def write_sentences(
    path: Path, sentences: Sequence[Sequence[str]], made_from: Mapping[str, str], held_out: Iterable[str]
) -> None:
    """Write sentences of words with the sums of the files that they were made from, by name.

    The same ones give the same bytes.
    """
    words = sorted({word for sentence in sentences for word in sentence})
    place = {word: index for index, word in enumerate(words)}
    document = {
        "made_from": dict(sorted(made_from.items())),
        "held_out": sorted(held_out),
        "words": words,
        "sentences": [[place[word] for word in sentence] for sentence in sentences],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def read_sentences(path: Path) -> list[tuple[str, ...]]:
    """Return the sentences of a file that ``write_sentences`` wrote. Raises ModelCorrupt where it is none."""
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
        words = document["words"]
        return [tuple(words[index] for index in sentence) for sentence in document["sentences"]]
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelCorrupt(f"{path.name} holds no sentences of words") from error
