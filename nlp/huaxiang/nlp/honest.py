"""Scores on the training data itself, each conversation judged by networks that never saw it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huaxiang.nlp.cross_validation import OutOfFold, honest_labels
from huaxiang.nlp.evaluate import Inspects, Understood, score
from huaxiang.nlp.training import Progress, TrainingPlan
from huaxiang.nlp.training_run import TrainingData, cross_validate
from huaxiang.nlp.understand import Understanding


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
    data: TrainingData, found: OutOfFold, understanding: Understanding, inspector: Inspects | None
) -> dict[str, Any]:
    """Return the scores of conversations by what was said about them out of fold.

    Thresholds and calibration of each fold come from the other folds.
    """
    understood = []
    for conversation, labels in zip(
        data.conversations, honest_labels(found, data.conversations), strict=True
    ):
        insights = understanding.from_labels(conversation.transcript, labels)
        scorecard = inspector.inspect(conversation.transcript, insights) if inspector else None
        understood.append(Understood(conversation, insights, scorecard))
    return score(understood)
