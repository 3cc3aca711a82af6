"""What the wording alone says about a turn: a linear model on runs of characters and of sounds.

It reads the turn and its neighbours as runs of one to three characters, weighted by how rare they are
(tf-idf), and the turn also as runs of syllables, which a recogniser's homophones leave as they are.
Beside the network, which knows what words mean, it knows how things are put: each is right where the
other is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.types import Turn
from huaxiang.nlp.network import head_slices, place_features

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]
PLACE_WEIGHT = 0.3
FEW_TURNS = 20_000
"""From so many turns on the vocabulary does not grow with the data: rarer runs brought nothing."""
_START, _END = "^", "$"


@dataclass(frozen=True, slots=True)
class Field:
    """One text that is read for a turn: that of the turn ``offset`` turns on, or its ``sounds``.

    ``longest`` is the longest run, ``least`` the training turns that a run has to occur in, in whichever
    version (of many turns in proportion more), and ``weight`` the length of the field's vector.
    """

    offset: int
    longest: int
    least: int
    weight: float
    sounds: bool = False


FIELDS = (
    Field(0, 3, 4, 1.0),
    Field(-1, 2, 8, 0.5),
    Field(1, 2, 8, 0.4),
    Field(-2, 2, 10, 0.3),
    Field(0, 3, 5, 0.7, sounds=True),
)


@dataclass(frozen=True, slots=True)
class TurnGrams:
    """The runs of each field of one turn with their counts, and where in the conversation it stands."""

    counts: tuple[Mapping[str, int], ...]
    place: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The runs of each field by column, and each column's weight by rarity, shape (columns,)."""

    columns: tuple[Mapping[str, int], ...]
    rarity: Floats

    @classmethod
    def of(cls, turns: Sequence[TurnGrams]) -> Vocabulary:
        """Return the runs that enough of the turns hold; rarity is smoothed idf, ``ln((1+n)/(1+df))+1``."""
        columns: list[dict[str, int]] = []
        rarity: list[float] = []
        for place, field in enumerate(FIELDS):
            documents = Counter(run for turn in turns for run in turn.counts[place])
            least = field.least * max(1.0, len(turns) / FEW_TURNS)
            kept = sorted(run for run, count in documents.items() if count >= least)
            columns.append({run: len(rarity) + index for index, run in enumerate(kept)})
            rarity += [float(np.log((1 + len(turns)) / (1 + documents[run]))) + 1.0 for run in kept]
        return cls(tuple(columns), np.array(rarity, dtype=np.float32))

    def features(self, turns: Sequence[TurnGrams]) -> csr_matrix:
        """Return the features of turns, sparse, shape (turns, columns and places)."""
        from scipy.sparse import csr_matrix, hstack

        data: list[float] = []
        indices: list[int] = []
        ends = [0]
        for turn in turns:
            for columns, field, counts in zip(self.columns, FIELDS, turn.counts, strict=True):
                known = [(columns[run], count) for run, count in counts.items() if run in columns]
                weights = [(1.0 + np.log(count)) * self.rarity[column] for column, count in known]
                length = float(np.sqrt(np.square(weights).sum())) or 1.0
                indices += [column for column, _ in known]
                data += [field.weight * weight / length for weight in weights]
            ends.append(len(indices))
        runs = csr_matrix((np.array(data, dtype=np.float32), indices, ends), (len(turns), len(self.rarity)))
        places = np.array([turn.place for turn in turns], dtype=np.float32)
        return hstack([runs, csr_matrix(PLACE_WEIGHT * places)], format="csr")


@dataclass(frozen=True, slots=True)
class NgramModel:
    """A vocabulary with a linear model on it.

    ``weights`` (columns and places, outputs) are whole numbers of ``steps`` (outputs,); ``offset``
    (outputs,) is added. The outputs are the network's.
    """

    vocabulary: Vocabulary
    weights: NDArray[np.int8]
    steps: Floats
    offset: Floats

    @classmethod
    def rounded(cls, vocabulary: Vocabulary, weights: Floats, offset: Floats) -> NgramModel:
        """Return the model with its weights in 8 bits, which is a quarter of the size."""
        steps = (np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127).astype(np.float32)
        return cls(vocabulary, np.rint(weights / steps).astype(np.int8), steps, offset)

    def logits(self, turns: Sequence[Turn]) -> NDArray[np.float64]:
        """Return one logit a turn of a conversation and output, shape (turns, outputs)."""
        return self.logits_of(self.vocabulary.features(turn_grams(turns)))

    def logits_of(self, features: csr_matrix) -> NDArray[np.float64]:
        """Return the logits of turns whose features were made with the model's vocabulary."""
        found: NDArray[np.float64] = (features @ self.weights.astype(np.float32)) * self.steps + self.offset
        return found.astype(np.float64)


def outputs() -> int:
    """Return how many outputs there are."""
    return head_slices().total


def turn_grams(turns: Sequence[Turn]) -> list[TurnGrams]:
    """Return the runs of each turn of a conversation, in order."""
    texts = [turn.text.replace("\n", " ") for turn in turns]
    runs = [list(_read(texts, place)) for place in range(len(texts))]
    return [
        TurnGrams(tuple(counts), tuple(place_features(place, len(turns))))
        for place, counts in enumerate(runs)
    ]


def _read(texts: Sequence[str], place: int) -> Iterator[Counter[str]]:
    from pypinyin import lazy_pinyin

    for field in FIELDS:
        there = place + field.offset
        if not 0 <= there < len(texts):
            yield Counter()
        elif field.sounds:
            yield _runs(lazy_pinyin(texts[there]), field.longest, " ")
        else:
            text = texts[there] if field.offset else f"{_START}{texts[there]}{_END}"
            yield _runs(text, field.longest, "")


def _runs(units: Sequence[str], longest: int, joint: str) -> Counter[str]:
    return Counter(
        joint.join(units[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(units) - length + 1)
    )
