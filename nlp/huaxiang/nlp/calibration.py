"""From the network's logits to calibrated probabilities and decisions.

Yes-or-no labels have a slope and an offset each (Platt 1999); the two choices of one among several,
objection and sentiment, a common temperature and an offset a class (Guo et al. 2017). Thresholds are
set for each label. All are fitted on conversations that the network was not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.nlp.classifier import LabelScore, TurnLabels
from huaxiang.nlp.labels import ACTS, FORBIDDEN_ACTS, INTENTS, OBJECTIONS, SENTIMENTS

Array = NDArray[np.float64]
LEAST_SURE = 0.25
"""The floor for choices among several labels: below it the label is offered for review only."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scaling:
    """``slope * logit + offset`` for each column of a task."""

    slope: tuple[float, ...]
    offset: tuple[float, ...]

    def apply(self, logits: Array) -> Array:
        """Return the scaled logits, shape (turns, columns)."""
        scaled: Array = logits * np.asarray(self.slope) + np.asarray(self.offset)
        return scaled


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scalings and thresholds of every task, in the order of the label inventories.

    ``objection`` scales eight columns, none first. ``forbidden_floor`` is the probability from which
    a forbidden act may fail a seller.
    """

    intents: Scaling
    acts: Scaling
    objection: Scaling
    sentiment: Scaling
    role: Scaling
    intent_thresholds: tuple[float, ...]
    act_thresholds: tuple[float, ...]
    objection_threshold: float
    negative_threshold: float
    positive_threshold: float
    forbidden_floor: float

    def as_document(self) -> dict[str, Any]:
        """Return a JSON object that ``from_document`` reads."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Calibration:
        """Return the calibration that ``as_document`` wrote."""
        values: dict[str, Any] = {}
        for name, value in document.items():
            if isinstance(value, Mapping):
                values[name] = Scaling(tuple(value["slope"]), tuple(value["offset"]))
            else:
                values[name] = tuple(value) if isinstance(value, list | tuple) else float(value)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class TurnLogits:
    """The network's outputs for some turns, one array a task, first axis the turns."""

    intents: Array
    acts: Array
    objection: Array
    sentiment: Array
    role: Array

    def rows(self, chosen: NDArray[Any]) -> TurnLogits:
        """Return the outputs of the chosen turns."""
        return TurnLogits(
            self.intents[chosen],
            self.acts[chosen],
            self.objection[chosen],
            self.sentiment[chosen],
            self.role[chosen],
        )


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Calibrated probabilities, shaped like ``TurnLogits``.

    Those of intents and objections hold given that the customer speaks, those of acts given that the
    agent does; ``customer`` is the belief from the words alone that it is the customer.
    """

    intents: Array
    acts: Array
    objection: Array
    sentiment: Array
    customer: Array


def sigmoid(values: Array) -> Array:
    """Return the logistic function of ``values``."""
    result: Array = 1.0 / (1.0 + np.exp(-np.clip(values, -60.0, 60.0)))
    return result


def softmax(values: Array) -> Array:
    """Return the softmax over the last axis."""
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def probabilities(logits: TurnLogits, calibration: Calibration) -> Probabilities:
    """Return the calibrated probabilities of some turns."""
    return Probabilities(
        intents=sigmoid(calibration.intents.apply(logits.intents)),
        acts=sigmoid(calibration.acts.apply(logits.acts)),
        objection=softmax(calibration.objection.apply(logits.objection)),
        sentiment=softmax(calibration.sentiment.apply(logits.sentiment)),
        customer=sigmoid(calibration.role.apply(logits.role))[:, 0],
    )


@dataclass(frozen=True, slots=True)
class TurnSpans:
    """Where in a turn each label is said, as character spans, in the order of the inventories."""

    intents: Sequence[Span]
    acts: Sequence[Span]
    objection: Sequence[Span]
    sentiment: Sequence[Span]


def whole_turn(length: int) -> TurnSpans:
    """Return spans that point at the whole turn of ``length`` characters."""
    span = (0, length)
    return TurnSpans(
        [span] * len(INTENTS), [span] * len(ACTS), [span] * (len(OBJECTIONS) + 1), [span] * len(SENTIMENTS)
    )


def decide(
    found: Probabilities, turn: int, customer: float, spans: TurnSpans, calibration: Calibration
) -> TurnLabels:
    """Return the labels of one turn. ``customer`` (0–1) is the belief that the customer speaks."""
    intents = tuple(
        _scored(
            label, float(found.intents[turn, place]) * customer, threshold, threshold, spans.intents[place]
        )
        for place, (label, threshold) in enumerate(zip(INTENTS, calibration.intent_thresholds, strict=True))
    )
    acts = tuple(
        _scored(
            label,
            float(found.acts[turn, place]) * (1.0 - customer),
            threshold,
            max(threshold, calibration.forbidden_floor) if label in FORBIDDEN_ACTS else threshold,
            spans.acts[place],
        )
        for place, (label, threshold) in enumerate(zip(ACTS, calibration.act_thresholds, strict=True))
    )
    any_objection = float(1.0 - found.objection[turn, 0]) * customer
    return TurnLabels(
        intents=intents if customer > 0.0 else (),
        acts=acts if customer < 1.0 else (),
        objection=_objection(found, turn, customer, any_objection, spans, calibration),
        any_objection=any_objection,
        sentiment=_sentiment(found.sentiment[turn], spans, calibration),
        customer_probability=customer,
    )


def _scored(label: str, probability: float, threshold: float, floor: float, span: Span) -> LabelScore:
    return LabelScore(label, probability, probability >= threshold, floor, *span)


def _objection(
    found: Probabilities,
    turn: int,
    customer: float,
    any_objection: float,
    spans: TurnSpans,
    calibration: Calibration,
) -> LabelScore | None:
    if customer <= 0.0:
        return None
    kinds = found.objection[turn, 1:]
    best = int(kinds.argmax())
    return LabelScore(
        label=list(OBJECTIONS)[best],
        probability=float(kinds[best]) * customer,
        chosen=any_objection >= calibration.objection_threshold,
        floor=LEAST_SURE,
        char_start=spans.objection[best + 1][0],
        char_end=spans.objection[best + 1][1],
    )


def _sentiment(found: Array, spans: TurnSpans, calibration: Calibration) -> LabelScore:
    """Choose the mood that is farthest over its threshold, neutral where none is."""
    excess = np.array(
        [
            found[0] / calibration.negative_threshold,
            0.0,
            found[2] / calibration.positive_threshold,
        ]
    )
    best = int(excess.argmax()) if excess.max() >= 1.0 else 1
    return LabelScore(
        label=list(SENTIMENTS)[best],
        probability=float(found[best]),
        chosen=True,
        floor=LEAST_SURE,
        char_start=spans.sentiment[best][0],
        char_end=spans.sentiment[best][1],
    )
