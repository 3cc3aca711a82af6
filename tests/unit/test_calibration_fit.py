"""Fitting calibration and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from huaxiang.nlp.calibration import sigmoid, softmax
from huaxiang.nlp.calibration_fit import best_thresholds, fit_binary, fit_choice, precise_threshold
from huaxiang.nlp.scores import calibration_error


def test_overconfident_logits_are_brought_back() -> None:
    source = np.random.default_rng(1)
    honest = source.normal(scale=1.5, size=(4000, 2))
    truth = source.random((4000, 2)) < sigmoid(honest)
    scaling = fit_binary(honest * 4 + np.array([1.0, -2.0]), truth)
    fixed = sigmoid(scaling.apply(honest * 4 + np.array([1.0, -2.0])))
    claims = list(zip(fixed.ravel().tolist(), truth.ravel().tolist(), strict=True))
    assert calibration_error(claims) < 0.03
    assert scaling.slope[0] == pytest.approx(0.25, abs=0.03)


def test_a_choice_gets_the_temperature_it_was_sharpened_by() -> None:
    source = np.random.default_rng(2)
    honest = source.normal(scale=1.5, size=(4000, 3))
    truth = np.array([source.choice(3, p=chances) for chances in softmax(honest)])
    scaling = fit_choice(honest * 3, truth)
    assert scaling.slope[0] == pytest.approx(1 / 3, abs=0.05)


def test_the_threshold_separates_what_can_be_separated() -> None:
    truth = np.array([[True]] * 30 + [[False]] * 70)
    found = np.where(truth, 0.55, 0.25)
    (threshold,) = best_thresholds(found, truth)
    assert 0.25 < threshold <= 0.55


def test_the_floor_of_forbidden_acts_is_where_the_precision_is_as_wanted() -> None:
    found = np.array([0.9] * 20 + [0.5] * 20)
    truth = np.array([True] * 19 + [False] + [True] * 5 + [False] * 15)
    floor = precise_threshold(found, truth, wanted=0.85)
    assert 0.5 < floor <= 0.9
    assert truth[found >= floor].mean() >= 0.85


def test_a_precision_out_of_reach_leaves_everything_to_review() -> None:
    assert precise_threshold(np.full(10, 0.5), np.zeros(10, dtype=bool)) > 0.9
