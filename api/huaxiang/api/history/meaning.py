"""The encoder by which rules compare meanings: its name in the store, and the vectors that it made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from huaxiang.core.errors import NotFound
from huaxiang.core.types import Transcript
from huaxiang.nlp.encoder import SentenceEncoder
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.features import ENCODING
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.history.vectors import (
    SentenceMap,
    sentence_map,
    sentences_of,
    turn_vectors,
    unpack_vectors,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What scorecards compare turns with; ``encoder`` is None where they compare no meanings."""

    sentences: SentenceMap
    encoder: str | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """An encoder with the name (model and revision) under which its vectors are stored.

    It is loaded when a vector is first made: with rules that compare meanings, and, where vectors are kept
    beside the features, with the first conversation whatever the rules are, so that rules that compare
    meanings can be tried later on what was held before.
    """

    name: str
    encoder: SentenceEncoder

    def made(self, texts: Sequence[str]) -> SentenceMap:
        """Return the vectors of words. Raises ModelError."""
        return sentence_map(texts, self.encoder)

    def stored(self, session: Session, recording_id: str) -> SentenceMap:
        """Return the vectors that are stored of a recording, by the words of its turns; empty without."""
        try:
            packed = FeatureStore().packed(session, recording_id, self.name)
        except NotFound:
            return {}
        if not packed.vectors or packed.encoding != ENCODING:
            return {}
        # What is stored tells its length, so that no transaction waits for the encoder to be loaded.
        dimension = FeatureStore().dimension(session, recording_id)
        vectors = unpack_vectors(packed.vectors, dimension)
        turns = packed.features().transcript.turns
        return {turn.text: vectors[turn.index] for turn in turns if turn.index in vectors}

    def store(self, session: Session, transcript: Transcript, known: SentenceMap) -> None:
        """Store the vectors of a conversation's turns, beside its features. Raises ModelError.

        What is not among the ``known`` ones is encoded now.
        """
        payload = turn_vectors(transcript, self.encoder, known)
        dimension = len(next(iter(known.values()))) if known else self.encoder.dimension
        FeatureStore().save_vectors(session, transcript.recording_id, self.name, dimension, payload)


def said_in(transcript: Transcript) -> Sequence[str]:
    """Return the words of the turns that say anything, each once."""
    return tuple(dict.fromkeys(turn.text for turn in transcript.turns if turn.text.strip()))


def asked_by(definitions: Sequence[ScorecardDefinition], meaning: Meaning | None) -> Asked:
    """Return the vectors of what scorecards compare turns with. Raises ModelError."""
    sentences = sentences_of(definitions)
    if not sentences or meaning is None:
        return Asked({}, None)
    return Asked(sentence_map(sentences, meaning.encoder), meaning.name)
