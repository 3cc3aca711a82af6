"""``huaxiang train nlp`` from end to end: data in, cross-validation, weights out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from huaxiang.core.errors import InvalidConversation
from huaxiang.core.file_sums import sums_by_name
from huaxiang.core.torch_threads import bounded_threads
from huaxiang.core.types import Json, Role
from huaxiang.nlp.conversation_file import Conversation, TurnTruth, read_conversations
from huaxiang.nlp.cross_validation import OutOfFold, out_of_fold
from huaxiang.nlp.folds import BESIDE, folds_of
from huaxiang.nlp.model_classifier import build_network
from huaxiang.nlp.network import TurnNetwork
from huaxiang.nlp.ngram_training import NgramRows, fit_ngrams
from huaxiang.nlp.noise import Labelled
from huaxiang.nlp.reading import FileTokenizer
from huaxiang.nlp.training import Checkpoint, Example, Progress, TrainingPlan, prepare, train
from huaxiang.nlp.versions import TYPED, Versions, versions_of
from huaxiang.nlp.weights import FILE, Weights, save_weights

LEAST_CONVERSATIONS = 10


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Labelled conversations, and the sha256 of each file they came from by its name.

    ``heard`` has the labelled turns that a recogniser made of some of them, by the conversation's id.
    ``beside`` are others, which every fold learns from and none judges: no figure is about them.
    """

    conversations: tuple[Conversation, ...]
    sums: dict[str, str]
    heard: Mapping[str, Sequence[Labelled]] = field(default_factory=dict)
    beside: tuple[Conversation, ...] = ()

    def refuse_strangers(self, truths: Mapping[str, Sequence[TurnTruth]]) -> None:
        """Raise InvalidConversation for recordings of conversations that are not here, or not so labelled.

        A stranger would be in no fold, and other labels would be compared with those here.
        """
        known = {item.id: item for item in self.conversations}
        for name, own in truths.items():
            if name not in known:
                raise InvalidConversation(
                    f"{name} was heard, and is not among the labelled conversations; add it to them"
                )
            if [_labels(truth) for truth in own] != [_labels(truth) for truth in known[name].labels.turns]:
                raise InvalidConversation(
                    f"{name} is labelled otherwise beside its recording; make both alike"
                )

    def with_heard(self, heard: Mapping[str, Sequence[Labelled]], sums: Mapping[str, str]) -> TrainingData:
        """Return the data with what was recognised of some conversations, and the recordings' sums."""
        return replace(self, heard=dict(heard), sums={**self.sums, **sums})

    def heard_document(self) -> dict[str, list[list[Json]]]:
        """Return what was heard, as JSON: another recogniser hears otherwise in the same recordings."""
        return {
            name: [[turn.role.value, turn.text, *_labels(truth)] for turn, truth in labelled]
            for name, labelled in self.heard.items()
        }

    def versions(self, plan: TrainingPlan) -> list[Versions]:
        """Return the versions of each of the ``learned`` conversations that training by ``plan`` sees."""
        return versions_of(self.learned(), plan.copies, plan.seed, self.heard)

    def learned(self) -> tuple[Conversation, ...]:
        """Return all conversations, those beside last."""
        return (*self.conversations, *self.beside)

    def folds(self) -> list[int]:
        """Return the fold of each of the ``learned`` conversations."""
        return folds_of(self.conversations) + [BESIDE] * len(self.beside)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run made: the weights' file with its sum, and what cross-validation found.

    ``out_of_fold`` is by the version of the conversations that was judged.
    """

    path: Path
    sha256: str
    size_bytes: int
    out_of_fold: Mapping[int, OutOfFold]


def _labels(truth: TurnTruth) -> list[Json]:
    return [sorted(truth.intents), truth.objection, truth.sentiment, sorted(truth.acts)]


def read_training_data(paths: Sequence[Path], beside: Sequence[Path] = ()) -> TrainingData:
    """Read labelled conversations, to be judged and learned from, and those that are learned from only.

    Raises InvalidConversation for a mistake, for an id that stands twice (what is judged would have been
    learned), or where there are too few to judge.
    """
    sums = sums_by_name((*paths, *beside))
    conversations = [item for path in paths for item in read_conversations(path)]
    others = [item for path in beside for item in read_conversations(path)]
    data = TrainingData(tuple(conversations), sums, beside=tuple(others))
    for name, count in Counter(item.id for item in data.learned()).items():
        if count > 1:
            raise InvalidConversation(f"{name} stands {count} times in the training data; leave one of them")
    if len(conversations) < LEAST_CONVERSATIONS:
        raise InvalidConversation(
            f"{len(conversations)} conversations are too few to train on; give at least {LEAST_CONVERSATIONS}"
        )
    if any(turn.role is Role.UNKNOWN for item in data.learned() for turn in item.transcript.turns):
        raise InvalidConversation("every turn of the training data needs the role agent or customer")
    return data


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
    versions = data.versions(plan)
    with bounded_threads(threads):
        network, examples = make_examples(versions, encoder_folder, plan, progress)
        found = out_of_fold(network, versions, data.folds(), examples, plan, progress, folder)
        train(network, examples, plan, progress, Checkpoint(folder / "all.pt" if folder else None))
    rows = NgramRows(versions)
    wording = fit_ngrams(
        rows, np.ones(len(rows.grams), dtype=bool), lambda done, total: progress("wording", done, total)
    )
    joint, calibration = found[TYPED].joined()
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
) -> Mapping[int, OutOfFold]:
    """Return what networks trained on the other folds say about each conversation, by version."""
    torch.use_deterministic_algorithms(mode=True)
    versions = data.versions(plan)
    with bounded_threads(threads):
        network, examples = make_examples(versions, encoder_folder, plan, progress)
        folder = _folder_of(plan, data, work)
        return out_of_fold(network, versions, data.folds(), examples, plan, progress, folder)


def make_examples(
    versions: Sequence[Versions], encoder_folder: Path, plan: TrainingPlan, progress: Progress
) -> tuple[TurnNetwork, list[Example]]:
    """Return a blank network and the examples to train it on, frozen states included."""
    network = build_network(encoder_folder, plan.shape)
    return network, prepare(versions, network, FileTokenizer(encoder_folder), plan, progress)


def _folder_of(plan: TrainingPlan, data: TrainingData, work: Path | None) -> Path | None:
    """Return a folder of this plan's and data's own: a checkpoint of another must not be taken up."""
    if work is None:
        return None
    identity = json.dumps(
        {
            "plan": asdict(plan),
            "data": data.sums,
            "folds": [[item.id, fold] for item, fold in zip(data.learned(), data.folds(), strict=True)],
            "heard": data.heard_document(),
        },
        sort_keys=True,
    )
    folder = work / hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
