"""Calibrated probabilities and decisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.calibration import (
    Calibration,
    Probabilities,
    Scaling,
    TurnLogits,
    decide,
    probabilities,
    softmax,
    whole_turn,
)
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS


def plain_calibration() -> Calibration:
    def scaling(columns: int) -> Scaling:
        return Scaling((1.0,) * columns, (0.0,) * columns)

    return Calibration(
        intents=scaling(len(INTENTS)),
        acts=scaling(len(ACTS)),
        objection=scaling(len(OBJECTIONS) + 1),
        sentiment=scaling(3),
        role=scaling(1),
        intent_thresholds=(0.4,) * len(INTENTS),
        act_thresholds=(0.4,) * len(ACTS),
        objection_threshold=0.5,
        negative_threshold=0.4,
        positive_threshold=0.3,
        forbidden_floor=0.8,
    )


def found(
    intent: float = 0.1,
    act: float = 0.1,
    objection: float = 0.1,
    mood: tuple[float, float, float] = (0, 1, 0),
) -> Probabilities:
    """Probabilities of one turn: ``inquire_price``, ``rude``, an objection of price, the three moods."""
    intents, acts = np.zeros((1, len(INTENTS))), np.zeros((1, len(ACTS)))
    intents[0, list(INTENTS).index("inquire_price")] = intent
    acts[0, list(ACTS).index("rude")] = act
    objections = np.zeros((1, len(OBJECTIONS) + 1))
    objections[0, 0], objections[0, 1] = 1 - objection, objection
    return Probabilities(intents, acts, objections, np.array([mood], dtype=float), np.array([0.5]))


def test_the_customer_has_intents_and_no_acts() -> None:
    labels = decide(found(intent=0.9, act=0.9), 0, 1.0, whole_turn(4), plain_calibration())
    assert labels.chosen_intents() == ("inquire_price",)
    assert labels.acts == ()


def test_the_agent_has_acts_and_neither_intents_nor_objections() -> None:
    labels = decide(found(intent=0.9, act=0.9, objection=0.9), 0, 0.0, whole_turn(4), plain_calibration())
    assert labels.chosen_acts() == ("rude",)
    assert labels.intents == ()
    assert labels.objection is None
    assert labels.chosen_objection() is None


def test_an_unknown_speaker_has_the_labels_of_both_roles_weighted() -> None:
    labels = decide(found(intent=0.9, act=0.9), 0, 0.6, whole_turn(4), plain_calibration())
    assert labels.chosen_intents() == ("inquire_price",)
    assert labels.chosen_acts() == ()
    assert max(score.probability for score in labels.intents) == pytest.approx(0.54)
    assert max(score.probability for score in labels.acts) == pytest.approx(0.36)


def test_a_forbidden_act_between_threshold_and_floor_is_found_but_for_review() -> None:
    labels = decide(found(act=0.6), 0, 0.0, whole_turn(4), plain_calibration())
    (rude,) = [score for score in labels.acts if score.label == "rude"]
    assert rude.chosen
    assert rude.probability < rude.floor == 0.8


def test_an_objection_is_found_by_the_chance_of_any_and_named_by_the_likeliest() -> None:
    assert (
        decide(found(objection=0.6), 0, 1.0, whole_turn(4), plain_calibration()).chosen_objection() == "price"
    )
    assert decide(found(objection=0.4), 0, 1.0, whole_turn(4), plain_calibration()).chosen_objection() is None


def test_the_mood_farthest_over_its_threshold_wins_and_neutral_where_none_is() -> None:
    def mood(*chances: float) -> str:
        return decide(
            found(mood=(chances[0], chances[1], chances[2])), 0, 1.0, whole_turn(4), plain_calibration()
        ).chosen_sentiment()

    assert mood(0.45, 0.55, 0.0) == "negative"
    assert mood(0.41, 0.24, 0.35) == "positive"
    assert mood(0.35, 0.5, 0.15) == "neutral"


def test_a_calibration_survives_being_written_down() -> None:
    calibration = replace(plain_calibration(), objection_threshold=0.37)
    assert Calibration.from_document(calibration.as_document()) == calibration


@given(st.integers(1, 6), st.integers(0, 1000))
def test_probabilities_are_probabilities_whatever_the_logits(turns: int, seed: int) -> None:
    source = np.random.default_rng(seed)

    def logits(columns: int) -> np.ndarray:
        return source.normal(scale=200.0, size=(turns, columns))

    calibrated = probabilities(
        TurnLogits(
            logits(len(INTENTS)),
            logits(len(ACTS)),
            logits(len(OBJECTIONS) + 1),
            logits(len(SENTIMENTS)),
            logits(1),
        ),
        plain_calibration(),
    )
    for values in (calibrated.intents, calibrated.acts, calibrated.objection, calibrated.sentiment):
        assert ((values >= 0) & (values <= 1)).all()
    assert calibrated.objection.sum(axis=1) == pytest.approx(np.ones(turns))


def test_softmax_does_not_overflow() -> None:
    assert softmax(np.array([1000.0, 0.0])) == pytest.approx([1.0, 0.0])
