"""How the network and the wording become one answer: joined, read again in context, calibrated."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from huaxiang.nlp.blend import Blend, fit_blend
from huaxiang.nlp.calibration import Array, Calibration, TurnLogits
from huaxiang.nlp.calibration_fit import TruthArrays, fit
from huaxiang.nlp.second_reading import FirstReading, SecondReading, as_one, by_task, fit_second_reading


@dataclass(frozen=True, slots=True)
class Joint:
    """The blend of both models with the second reading of what it gives."""

    blend: Blend
    second: SecondReading

    def apply(
        self, network: TurnLogits, wording: TurnLogits, customer: Array, conversation: NDArray[np.int64]
    ) -> TurnLogits:
        """Return the logits to calibrate. Arguments as in ``FirstReading``."""
        return by_task(self.second.apply(first_reading(self.blend, network, wording, customer, conversation)))


def first_reading(
    blend: Blend, network: TurnLogits, wording: TurnLogits, customer: Array, conversation: NDArray[np.int64]
) -> FirstReading:
    """Return what both models say, and what they say together."""
    joined = blend.apply(network, wording)
    return FirstReading(as_one(network), as_one(wording), as_one(joined), customer, conversation)


def fit_joint(
    network: TurnLogits,
    wording: TurnLogits,
    truth: TruthArrays,
    conversation: NDArray[np.int64],
    fold: NDArray[np.int64],
) -> tuple[Joint, Calibration]:
    """Return the joint and its calibration from turns that neither model was trained on.

    The calibration is fitted on second readings of each fold by the others, as those of the turns that a
    regression was fitted on look surer than they are.
    """
    blend = fit_blend(network, wording, truth)
    first = first_reading(blend, network, wording, truth.customer.astype(np.float64), conversation)
    unseen = np.zeros_like(first.joined)
    for left_out in np.unique(fold):
        inside = fold == left_out
        others = fit_second_reading(first.rows(~inside), truth.rows(~inside))
        unseen[inside] = others.apply(first.rows(inside))
    second = _rounded(fit_second_reading(first, truth))
    return Joint(blend, second), fit(by_task(unseen), truth)


def _rounded(second: SecondReading) -> SecondReading:
    """Return the reading in the precision in which it is kept."""
    values = {field.name: getattr(second, field.name) for field in fields(second)}
    return replace(
        second,
        **{name: value.astype(np.float32).astype(np.float64) for name, value in values.items()},
    )
