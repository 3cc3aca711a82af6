"""How alike turns and sentences are in meaning, by vectors that an encoder makes on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

import numpy as np

from huaxiang.core.types import Turn
from huaxiang.nlp.encoder import SentenceEncoder, Vectors, normalised

MOST_SENTENCES = 10_000


class LazyEncoder:
    """An encoder that is loaded when it is first asked for something; safe to share between threads."""

    def __init__(self, load: Callable[[], SentenceEncoder]) -> None:
        self._load = load
        self._loaded: SentenceEncoder | None = None
        self._lock = Lock()

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._encoder().dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of the texts. Raises ModelError, also where the model cannot be loaded."""
        return self._encoder().encode(texts)

    def _encoder(self) -> SentenceEncoder:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded


class SentenceVectors:
    """Vectors of the rules' example sentences, each made once; safe to share between threads."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of length 1, shape (texts, dimension). Raises ModelError where the model fails."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            if len(self._known) + len(new) > MOST_SENTENCES:
                self._known.clear()
                new = list(dict.fromkeys(texts))
            if new:
                self._known.update(zip(new, normalised(self._encoder.encode(new)), strict=True))
            return np.stack([self._known[text] for text in texts])


class EncodedLikeness:
    """Compares turns and sentences by their vectors; those of stored turns are ``StoredLikeness``'s.

    A turn is encoded when it is asked for, and remembered. One object serves one conversation.
    """

    def __init__(self, encoder: SentenceEncoder, sentences: SentenceVectors) -> None:
        self._encoder = encoder
        self._sentences = sentences
        self._turns: dict[int, Vectors] = {}

    def of(self, turns: Sequence[Turn], sentences: Sequence[str]) -> Sequence[float]:
        """Return for each turn the highest cosine with one of the sentences (−1 … 1)."""
        if not turns or not sentences:
            return [-1.0] * len(turns)
        new = [turn for turn in turns if turn.index not in self._turns]
        if new:
            made = normalised(self._encoder.encode([turn.text for turn in new]))
            self._turns.update((turn.index, row) for turn, row in zip(new, made, strict=True))
        rows = np.stack([self._turns[turn.index] for turn in turns])
        alike = rows @ self._sentences.of(sentences).T
        return [float(value) for value in alike.max(axis=1)]


class ScriptedLikeness:
    """A twin without an encoder: given cosines for pairs of text and sentence, for any other pair 0."""

    def __init__(self, known: Mapping[tuple[str, str], float]) -> None:
        self._known = dict(known)

    def of(self, turns: Sequence[Turn], sentences: Sequence[str]) -> Sequence[float]:
        """Return for each turn the highest given cosine with one of the sentences."""
        return [
            max(
                (1.0 if turn.text == sentence else self._known.get((turn.text, sentence), 0.0))
                for sentence in sentences
            )
            for turn in turns
        ]
