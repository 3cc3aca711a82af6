"""Honest figures from the data one trains on: each conversation is judged by a network that never saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from huaxiang.core.types import Role, Turn
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
from huaxiang.nlp.folds import FOLDS
from huaxiang.nlp.joint import Joint, fit_joint
from huaxiang.nlp.network import UNKNOWN, TurnNetwork, head_slices
from huaxiang.nlp.ngram_training import NgramRows, ngrams_out_of_fold
from huaxiang.nlp.noise import Labelled
from huaxiang.nlp.prediction import from_features, split_tasks
from huaxiang.nlp.reading import all_upper_states, features_of
from huaxiang.nlp.training import Checkpoint, Example, Progress, TrainingPlan, train
from huaxiang.nlp.versions import HEARD, TYPED, Versions

JUDGED = (TYPED, HEARD)


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
        part = self.rows(rows)
        return fit_joint(part.network, part.wording, part.truth, part.conversation, part.fold)

    def rows(self, chosen: NDArray[np.bool_]) -> OutOfFold:
        """Return those of the chosen turns."""
        return OutOfFold(
            self.network.rows(chosen),
            self.wording.rows(chosen),
            self.truth.rows(chosen),
            self.conversation[chosen],
            self.fold[chosen],
        )


def out_of_fold(
    network: TurnNetwork,
    versions: Sequence[Versions],
    folds: Sequence[int],
    examples: Sequence[Example],
    plan: TrainingPlan,
    progress: Progress,
    work: Path | None = None,
) -> dict[int, OutOfFold]:
    """Train both models once a fold and return what they say about the conversations left out.

    Typed and heard versions are judged, each under its number. Conversations of the fold ``BESIDE`` are
    learned from each time and not judged. ``work`` keeps checkpoints, from which an interrupted run goes on.
    """
    found: dict[tuple[int, int], Array] = {}
    for fold in range(FOLDS):
        finished = work / f"fold-{fold}.npz" if work is not None else None
        if finished is not None and finished.is_file():
            with np.load(finished) as kept:
                found |= {_place(name): kept[name] for name in kept.files}
            continue
        seen = [example for example in examples if folds[example.conversation] != fold]
        checkpoint = Checkpoint(work / f"fold-{fold}.pt" if work is not None else None)
        train(network, seen, plan, _named(progress, f"fold {fold + 1} of {FOLDS}"), checkpoint)
        inside = {
            (number, version): _logits(network, own[version], number, version, examples)
            for number, own in enumerate(versions)
            for version in JUDGED
            if folds[number] == fold and version in own
        }
        if finished is not None:
            _keep(finished, {f"{number}:{kind}": logits for (number, kind), logits in inside.items()})
        found |= inside
    rows = NgramRows(versions)
    wording = _wording(rows, folds, progress, work / "wording.npz" if work is not None else None)
    return {
        version: _collect(versions, version, folds, found, rows, wording)
        for version in JUDGED
        if any(judged == version for _, judged in found)
    }


def _wording(rows: NgramRows, folds: Sequence[int], progress: Progress, kept: Path | None) -> Array:
    """Return what the wording's model says of every row out of fold; ``kept`` holds it for the next time."""
    if kept is not None and kept.is_file():
        with np.load(kept) as arrays:
            loaded: Array = arrays["wording"]
        return loaded
    wording = ngrams_out_of_fold(rows, folds, progress)
    if kept is not None:
        _keep(kept, {"wording": wording})
    return wording


def _keep(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays whole or not at all: a run may be killed at any time."""
    fresh = path.with_suffix(".new.npz")
    np.savez(fresh, **arrays)  # type: ignore[arg-type]  # its stub takes the names for options of its own
    fresh.replace(path)


def _place(name: str) -> tuple[int, int]:
    number, version = name.split(":")
    return int(number), int(version)


def _named(progress: Progress, name: str) -> Progress:
    def report(what: str, done: int, total: int) -> None:
        progress(f"{name}: {what}", done, total)

    return report


def _logits(
    network: TurnNetwork, labelled: Sequence[Labelled], number: int, version: int, examples: Sequence[Example]
) -> Array:
    """Return the logits of a conversation's turns; who speaks is asked with all roles hidden."""
    own = [item for item in examples if item.conversation == number and item.version == version]
    inputs = [example.input for example in own]
    if network.shape.rank:
        lower = [example.lower for example in own if example.lower is not None]
        with torch.inference_mode():
            upper = all_upper_states(network, inputs, lower)
        features = [features_of(network, *each) for each in zip(inputs, lower, upper, strict=True)]
    else:
        features = [example.features for example in own if example.features is not None]
    logits = from_features(network, inputs, features, len(labelled)).logits
    hidden = [replace(item, roles=(UNKNOWN,) * len(item.roles)) for item in inputs]
    role = head_slices().role
    logits[:, role] = from_features(network, hidden, features, len(labelled)).logits[:, role]
    return logits


def _collect(
    versions: Sequence[Versions],
    version: int,
    folds: Sequence[int],
    found: Mapping[tuple[int, int], Array],
    rows: NgramRows,
    wording: Array,
) -> OutOfFold:
    numbers = sorted(number for number, judged in found if judged == version)
    inside = (rows.version == version) & np.isin(rows.conversation, numbers)
    labelled = [pair for number in numbers for pair in versions[number][version]]
    places = np.repeat(numbers, [len(versions[number][version]) for number in numbers])
    return OutOfFold(
        network=split_tasks(np.concatenate([found[number, version] for number in numbers])),
        wording=split_tasks(wording[inside]),
        truth=truth_arrays(
            [turn.role is Role.CUSTOMER for turn, _ in labelled], [own for _, own in labelled]
        ),
        conversation=places,
        fold=np.asarray(folds)[places],
    )


def fitted_by_fold(found: OutOfFold) -> dict[int, tuple[Joint, Calibration]]:
    """Return for each fold how the turns of the other folds would have both models joined and calibrated."""
    return {int(fold): found.fitted(found.fold != fold) for fold in np.unique(found.fold)}


def honest_labels(
    fitted: Mapping[int, tuple[Joint, Calibration]], judged: OutOfFold, turns: Sequence[Turn]
) -> list[TurnLabels]:
    """Return the labels of ``turns``, those of ``judged`` in order, by what was fitted for their fold."""
    labels = [TurnLabels()] * len(turns)
    for fold in np.unique(judged.fold):
        inside = judged.fold == fold
        joint, calibration = fitted[int(fold)]
        logits = joint.apply(
            judged.network.rows(inside),
            judged.wording.rows(inside),
            judged.truth.customer[inside].astype(np.float64),
            judged.conversation[inside],
        )
        calibrated = probabilities(logits, calibration)
        for row, place in enumerate(np.flatnonzero(inside).tolist()):
            customer = 1.0 if turns[place].role is Role.CUSTOMER else 0.0
            spans = whole_turn(len(turns[place].text))
            labels[place] = decide(calibrated, row, customer, spans, calibration)
    return labels
