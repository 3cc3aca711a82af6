"""``huaxiang train nlp`` from end to end: data in, cross-validation, weights out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from huaxiang.core.errors import InvalidConversation
from huaxiang.core.torch_threads import bounded_threads
from huaxiang.core.types import Role
from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.cross_validation import OutOfFold, out_of_fold
from huaxiang.nlp.model_classifier import build_network
from huaxiang.nlp.network import TurnNetwork
from huaxiang.nlp.ngram_training import NgramRows, fit_ngrams
from huaxiang.nlp.reading import FileTokenizer
from huaxiang.nlp.training import Checkpoint, Example, Progress, TrainingPlan, prepare, train
from huaxiang.nlp.weights import FILE, Weights, save_weights

LEAST_CONVERSATIONS = 10


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Labelled conversations, and the sha256 of each file they came from by its name."""

    conversations: tuple[Conversation, ...]
    sums: dict[str, str]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run made: the weights' file with its sum, and what cross-validation found."""

    path: Path
    sha256: str
    size_bytes: int
    out_of_fold: OutOfFold


def read_training_data(paths: Sequence[Path]) -> TrainingData:
    """Read labelled conversations. Raises InvalidConversation for a mistake, or where there are too few."""
    conversations: list[Conversation] = []
    sums = {}
    for path in paths:
        conversations += read_conversations(path)
        sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if len(conversations) < LEAST_CONVERSATIONS:
        raise InvalidConversation(
            f"{len(conversations)} conversations are too few to train on; give at least {LEAST_CONVERSATIONS}"
        )
    if any(turn.role is Role.UNKNOWN for item in conversations for turn in item.transcript.turns):
        raise InvalidConversation("every turn of the training data needs the role agent or customer")
    return TrainingData(tuple(conversations), sums)


def train_nlp(
    data: TrainingData,
    encoder_folder: Path,
    target: Path,
    plan: TrainingPlan,
    progress: Progress,
    work: Path | None = None,
    threads: int = 2,
) -> Trained:
    """Cross-validate, train on everything, and write the weights into the folder ``target``.

    ``work`` is a folder for checkpoints: a run that is started again with the same plan and data goes
    on where it stopped. The calibration comes from the conversations as judged out of fold.
    """
    torch.use_deterministic_algorithms(mode=True)
    folder = _folder_of(plan, data, work)
    with bounded_threads(threads):
        network, examples = make_examples(data.conversations, encoder_folder, plan, progress)
        found = out_of_fold(network, data.conversations, examples, plan, progress, folder)
        train(network, examples, plan, progress, Checkpoint(folder / "all.pt" if folder else None))
    rows = NgramRows(data.conversations, plan.copies, plan.seed)
    wording = fit_ngrams(
        rows, np.ones(len(rows.grams), dtype=bool), lambda done, total: progress("wording", done, total)
    )
    joint, calibration = found.joined()
    path = target / FILE
    save_weights(path, Weights(plan.shape, joint, calibration, network.trained_state(), wording, data.sums))
    written = path.read_bytes()
    return Trained(path, hashlib.sha256(written).hexdigest(), len(written), found)


def cross_validate(
    data: TrainingData,
    encoder_folder: Path,
    plan: TrainingPlan,
    progress: Progress,
    work: Path | None = None,
    threads: int = 2,
) -> OutOfFold:
    """Return what networks trained on the other folds say about each conversation."""
    torch.use_deterministic_algorithms(mode=True)
    with bounded_threads(threads):
        network, examples = make_examples(data.conversations, encoder_folder, plan, progress)
        return out_of_fold(
            network, data.conversations, examples, plan, progress, _folder_of(plan, data, work)
        )


def make_examples(
    conversations: Sequence[Conversation], encoder_folder: Path, plan: TrainingPlan, progress: Progress
) -> tuple[TurnNetwork, list[Example]]:
    """Return a blank network and the examples to train it on, frozen states included."""
    network = build_network(encoder_folder, plan.shape)
    return network, prepare(conversations, network, FileTokenizer(encoder_folder), plan, progress)


def _folder_of(plan: TrainingPlan, data: TrainingData, work: Path | None) -> Path | None:
    """Return a folder of this plan's and data's own: a checkpoint of another must not be taken up."""
    if work is None:
        return None
    identity = json.dumps({"plan": asdict(plan), "data": data.sums}, sort_keys=True)
    folder = work / hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
