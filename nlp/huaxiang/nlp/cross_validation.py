"""Honest figures from the data one trains on: each conversation is judged by a network that never saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from huaxiang.core.types import Role
from huaxiang.nlp.calibration import (
    Array,
    Calibration,
    TurnLogits,
    decide,
    probabilities,
    whole_turn,
)
from huaxiang.nlp.calibration_fit import TruthArrays, truth_arrays
from huaxiang.nlp.classifier import TurnLabels
from huaxiang.nlp.conversation_file import Conversation
from huaxiang.nlp.folds import FOLDS, folds_of
from huaxiang.nlp.joint import Joint, fit_joint
from huaxiang.nlp.network import UNKNOWN, TurnNetwork, head_slices
from huaxiang.nlp.ngram_training import NgramRows, ngrams_out_of_fold
from huaxiang.nlp.prediction import from_features, split_tasks
from huaxiang.nlp.reading import all_upper_states, features_of
from huaxiang.nlp.training import Checkpoint, Example, Progress, TrainingPlan, train


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Logits of every turn, in the order of conversations and turns, by models that never saw them.

    ``network`` and ``wording`` are those of the network and of the linear model on runs of characters;
    ``conversation`` and ``fold`` (turns,) say to which each turn belongs.
    """

    network: TurnLogits
    wording: TurnLogits
    truth: TruthArrays
    conversation: NDArray[np.int64]
    fold: NDArray[np.int64]

    def joined(self) -> tuple[Joint, Calibration]:
        """Return how both models are joined and calibrated when they are trained on everything."""
        return self.fitted(np.ones(len(self.fold), dtype=bool))

    def fitted(self, rows: NDArray[np.bool_]) -> tuple[Joint, Calibration]:
        """Return how the chosen turns would have both models joined and calibrated."""
        return fit_joint(
            self.network.rows(rows),
            self.wording.rows(rows),
            self.truth.rows(rows),
            self.conversation[rows],
            self.fold[rows],
        )


def out_of_fold(
    network: TurnNetwork,
    conversations: Sequence[Conversation],
    examples: Sequence[Example],
    plan: TrainingPlan,
    progress: Progress,
    work: Path | None = None,
) -> OutOfFold:
    """Train both models once a fold and return what they say about the conversations left out.

    ``work`` keeps checkpoints, from which an interrupted run goes on.
    """
    folds = folds_of(conversations)
    rows: dict[int, Array] = {}
    for fold in range(FOLDS):
        finished = work / f"fold-{fold}.npz" if work is not None else None
        if finished is not None and finished.is_file():
            with np.load(finished) as kept:
                rows |= {int(name): kept[name] for name in kept.files}
            continue
        seen = [example for example in examples if folds[example.conversation] != fold]
        checkpoint = Checkpoint(work / f"fold-{fold}.pt" if work is not None else None)
        train(network, seen, plan, _named(progress, f"fold {fold + 1} of {FOLDS}"), checkpoint)
        left_out = [place for place in range(len(conversations)) if folds[place] == fold]
        found = {place: _logits(network, conversations[place], place, examples) for place in left_out}
        if finished is not None:
            np.savez(finished, **{str(place): logits for place, logits in found.items()})  # type: ignore[arg-type]
        rows |= found
    wording = ngrams_out_of_fold(NgramRows(conversations, plan.copies, plan.seed), folds, progress)
    return _collect(conversations, folds, rows, wording)


def _named(progress: Progress, name: str) -> Progress:
    def report(what: str, done: int, total: int) -> None:
        progress(f"{name}: {what}", done, total)

    return report


def _logits(
    network: TurnNetwork, conversation: Conversation, place: int, examples: Sequence[Example]
) -> Array:
    """Return the logits of a conversation's turns; who speaks is asked with all roles hidden."""
    own = [example for example in examples if example.conversation == place and example.copy == 0]
    inputs = [example.input for example in own]
    if network.shape.rank:
        lower = [example.lower for example in own if example.lower is not None]
        with torch.inference_mode():
            upper = all_upper_states(network, inputs, lower)
        features = [features_of(network, *each) for each in zip(inputs, lower, upper, strict=True)]
    else:
        features = [example.features for example in own if example.features is not None]
    turns = len(conversation.transcript.turns)
    logits = from_features(network, inputs, features, turns).logits
    hidden = [replace(item, roles=(UNKNOWN,) * len(item.roles)) for item in inputs]
    role = head_slices().role
    logits[:, role] = from_features(network, hidden, features, turns).logits[:, role]
    return logits


def _collect(
    conversations: Sequence[Conversation], folds: Sequence[int], rows: Mapping[int, Array], wording: Array
) -> OutOfFold:
    turns = [len(conversation.transcript.turns) for conversation in conversations]
    places = np.repeat(np.arange(len(conversations)), turns)
    customer = [
        turn.role is Role.CUSTOMER for conversation in conversations for turn in conversation.transcript.turns
    ]
    truths = [truth for conversation in conversations for truth in conversation.labels.turns]
    return OutOfFold(
        network=split_tasks(np.concatenate([rows[place] for place in range(len(conversations))])),
        wording=split_tasks(wording),
        truth=truth_arrays(customer, truths),
        conversation=places,
        fold=np.asarray(folds)[places],
    )


def honest_labels(found: OutOfFold, conversations: Sequence[Conversation]) -> list[list[TurnLabels]]:
    """Return the labels of every conversation, thresholds and temperatures fitted on the other folds."""
    labels: list[list[TurnLabels]] = [[] for _ in conversations]
    for fold in range(FOLDS):
        inside = found.fold == fold
        joint, calibration = found.fitted(~inside)
        logits = joint.apply(
            found.network.rows(inside),
            found.wording.rows(inside),
            found.truth.customer[inside].astype(np.float64),
            found.conversation[inside],
        )
        calibrated = probabilities(logits, calibration)
        for row, place in enumerate(found.conversation[inside]):
            turn = conversations[place].transcript.turns[len(labels[place])]
            customer = 1.0 if turn.role is Role.CUSTOMER else 0.0
            labels[place].append(decide(calibrated, row, customer, whole_turn(len(turn.text)), calibration))
    return labels
