"""Scores on the training data itself, each conversation judged by networks that never saw it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from huaxiang.nlp.calibration import Calibration
from huaxiang.nlp.cross_validation import OutOfFold, fitted_by_fold, honest_labels
from huaxiang.nlp.evaluate import TASKS, Inspects, NlpScores, Understood, loss, score
from huaxiang.nlp.joint import Joint
from huaxiang.nlp.training import Progress, TrainingPlan
from huaxiang.nlp.training_run import TrainingData, cross_validate
from huaxiang.nlp.understand import Understanding
from huaxiang.nlp.versions import HEARD, TYPED


def cross_validated_scores(
    data: TrainingData,
    encoder_folder: Path,
    plan: TrainingPlan,
    understanding: Understanding,
    inspector: Inspects | None,
    progress: Progress,
    work: Path | None = None,
    threads: int = 2,
) -> dict[str, Any]:
    """Train a network a fold and return the scores of all conversations out of fold, ``{"nlp": {…}}``.

    Of ``understanding`` everything but the classifier is used. ``work`` keeps checkpoints.
    """
    found = cross_validate(data, encoder_folder, plan, progress, work, threads)
    return scores_out_of_fold(data, found, understanding, inspector)


def scores_out_of_fold(
    data: TrainingData,
    found: Mapping[int, OutOfFold],
    understanding: Understanding,
    inspector: Inspects | None,
) -> dict[str, Any]:
    """Return the scores of conversations by what was said about them out of fold.

    Thresholds and calibration of each fold come from the other folds. Where some conversations were heard
    too, ``recognition`` tells what that costs.
    """
    typed = found[TYPED]
    fitted = fitted_by_fold(typed)
    every = [turn for item in data.conversations for turn in item.transcript.turns]
    labels = iter(honest_labels(fitted, typed, every))
    understood = []
    for conversation in data.conversations:
        own = list(islice(labels, len(conversation.transcript.turns)))
        insights = understanding.from_labels(conversation.transcript, own)
        scorecard = inspector.inspect(conversation.transcript, insights) if inspector else None
        understood.append(Understood(conversation, insights, scorecard))
    report = score(understood)
    if HEARD in found:
        numbers = np.unique(found[HEARD].conversation)
        same_calls = typed.rows(np.isin(typed.conversation, numbers))
        report |= {"recognition": recognition_cost(data, fitted, same_calls, found[HEARD])}
    return report


def recognition_cost(
    data: TrainingData, fitted: Mapping[int, tuple[Joint, Calibration]], typed: OutOfFold, heard: OutOfFold
) -> dict[str, Any]:
    """Return what is lost from ``typed`` turns to ``heard`` ones of the same calls, neither ever seen.

    ``typed`` and ``heard`` are the scores of both, ``loss`` the share of each F1 that is lost, ``calls``
    their number. A heard turn is judged by the labels of the true turns that were heard in it.
    """
    calls = [data.conversations[number] for number in np.unique(heard.conversation)]
    as_typed = [pair for call in calls for pair in zip(call.transcript.turns, call.labels.turns, strict=True)]
    as_heard = [pair for call in calls for pair in data.heard[call.id]]
    scores = {}
    for name, judged, labelled in (("typed", typed, as_typed), ("heard", heard, as_heard)):
        counted = NlpScores()
        labels = honest_labels(fitted, judged, [turn for turn, _ in labelled])
        for given, (_, truth) in zip(labels, labelled, strict=True):
            counted.add_labels(given.chosen(), truth)
        document = counted.document()
        scores[name] = {task: document[task] for task in TASKS}
    return {"calls": len(calls), **scores, "loss": loss(scores["heard"], scores["typed"])}
