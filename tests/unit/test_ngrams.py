"""The model of wordings, its join with the network, and the second reading in context."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from huaxiang.core.types import Role, Turn
from huaxiang.nlp.blend import Blend, fit_blend
from huaxiang.nlp.calibration import Array
from huaxiang.nlp.calibration_fit import TruthArrays
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS
from huaxiang.nlp.network import LEAST_TURNS, NEAR_TURNS, USUAL_TURNS, head_slices, place_features
from huaxiang.nlp.ngrams import FEW_TURNS, FIELDS, NgramModel, TurnGrams, Vocabulary, turn_grams
from huaxiang.nlp.ngrams_file import model_of, tensors_of
from huaxiang.nlp.prediction import split_tasks
from huaxiang.nlp.second_reading import FirstReading, as_one, by_task, fit_second_reading

OUTPUTS = head_slices().total


def _turns(*texts: str) -> list[Turn]:
    return [Turn(place, Role.CUSTOMER, 0, 0, text) for place, text in enumerate(texts)]


def _vocabulary() -> Vocabulary:
    return Vocabulary.of(turn_grams(_turns(*["太贵了", "多少钱"] * 12)))


def test_a_turn_is_read_with_the_turns_around_it() -> None:
    own, before, after, *_ = turn_grams(_turns("甲", "乙丙", "丁"))[1].counts
    assert set(before) == {"甲"}
    assert {"^乙", "乙丙", "丙$", "乙"} <= set(own)
    assert set(after) == {"丁"}


def test_a_piece_of_a_call_is_read_as_if_it_stood_inside_one() -> None:
    whole, piece = turn_grams(_turns(*["嗯"] * LEAST_TURNS)), turn_grams(_turns("嗯", "嗯"))
    first, last = place_features(0, USUAL_TURNS), place_features(USUAL_TURNS - 1, USUAL_TURNS)
    begins, ends = first.index(1.0, 5), last.index(1.0, 5 + NEAR_TURNS)
    assert (whole[0].place[begins], whole[-1].place[ends]) == (1.0, 1.0)
    assert 0 < piece[0].place[begins] < 0.5
    assert piece[-1].place[ends] == 0


def test_homophones_sound_alike() -> None:
    sounds = [place for place, field in enumerate(FIELDS) if field.sounds]
    (said,), (heard,) = turn_grams(_turns("权力")), turn_grams(_turns("全力"))
    assert all(said.counts[place] == heard.counts[place] for place in sounds)
    assert said.counts[0] != heard.counts[0]


def test_what_is_rare_in_training_is_not_read() -> None:
    vocabulary = Vocabulary.of(turn_grams(_turns(*["太贵了"] * 12, "独一无二")))
    assert "太贵" in vocabulary.columns[0]
    assert "独一" not in vocabulary.columns[0]


def test_of_many_turns_a_run_has_to_occur_in_more() -> None:
    """What occurs in four turns of 20,000 is read; of 40,000 it has to occur in eight."""
    rare = TurnGrams(({"独一": 1}, *({},) * (len(FIELDS) - 1)), ())
    plain = TurnGrams(({},) * len(FIELDS), ())
    read = [
        "独一" in Vocabulary.of([rare] * times + [plain] * (turns - times)).columns[0]
        for turns, times in ((FEW_TURNS, 4), (2 * FEW_TURNS, 7), (2 * FEW_TURNS, 8))
    ]
    assert read == [True, False, True]


@given(st.lists(st.text(alphabet="太贵了多少钱吗\n^ a1", max_size=12), min_size=1, max_size=6))
def test_any_text_has_features_of_bounded_length(texts: list[str]) -> None:
    vocabulary = _vocabulary()
    features = vocabulary.features(turn_grams(_turns(*texts)))
    assert features.shape[0] == len(texts)
    runs = features[:, : len(vocabulary.rarity)]
    assert runs.power(2).sum() <= len(texts) * sum(field.weight**2 for field in FIELDS) + 1e-3


def test_a_model_of_wordings_survives_its_file() -> None:
    vocabulary = _vocabulary()
    columns = vocabulary.features(turn_grams(_turns("太贵了"))).shape[1]
    source = np.random.default_rng(1)
    weights = source.normal(size=(columns, OUTPUTS)).astype(np.float32)
    model = NgramModel.rounded(vocabulary, weights, np.zeros(OUTPUTS, dtype=np.float32))
    again = model_of(tensors_of(model))
    turns = _turns("太贵了", "多少钱")
    assert np.array_equal(model.logits(turns), again.logits(turns))
    exact = vocabulary.features(turn_grams(turns)) @ weights
    assert np.abs(model.logits(turns) - exact).max() < 0.2


def test_a_file_whose_runs_and_weights_part_is_refused() -> None:
    vocabulary = _vocabulary()
    columns = vocabulary.features(turn_grams(_turns("太贵了"))).shape[1]
    model = NgramModel.rounded(
        vocabulary, np.ones((columns, OUTPUTS), dtype=np.float32), np.zeros(OUTPUTS, dtype=np.float32)
    )
    tensors = tensors_of(model)
    tensors["wording.rarity"] = tensors["wording.rarity"][:-1]
    with pytest.raises(ValueError, match="runs"):
        model_of(tensors)


def _truth(turns: int, source: np.random.Generator) -> TruthArrays:
    return TruthArrays(
        customer=source.random(turns) < 0.5,
        intents=source.random((turns, len(INTENTS))) < 0.3,
        acts=source.random((turns, len(ACTS))) < 0.3,
        objection=source.integers(0, len(OBJECTIONS) + 1, turns),
        sentiment=source.integers(0, len(SENTIMENTS), turns),
    )


def _right(truth: TruthArrays) -> Array:
    """Logits that say the truth."""
    yes = np.hstack(
        [
            truth.intents,
            truth.acts,
            np.eye(len(OBJECTIONS) + 1)[truth.objection],
            np.eye(len(SENTIMENTS))[truth.sentiment],
            truth.customer[:, None],
        ]
    )
    return 2.0 * yes.astype(np.float64) - 1.0


def test_a_blend_trusts_the_model_that_is_right() -> None:
    source = np.random.default_rng(2)
    truth = _truth(400, source)
    right = split_tasks(_right(truth))
    noise = split_tasks(source.normal(size=(400, OUTPUTS)))
    blend = fit_blend(noise, right, truth)
    for weights in (blend.intents, blend.acts, blend.objection, blend.sentiment, blend.role):
        assert weights[1] > 5 * abs(weights[0])
    assert Blend.from_document(blend.as_document()) == blend


def _first(logits: Array, truth: TruthArrays, conversation: NDArray[np.int64]) -> FirstReading:
    return FirstReading(logits, logits, logits, truth.customer.astype(np.float64), conversation)


def test_tasks_side_by_side_come_apart_again() -> None:
    logits = np.random.default_rng(3).normal(size=(5, OUTPUTS))
    assert np.array_equal(as_one(by_task(logits)), logits)
    assert np.array_equal(by_task(logits).acts, split_tasks(logits).acts)


def test_neighbours_are_of_the_same_conversation() -> None:
    truth = _truth(6, np.random.default_rng(4))
    logits = np.random.default_rng(5).normal(size=(6, OUTPUTS))
    whole = _first(logits, truth, np.array([0, 0, 0, 1, 1, 1])).features()
    chosen = np.array([True] * 3 + [False] * 3)
    alone = _first(logits, truth, np.zeros(6, dtype=np.int64)).rows(chosen).features()
    assert np.array_equal(whole[:3], alone)


def test_a_second_reading_learns_what_the_turn_before_tells() -> None:
    source = np.random.default_rng(6)
    turns = 1500
    truth = _truth(turns, source)
    logits = source.normal(size=(turns, OUTPUTS))
    # the mood of a turn can be told only from whether the turn before is sure to be negative
    negative = int(head_slices().sentiment.start)
    before = np.roll(logits[:, negative] > 0, 1)
    truth = TruthArrays(
        truth.customer, truth.intents, truth.acts, truth.objection, np.where(before, 0, 2).astype(np.int64)
    )
    first = _first(logits, truth, np.zeros(turns, dtype=np.int64))
    second = fit_second_reading(first, truth).apply(first)
    told = second[:, negative]
    assert told[before].mean() > told[~before].mean() + 0.5
    assert np.array_equal(second[:, -1], logits[:, -1]), "who speaks stays as it was"
