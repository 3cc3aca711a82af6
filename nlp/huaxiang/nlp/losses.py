"""What training minimises: the loss of every task, thin classes weighted up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from huaxiang.nlp.conversation_file import TurnTruth
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS
from huaxiang.nlp.network import CUSTOMER, UNKNOWN, head_slices

CONTEXT_WEIGHT = 0.3
"""Turns that a window has as context only count less: their own window sees more around them."""
LABEL_SMOOTHING = 0.05
OBJECTION_WEIGHT = 2.0
ROLE_WEIGHT = 0.5
NO_OBJECTION_WEIGHT = 0.6
CLASS_WEIGHT_POWER = 0.4
HEAVIEST_POSITIVE = 8.0


@dataclass(frozen=True, slots=True)
class Targets:
    """What the network should say: float labels (turns, intents), (turns, acts), class indices, roles."""

    intents: Tensor
    acts: Tensor
    objection: Tensor
    sentiment: Tensor
    roles: Tensor
    weights: Tensor

    @classmethod
    def of(cls, truths: Sequence[TurnTruth], roles: Sequence[int], core: Sequence[bool]) -> Targets:
        """Return the targets of some turns; ``core`` tells which are more than context."""
        objections, sentiments = [None, *OBJECTIONS], list(SENTIMENTS)
        return cls(
            intents=torch.tensor([[float(name in truth.intents) for name in INTENTS] for truth in truths]),
            acts=torch.tensor([[float(name in truth.acts) for name in ACTS] for truth in truths]),
            objection=torch.tensor([objections.index(truth.objection) for truth in truths]),
            sentiment=torch.tensor([sentiments.index(truth.sentiment) for truth in truths]),
            roles=torch.tensor(list(roles)),
            weights=torch.tensor([1.0 if inside else CONTEXT_WEIGHT for inside in core]),
        )

    @classmethod
    def joined(cls, parts: Sequence[Targets]) -> Targets:
        """Return the targets of several windows one after the other."""
        return cls(
            *(
                torch.cat([getattr(part, name) for part in parts])
                for name in ("intents", "acts", "objection", "sentiment", "roles", "weights")
            )
        )


class MultiTaskLoss:
    """The sum of the tasks' losses, weighted by how rare each label is in the training data."""

    def __init__(self, data: Targets) -> None:
        customer = data.roles == CUSTOMER
        self._intents = _positive_weight(data.intents[customer])
        self._acts = _positive_weight(data.acts[~customer])
        self._objection = _class_weight(data.objection[customer], len(OBJECTIONS) + 1)
        self._objection[0] = NO_OBJECTION_WEIGHT
        self._sentiment = _class_weight(data.sentiment, len(SENTIMENTS))

    def __call__(self, logits: Tensor, wanted: Targets, shown_roles: Tensor) -> Tensor:
        """Return the loss of ``logits`` (turns, outputs).

        Intents and objections count on the customer's turns, acts on the agent's; who speaks is asked
        only where the network was not shown it.
        """
        part = head_slices()
        customer = wanted.roles == CUSTOMER
        hidden = shown_roles == UNKNOWN
        loss = _binary(logits[:, part.intents], wanted.intents, wanted.weights, customer, self._intents)
        loss = loss + _binary(logits[:, part.acts], wanted.acts, wanted.weights, ~customer, self._acts)
        everyone = torch.ones_like(customer)
        objection = _choice(
            logits[:, part.objection], wanted.objection, wanted.weights, customer, self._objection
        )
        sentiment = _choice(
            logits[:, part.sentiment], wanted.sentiment, wanted.weights, everyone, self._sentiment
        )
        role = _binary(logits[:, part.role], customer[:, None].float(), wanted.weights, hidden, torch.ones(1))
        return loss + OBJECTION_WEIGHT * objection + sentiment + ROLE_WEIGHT * role


def _binary(logits: Tensor, wanted: Tensor, weights: Tensor, chosen: Tensor, positive: Tensor) -> Tensor:
    if not bool(chosen.any()):
        return logits.sum() * 0.0
    loss = nn.functional.binary_cross_entropy_with_logits(
        logits[chosen], wanted[chosen], pos_weight=positive, reduction="none"
    )
    return (loss.sum(1) * weights[chosen]).sum() / weights[chosen].sum()


def _choice(logits: Tensor, wanted: Tensor, weights: Tensor, chosen: Tensor, classes: Tensor) -> Tensor:
    if not bool(chosen.any()):
        return logits.sum() * 0.0
    loss = nn.functional.cross_entropy(
        logits[chosen], wanted[chosen], weight=classes, reduction="none", label_smoothing=LABEL_SMOOTHING
    )
    return (loss * weights[chosen]).sum() / weights[chosen].sum()


def _positive_weight(labels: Tensor) -> Tensor:
    """Half the root of negatives to positives, within bounds: the full ratio would drown precision."""
    share = labels.mean(0).clamp(min=1e-3, max=1 - 1e-3)
    return (((1 - share) / share) ** 0.5 / 2).clamp(1.0, HEAVIEST_POSITIVE)


def _class_weight(classes: Tensor, count: int) -> Tensor:
    seen = torch.bincount(classes, minlength=count).float().clamp(min=1.0)
    return (seen.mean() / seen) ** CLASS_WEIGHT_POWER
