"""Fits calibration and thresholds on conversations that the network has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from huaxiang.nlp.calibration import Array, Calibration, Probabilities, Scaling, TurnLogits, probabilities
from huaxiang.nlp.conversation_file import TurnTruth
from huaxiang.nlp.labels import ACTS, FORBIDDEN_ACTS, INTENTS, OBJECTIONS, SENTIMENTS

THRESHOLDS = np.round(np.arange(0.10, 0.701, 0.02), 2)
FORBIDDEN_THRESHOLDS = np.round(np.arange(0.20, 0.961, 0.02), 2)
WANTED_PRECISION = 0.88
"""The floor of forbidden acts: a little above the 0.85 promised, as unseen calls do a little worse."""
PULL_TO_COMMON = 0.5
"""How far each label's own best threshold is drawn to that of all labels together: thin labels' own
best is mostly chance."""
_PENALTY = 1e-3
_STEPS = 60


@dataclass(frozen=True, slots=True)
class TruthArrays:
    """The annotated labels of some turns as arrays, first axis the turns."""

    customer: NDArray[np.bool_]
    intents: NDArray[np.bool_]
    acts: NDArray[np.bool_]
    objection: NDArray[np.int64]
    sentiment: NDArray[np.int64]

    def rows(self, chosen: NDArray[Any]) -> TruthArrays:
        """Return those of the chosen turns."""
        return TruthArrays(
            self.customer[chosen],
            self.intents[chosen],
            self.acts[chosen],
            self.objection[chosen],
            self.sentiment[chosen],
        )


def truth_arrays(customer: Sequence[bool], truths: Sequence[TurnTruth]) -> TruthArrays:
    """Return the labels of turns as arrays; objection 0 is none, sentiment in the inventory's order."""
    objections = [None, *OBJECTIONS]
    sentiments = list(SENTIMENTS)
    return TruthArrays(
        customer=np.array(customer, dtype=bool),
        intents=np.array([[label in truth.intents for label in INTENTS] for truth in truths], dtype=bool),
        acts=np.array([[label in truth.acts for label in ACTS] for truth in truths], dtype=bool),
        objection=np.array([objections.index(truth.objection) for truth in truths], dtype=np.int64),
        sentiment=np.array([sentiments.index(truth.sentiment) for truth in truths], dtype=np.int64),
    )


def fit(logits: TurnLogits, truth: TruthArrays) -> Calibration:
    """Return the calibration that fits these turns best."""
    customer, agent = truth.customer, ~truth.customer
    scaled = Calibration(
        intents=fit_binary(logits.intents[customer], truth.intents[customer]),
        acts=fit_binary(logits.acts[agent], truth.acts[agent]),
        objection=fit_choice(logits.objection[customer], truth.objection[customer]),
        sentiment=fit_choice(logits.sentiment, truth.sentiment),
        role=fit_binary(logits.role, truth.customer[:, None]),
        intent_thresholds=(0.5,) * len(INTENTS),
        act_thresholds=(0.5,) * len(ACTS),
        objection_threshold=0.5,
        negative_threshold=0.5,
        positive_threshold=0.5,
        forbidden_floor=0.9,
    )
    return _with_thresholds(scaled, probabilities(logits, scaled), truth)


def _with_thresholds(scaled: Calibration, found: Probabilities, truth: TruthArrays) -> Calibration:
    customer, agent = truth.customer, ~truth.customer
    any_objection = 1.0 - found.objection[customer, 0]
    forbidden = [list(ACTS).index(label) for label in FORBIDDEN_ACTS]
    return replace(
        scaled,
        intent_thresholds=best_thresholds(found.intents[customer], truth.intents[customer]),
        act_thresholds=best_thresholds(found.acts[agent], truth.acts[agent]),
        objection_threshold=best_thresholds(any_objection[:, None], (truth.objection[customer] > 0)[:, None])[
            0
        ],
        negative_threshold=best_thresholds(found.sentiment[:, :1], (truth.sentiment == 0)[:, None])[0],
        positive_threshold=best_thresholds(found.sentiment[:, 2:], (truth.sentiment == 2)[:, None])[0],
        forbidden_floor=precise_threshold(
            found.acts[agent][:, forbidden].ravel(), truth.acts[agent][:, forbidden].ravel()
        ),
    )


def fit_binary(logits: Array, truth: NDArray[np.bool_]) -> Scaling:
    """Fit one slope for all columns and an offset for each, by maximum likelihood."""
    wanted = torch.tensor(truth, dtype=torch.float64)
    slope, offset = _minimise(
        torch.tensor(logits, dtype=torch.float64),
        lambda scaled: nn.functional.binary_cross_entropy_with_logits(scaled, wanted),
    )
    return Scaling((slope,) * logits.shape[1], offset)


def fit_choice(logits: Array, truth: NDArray[np.int64]) -> Scaling:
    """Fit one temperature and an offset for each class, by maximum likelihood."""
    wanted = torch.tensor(truth)
    slope, offset = _minimise(
        torch.tensor(logits, dtype=torch.float64),
        lambda scaled: nn.functional.cross_entropy(scaled, wanted),
    )
    return Scaling((slope,) * logits.shape[1], offset)


def _minimise(logits: Tensor, loss_of: Any) -> tuple[float, tuple[float, ...]]:
    slope = torch.ones(1, dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([slope, offset], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss: Tensor = loss_of(logits * slope + offset) + _PENALTY * offset.pow(2).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # untyped upstream
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]  # untyped upstream
    return float(slope.detach()), tuple(float(value) for value in offset.detach())


def best_thresholds(found: Array, truth: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return for each column the threshold of the best F1, drawn to the best common one."""
    scores = np.stack([_f1(found >= threshold, truth) for threshold in THRESHOLDS])
    smooth = _smoothed(scores)
    own = THRESHOLDS[smooth.argmax(axis=0)]
    common = THRESHOLDS[smooth.mean(axis=1).argmax()]
    drawn = PULL_TO_COMMON * common + (1.0 - PULL_TO_COMMON) * own
    return tuple(float(value) for value in np.round(drawn, 3))


def precise_threshold(found: Array, truth: NDArray[np.bool_], wanted: float = WANTED_PRECISION) -> float:
    """Return the lowest threshold from which on the precision is as wanted, else the highest tried."""
    for threshold in FORBIDDEN_THRESHOLDS:
        chosen = found >= threshold
        if chosen.any() and truth[chosen].mean() >= wanted:
            return float(threshold)
    return float(FORBIDDEN_THRESHOLDS[-1])


def _f1(chosen: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Array:
    hits = (chosen & truth).sum(axis=0)
    total = chosen.sum(axis=0) + truth.sum(axis=0)
    result: Array = 2.0 * hits / np.maximum(total, 1)
    return result


def _smoothed(scores: Array) -> Array:
    padded = np.pad(scores, ((1, 1), (0, 0)), mode="edge")
    result: Array = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
    return result
