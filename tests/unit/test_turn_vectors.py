"""Stored vectors of turns: small, near enough, and compared as the encoder's own are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import StorageError
from huaxiang.core.types import Role, Transcript, Turn
from huaxiang.nlp.encoder import DIMENSION, ScriptedEncoder, normalised
from huaxiang.quality import default_scorecard
from huaxiang.quality.condition_types import AllOf, AnyOf, Not, SimilarCondition
from huaxiang.quality.history.vectors import (
    StoredLikeness,
    pack_vectors,
    sentence_map,
    sentences_of,
    turn_vectors,
    unpack_vectors,
)
from huaxiang.quality.likeness import EncodedLikeness, SentenceVectors

SAID = ("您好，请问是王先生吗？", "这个价格有点贵", "好的，明天上午给您回电", "  ", "嗯")
SENTENCES = ("价格太贵了", "这个价格有点贵", "明天联系")


def conversation() -> Transcript:
    turns = tuple(
        Turn(2 * number, Role.AGENT, 1000 * number, 1000 * number + 900, text, text)
        for number, text in enumerate(SAID)
    )
    return Transcript("r", turns, 5000)


@given(st.integers(0, 2**32 - 1))
def test_a_stored_vector_points_where_it_did(seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((4, DIMENSION)).astype(np.float32)
    packed = pack_vectors([0, 3, 70_000, 9], vectors)
    assert len(packed) == 4 * (DIMENSION + 4)
    back = unpack_vectors(packed, DIMENSION)
    assert list(back) == [0, 3, 70_000, 9]
    cosines = np.sum(np.stack(list(back.values())) * normalised(vectors), axis=1)
    assert cosines.min() > 0.9995


def test_stored_vectors_compare_as_the_encoders_own_do() -> None:
    encoder, transcript = ScriptedEncoder(), conversation()
    stored = StoredLikeness(
        unpack_vectors(turn_vectors(transcript, encoder), DIMENSION), sentence_map(SENTENCES, encoder)
    )
    spoken = [turn for turn in transcript.turns if turn.text.strip()]
    own = EncodedLikeness(encoder, SentenceVectors(encoder)).of(spoken, SENTENCES)
    assert stored.of(spoken, SENTENCES) == pytest.approx(own, abs=0.01)
    assert stored.of(spoken, SENTENCES)[1] == pytest.approx(1.0, abs=0.001)
    assert stored.of(spoken, ()) == [-1.0] * 4
    (nothing,) = stored.of([transcript.turns[3]], SENTENCES)
    assert nothing == -1.0, "a turn that says nothing is like nothing"


def test_a_conversation_without_words_has_no_vectors() -> None:
    silent = replace(conversation(), turns=())
    assert turn_vectors(silent, ScriptedEncoder()) == b""
    assert unpack_vectors(b"", DIMENSION) == {}


def test_vectors_that_are_cut_short_are_refused_with_the_cure() -> None:
    packed = turn_vectors(conversation(), ScriptedEncoder())
    with pytest.raises(StorageError, match="rules index"):
        unpack_vectors(packed[:-1], DIMENSION)


def test_the_sentences_of_a_scorecard_are_found_wherever_they_stand() -> None:
    definition = default_scorecard()
    deep = AllOf((Not(AnyOf((SimilarCondition(("甲", "乙")), SimilarCondition(("乙", "丙"))))),))
    item = replace(definition.items[0], applies=deep, condition=SimilarCondition(("丁",)))
    changed = replace(definition, items=(item, *definition.items[1:]))
    found = sentences_of([changed, definition, changed])
    assert sorted(found) == sorted({*sentences_of([definition]), "甲", "乙", "丙", "丁"})
