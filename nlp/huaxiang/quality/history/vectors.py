"""Sentence vectors of turns, stored small, so that rules that compare meanings run over the history too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.errors import StorageError
from huaxiang.core.types import Transcript, Turn
from huaxiang.nlp.encoder import SentenceEncoder, Vectors, normalised
from huaxiang.quality.condition_types import SimilarCondition
from huaxiang.quality.definition import ScorecardDefinition

_STEPS = 127
"""A component of a vector of length 1 is kept in so many steps to each side of nought."""
_INDEX_BYTES = 4

SentenceMap = Mapping[str, NDArray[np.float32]]


def turn_vectors(transcript: Transcript, encoder: SentenceEncoder, known: SentenceMap | None = None) -> bytes:
    """Return the packed vectors of all turns that say anything. Raises ModelError.

    ``known`` are vectors of texts that were made before; the encoder is asked for the others only.
    """
    turns = [turn for turn in transcript.turns if turn.text.strip()]
    if not turns:
        return b""
    vectors = dict(known or {})
    new = list(dict.fromkeys(turn.text for turn in turns if turn.text not in vectors))
    vectors.update(sentence_map(new, encoder))
    rows = np.stack([vectors[turn.text] for turn in turns])
    return pack_vectors([turn.index for turn in turns], rows)


def pack_vectors(indices: Sequence[int], vectors: Vectors) -> bytes:
    """Write vectors as int8, each with its own scale, behind the index of its turn.

    The scale is the greatest component, so that a cosine is off by a few thousandths at most; it falls
    out again when the vector is read at length 1.
    """
    unit = normalised(vectors)
    scale = np.abs(unit).max(axis=1, keepdims=True)
    steps = np.rint(unit / np.where(scale > 0, scale, 1) * _STEPS).astype(np.int8)
    return b"".join(
        int(index).to_bytes(_INDEX_BYTES, "little") + row.tobytes()
        for index, row in zip(indices, steps, strict=True)
    )


def unpack_vectors(payload: bytes, dimension: int) -> dict[int, NDArray[np.float32]]:
    """Return vectors of length 1 by turn index. Raises StorageError where the bytes are no such vectors."""
    size = _INDEX_BYTES + dimension
    if len(payload) % size:
        raise StorageError("stored vectors are cut short: run `huaxiang rules index`")
    rows = np.frombuffer(payload, np.uint8).reshape(-1, size)
    indices = rows[:, :_INDEX_BYTES].copy().view("<i4").ravel()
    unit = normalised(rows[:, _INDEX_BYTES:].copy().view(np.int8).astype(np.float32))
    return dict(zip(indices.tolist(), unit, strict=True))


class StoredLikeness:
    """Compares the turns of a stored conversation with sentences whose vectors were made before.

    A turn without a vector says nothing, and is like nothing.
    """

    def __init__(self, turns: Mapping[int, NDArray[np.float32]], sentences: SentenceMap) -> None:
        self._turns = turns
        self._sentences = sentences

    def of(self, turns: Sequence[Turn], sentences: Sequence[str]) -> Sequence[float]:
        """Return for each turn the highest cosine with one of the sentences (−1 … 1)."""
        if not sentences:
            return [-1.0] * len(turns)
        wanted = np.stack([self._sentences[sentence] for sentence in sentences])
        known = [self._turns.get(turn.index) for turn in turns]
        return [-1.0 if row is None else float((wanted @ row).max()) for row in known]


def sentences_of(definitions: Sequence[ScorecardDefinition]) -> tuple[str, ...]:
    """Return the sentences that scorecards compare turns with, each once; empty where none does."""
    found: dict[str, None] = {}
    for condition in _similar(definitions):
        found.update(dict.fromkeys(condition.sentences))
    return tuple(found)


def sentence_map(sentences: Sequence[str], encoder: SentenceEncoder) -> SentenceMap:
    """Return the vectors of sentences, of length 1. Raises ModelError."""
    if not sentences:
        return {}
    return dict(zip(sentences, normalised(encoder.encode(list(sentences))), strict=True))


def _similar(value: object) -> Iterator[SimilarCondition]:
    """Give every condition on meaning in a definition; parts that are shared are looked at once."""
    seen: set[int] = set()
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str | bytes) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, SimilarCondition):
            yield one
        if is_dataclass(one) and not isinstance(one, type):
            waiting += [getattr(one, field.name) for field in fields(one)]
        elif isinstance(one, Mapping):
            waiting += list(one.values())
        elif isinstance(one, tuple | list | set | frozenset):
            waiting += list(one)
