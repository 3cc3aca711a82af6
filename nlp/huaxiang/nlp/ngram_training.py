"""Fits the linear model on runs of characters, one yes-or-no regression an output. Seeded; a CPU minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.types import Role
from huaxiang.nlp.calibration_fit import truth_arrays
from huaxiang.nlp.conversation_file import TurnTruth
from huaxiang.nlp.folds import BESIDE
from huaxiang.nlp.labels import OBJECTIONS, SENTIMENTS
from huaxiang.nlp.network import head_slices
from huaxiang.nlp.ngrams import NgramModel, TurnGrams, Vocabulary, outputs, turn_grams
from huaxiang.nlp.versions import Versions

INVERSE_PENALTY = 10.0
_SEED = 20_261


class NgramRows:
    """The turns of all versions of conversations as rows to learn from.

    ``conversation`` and ``version`` (rows,) say whose turn a row is, and of which of its versions.
    """

    def __init__(self, versions: Sequence[Versions]) -> None:
        self.grams: list[TurnGrams] = []
        truths: list[TurnTruth] = []
        customer: list[bool] = []
        conversation: list[int] = []
        version: list[int] = []
        for number, own in enumerate(versions):
            for kind, labelled in own.items():
                self.grams += turn_grams([turn for turn, _ in labelled])
                truths += [truth for _, truth in labelled]
                customer += [turn.role is Role.CUSTOMER for turn, _ in labelled]
                conversation += [number] * len(labelled)
                version += [kind] * len(labelled)
        self.conversation = np.array(conversation)
        self.version = np.array(version)
        self.customer = np.array(customer)
        self.targets = _targets(truths, customer)


def fit_ngrams(
    rows: NgramRows, chosen: NDArray[np.bool_], progress: Callable[[int, int], None]
) -> NgramModel:
    """Return the model that the chosen rows give. ``progress`` is told the outputs done, and of how many."""
    from sklearn.linear_model import LogisticRegression

    grams = [rows.grams[place] for place in np.flatnonzero(chosen)]
    vocabulary = Vocabulary.of(grams)
    features = vocabulary.features(grams)
    targets, customer = rows.targets[chosen], rows.customer[chosen]
    weights = np.zeros((features.shape[1], outputs()), dtype=np.float32)
    offset = np.full(outputs(), _never(len(grams)), dtype=np.float32)
    for output in range(outputs()):
        asked = _asked(output, customer)
        wanted = targets[asked, output]
        if 0 < wanted.sum() < len(wanted):
            model = LogisticRegression(C=INVERSE_PENALTY, solver="liblinear", random_state=_SEED)
            model.fit(features[asked], wanted)
            weights[:, output] = model.coef_[0]
            offset[output] = model.intercept_[0]
        progress(output + 1, outputs())
    return NgramModel.rounded(vocabulary, weights, offset)


def ngrams_out_of_fold(
    rows: NgramRows, folds: Sequence[int], progress: Callable[[str, int, int], None]
) -> NDArray[np.float64]:
    """Return the logits of every row, in order, by models that never saw its conversation.

    Rows of conversations of the fold ``BESIDE`` are learned from each time, and theirs are zeros.
    """
    fold = np.asarray(folds)[rows.conversation]
    found = np.zeros((len(rows.grams), outputs()))
    for left_out in sorted(set(folds) - {BESIDE}):
        name = f"wording, fold {left_out + 1} of {max(folds) + 1}"
        model = fit_ngrams(rows, fold != left_out, lambda done, total, name=name: progress(name, done, total))  # type: ignore[misc]  # a lambda with a default
        inside = np.flatnonzero(fold == left_out)
        found[inside] = model.logits_of(model.vocabulary.features([rows.grams[place] for place in inside]))
    return found


def _never(turns: int) -> float:
    """Return the logit of a label that none of the turns has."""
    return -float(np.log(turns + 1.0))


def _asked(output: int, customer: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the turns that an output is asked of: intents and objections are the customer's."""
    part = head_slices()
    if part.acts.start <= output < part.acts.stop:
        return ~customer
    if output < part.objection.stop:
        return customer
    return np.ones(len(customer), dtype=bool)


def _targets(truths: Sequence[TurnTruth], customer: Sequence[bool]) -> NDArray[np.bool_]:
    arrays = truth_arrays(customer, truths)
    objection = np.eye(len(OBJECTIONS) + 1, dtype=bool)[arrays.objection]
    sentiment = np.eye(len(SENTIMENTS), dtype=bool)[arrays.sentiment]
    joined: NDArray[np.bool_] = np.concatenate(
        [arrays.intents, arrays.acts, objection, sentiment, arrays.customer[:, None]], axis=1
    )
    return joined
