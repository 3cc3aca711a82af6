"""How likely a word is after two others: counted in sales conversations, resting on ordinary words."""

from __future__ import annotations

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from huaxiang.core.errors import ModelCorrupt

SHIPPED_SENTENCES = Path(__file__).parent / "weights" / "sales-words.json.gz"
START = ""
"""Stands before the first word of a stretch."""

_UNKNOWN = 1e-9  # the probability of a word that no table knows


@dataclass(frozen=True, slots=True)
class _Followers:
    """What follows a history: counts by word, their sum, and how many words they are of."""

    counts: dict[str, int]
    total: int

    @property
    def kinds(self) -> int:
        """How many different words follow."""
        return len(self.counts)


class WordTrigrams:
    """A word trigram model, interpolated by Witten and Bell's estimate of the unseen.

    P(w|h) = (c(h,w) + k·N(h)·P(w|h')) / (c(h) + k·N(h)), where N(h) counts the different words after h and
    h' is h without its first word (Bell, Cleary & Witten 1990; ``unseen`` is k). Under the unigrams lie the
    frequencies of ``ordinary`` words. ``sentences`` are sequences of words without marks between them.
    """

    def __init__(
        self, sentences: Iterable[Sequence[str]], ordinary: Mapping[str, int], unseen: float = 1.5
    ) -> None:
        singles: dict[str, int] = defaultdict(int)
        pairs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        triples: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for sentence in sentences:
            before, last = START, START
            for word in sentence:
                singles[word] += 1
                pairs[last][word] += 1
                triples[before, last][word] += 1
                before, last = last, word
        self._unseen = unseen
        self._ordinary = ordinary
        self._ordinary_total = sum(ordinary.values()) or 1
        self._singles = _Followers(dict(singles), sum(singles.values()))
        self._pairs = {last: _Followers(dict(after), sum(after.values())) for last, after in pairs.items()}
        self._triples = {two: _Followers(dict(after), sum(after.values())) for two, after in triples.items()}
        self._single = lru_cache(maxsize=65536)(self._unigram)

    @property
    def words(self) -> frozenset[str]:
        """The words that the sentences hold."""
        return frozenset(self._singles.counts)

    def log_probability(self, word: str, before: str, last: str) -> float:
        """Return the natural logarithm of P(word | before, last); ``START`` where nothing precedes."""
        probability = self._single(word)
        probability = self._after(self._pairs.get(last), word, probability)
        return math.log(self._after(self._triples.get((before, last)), word, probability))

    def log_unigram(self, word: str) -> float:
        """Return the natural logarithm of P(word), whatever precedes."""
        return math.log(self._single(word))

    def _unigram(self, word: str) -> float:
        ordinary = max(self._ordinary.get(word, 0) / self._ordinary_total, _UNKNOWN)
        return self._after(self._singles if self._singles.total else None, word, ordinary)

    def _after(self, followers: _Followers | None, word: str, shorter: float) -> float:
        if followers is None:
            return shorter
        unseen = self._unseen * followers.kinds
        return (followers.counts.get(word, 0) + unseen * shorter) / (followers.total + unseen)


def write_sentences(
    path: Path, sentences: Sequence[Sequence[str]], made_from: str, held_out: Iterable[str]
) -> None:
    """Write sentences of words with what they were made from; the same ones give the same bytes."""
    words = sorted({word for sentence in sentences for word in sentence})
    place = {word: index for index, word in enumerate(words)}
    document = {
        "made_from": made_from,
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
