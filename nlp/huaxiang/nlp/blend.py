"""Joins what the network says with what the wording says: a weight for each, task by task.

A stacked generalisation (Wolpert 1992) kept as small as can be: two weights a task, fitted together with
an offset a label on conversations that neither model was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from huaxiang.nlp.calibration import Array, TurnLogits
from huaxiang.nlp.calibration_fit import TruthArrays

Weights = tuple[float, float]
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Blend:
    """For each task the weights of the network's logits and of the wording's."""

    intents: Weights
    acts: Weights
    objection: Weights
    sentiment: Weights
    role: Weights

    def apply(self, network: TurnLogits, wording: TurnLogits) -> TurnLogits:
        """Return the joined logits of some turns."""
        return TurnLogits(
            **{
                task.name: getattr(self, task.name)[0] * getattr(network, task.name)
                + getattr(self, task.name)[1] * getattr(wording, task.name)
                for task in fields(self)
            }
        )

    def as_document(self) -> dict[str, Any]:
        """Return a JSON object that ``from_document`` reads."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Blend:
        """Return the blend that ``as_document`` wrote."""
        return cls(**{name: (float(value[0]), float(value[1])) for name, value in document.items()})


def fit_blend(network: TurnLogits, wording: TurnLogits, truth: TruthArrays) -> Blend:
    """Return the weights under which the joined logits are likeliest."""
    customer, agent = truth.customer, ~truth.customer
    everyone = np.ones(len(customer), dtype=bool)

    def task(name: str, rows: NDArray[np.bool_], wanted: NDArray[Any]) -> Weights:
        return _weights(
            [getattr(source, name)[rows] for source in (network, wording)],
            torch.tensor(wanted[rows]),
        )

    return Blend(
        intents=task("intents", customer, truth.intents),
        acts=task("acts", agent, truth.acts),
        objection=task("objection", customer, truth.objection),
        sentiment=task("sentiment", everyone, truth.sentiment),
        role=task("role", everyone, truth.customer[:, None]),
    )


def _weights(sources: Sequence[Array], wanted: Tensor) -> Weights:
    logits = torch.tensor(np.stack(sources), dtype=torch.float64)
    weights = torch.full((2, 1, 1), 0.5, dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(logits.shape[2], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, offset], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = _loss((logits * weights).sum(0) + offset, wanted)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped upstream
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]  # untyped upstream
    network, wording = weights.detach().flatten().tolist()
    return float(network), float(wording)


def _loss(logits: Tensor, wanted: Tensor) -> Tensor:
    if wanted.ndim == 1:
        return nn.functional.cross_entropy(logits, wanted)
    return nn.functional.binary_cross_entropy_with_logits(logits, wanted.double())
