"""Reads the labels of a turn again in the light of those around it.

What the seller answers tells an objection, and what the customer asked tells a quote. The first reading of
both models sees the words around a turn; this one sees what was made of them: for each label a regression
on the turn's own logits and on the probabilities of its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.nlp.calibration import Array, TurnLogits, sigmoid
from huaxiang.nlp.calibration_fit import TruthArrays
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS

NEIGHBOURS = (-1, 1, -2, 2)
OWN_WEIGHT = 12.0
"""How much less the label's own first reading is held back than everything else."""
INVERSE_PENALTY = 0.003
_LARGEST_LOGIT = 8.0
_ROUNDS = 200
_ENDS = np.cumsum([len(INTENTS), len(ACTS), len(OBJECTIONS) + 1, len(SENTIMENTS), 1])
_INTENTS, _ACTS, _OBJECTION, _SENTIMENT, ROLE = (
    slice(int(end - size), int(end)) for end, size in zip(_ENDS, np.diff(_ENDS, prepend=0), strict=True)
)


@dataclass(frozen=True, slots=True)
class FirstReading:
    """What is known of some turns before they are read again, first axis the turns.

    ``network``, ``wording`` and ``joined`` are logits of both models and of their blend (turns, outputs);
    ``customer`` (turns,) the belief that the customer speaks; ``conversation`` (turns,) a number for each
    conversation, whose turns stand in order.
    """

    network: Array
    wording: Array
    joined: Array
    customer: Array
    conversation: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.bool_]) -> FirstReading:
        """Return the turns of some whole conversations."""
        return FirstReading(
            self.network[chosen],
            self.wording[chosen],
            self.joined[chosen],
            self.customer[chosen],
            self.conversation[chosen],
        )

    def features(self) -> Array:
        """Return the turn's own logits, and the probabilities of its neighbours (turns, features)."""
        likely = sigmoid(self.joined)
        likely[:, _INTENTS] *= self.customer[:, None]
        likely[:, _OBJECTION] *= self.customer[:, None]
        likely[:, _ACTS] *= 1.0 - self.customer[:, None]
        own = [np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT) for logits in (self.network, self.wording)]
        return np.hstack([*own, *(self._there(likely, offset) for offset in NEIGHBOURS)])

    def _there(self, values: Array, offset: int) -> Array:
        """Return what stands ``offset`` turns on in the same conversation, zeros beyond its ends."""
        place = np.arange(len(values)) + offset
        inside = (place >= 0) & (place < len(values))
        place = np.where(inside, place, 0)
        inside &= self.conversation[place] == self.conversation
        result: Array = np.where(inside[:, None], values[place], 0.0)
        return result


@dataclass(frozen=True, slots=True)
class SecondReading:
    """A regression for each output but the role's, which stays as it was.

    ``mean`` and ``spread`` (features,) standardise the features, ``own_mean`` and ``own_spread``
    (outputs,) the output's own joined logit; ``weights`` (features, outputs), ``own`` (outputs,) and
    ``offset`` (outputs,) are the regressions.
    """

    mean: Array
    spread: Array
    own_mean: Array
    own_spread: Array
    weights: Array
    own: Array
    offset: Array

    def apply(self, first: FirstReading) -> Array:
        """Return the logits of the second reading (turns, outputs)."""
        features = (first.features() - self.mean) / self.spread
        own = (first.joined - self.own_mean) / self.own_spread
        found: Array = features @ self.weights + own * self.own + self.offset
        found[:, ROLE] = first.joined[:, ROLE]
        return found


def fit_second_reading(first: FirstReading, truth: TruthArrays) -> SecondReading:
    """Return the regressions that these turns give; a label that none or all of them have stays as it was."""
    from sklearn.linear_model import LogisticRegression

    raw = first.features()
    mean, spread = raw.mean(axis=0), raw.std(axis=0) + 1e-6
    own_mean, own_spread = first.joined.mean(axis=0), first.joined.std(axis=0) + 1e-6
    features = (raw - mean) / spread
    own = OWN_WEIGHT * (first.joined - own_mean) / own_spread
    targets = _targets(truth)
    outputs = first.joined.shape[1]
    weights = np.zeros((raw.shape[1], outputs))
    slope, offset = own_spread.copy(), own_mean.copy()
    for output in range(ROLE.start):
        asked = _asked(output, truth.customer)
        wanted = targets[asked, output]
        if not 0 < wanted.sum() < len(wanted):
            continue
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=_ROUNDS)
        model.fit(np.hstack([own[asked, output : output + 1], features[asked]]), wanted)
        slope[output] = OWN_WEIGHT * model.coef_[0, 0]
        weights[:, output] = model.coef_[0, 1:]
        offset[output] = model.intercept_[0]
    return SecondReading(mean, spread, own_mean, own_spread, weights, slope, offset)


def by_task(logits: Array) -> TurnLogits:
    """Return logits (turns, outputs) task by task."""
    return TurnLogits(
        logits[:, _INTENTS], logits[:, _ACTS], logits[:, _OBJECTION], logits[:, _SENTIMENT], logits[:, ROLE]
    )


def as_one(logits: TurnLogits) -> Array:
    """Return logits of all tasks side by side, shape (turns, outputs)."""
    return np.hstack([logits.intents, logits.acts, logits.objection, logits.sentiment, logits.role])


def _asked(output: int, customer: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if _ACTS.start <= output < _ACTS.stop:
        return ~customer
    return customer if output < _OBJECTION.stop else np.ones(len(customer), dtype=bool)


def _targets(truth: TruthArrays) -> NDArray[np.bool_]:
    objection = np.eye(len(OBJECTIONS) + 1, dtype=bool)[truth.objection]
    sentiment = np.eye(len(SENTIMENTS), dtype=bool)[truth.sentiment]
    joined: NDArray[np.bool_] = np.hstack([truth.intents, truth.acts, objection, sentiment])
    return joined
