"""Score against the number of training conversations: which labels would gain from more examples.

The curve is that of the model of wordings, which carries most of the joint's weight and is trained in a
minute; the network's would take an hour. A fifth of the conversations is scored, another sets thresholds,
and growing, nested parts of the rest are learned from.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from huaxiang.core.types import Role
from huaxiang.nlp.calibration import decide, probabilities, whole_turn
from huaxiang.nlp.calibration_fit import fit, truth_arrays
from huaxiang.nlp.conversation_file import Conversation
from huaxiang.nlp.evaluate import TASKS, NlpScores
from huaxiang.nlp.folds import folds_of
from huaxiang.nlp.ngram_training import NgramRows, fit_ngrams
from huaxiang.nlp.ngrams import NgramModel
from huaxiang.nlp.second_reading import by_task
from huaxiang.nlp.versions import versions_of

SHARES = (0.25, 0.5, 1.0)
TESTED, THRESHOLDS = 0, 1
WORTHWHILE = 0.03
_SEED = 20_261


def learning_curve(
    conversations: Sequence[Conversation],
    progress: Callable[[str, int, int], None],
    shares: Sequence[float] = SHARES,
) -> dict[str, Any]:
    """Return ``points``, the scores by number of conversations, and ``would_gain``.

    ``would_gain`` lists the labels whose F1 still rose by more than 0.03 between the last two points, the
    steepest first, with that rise and their examples among the tested turns.
    """
    folds = folds_of(conversations)
    rest = [place for place, fold in enumerate(folds) if fold not in (TESTED, THRESHOLDS)]
    random.Random(_SEED).shuffle(rest)  # noqa: S311 - repeatable on purpose
    rows = NgramRows(versions_of(conversations, (), _SEED, {}))
    counts = [max(1, round(share * len(rest))) for share in shares]
    scores = []
    for count in counts:
        chosen = np.isin(rows.conversation, rest[:count])
        name = f"learning from {count} conversations"
        model = fit_ngrams(rows, chosen, lambda done, total, name=name: progress(name, done, total))  # type: ignore[misc]  # a lambda with a default
        scores.append(_scored(conversations, folds, model))
    points = []
    for count, scored in zip(counts, scores, strict=True):
        document = scored.document()
        figures = {task: document[task] for task in TASKS}
        points.append({"conversations": count, **figures})
    return {"points": points, "would_gain": _gains(scores)}


def _scored(conversations: Sequence[Conversation], folds: Sequence[int], model: NgramModel) -> NlpScores:
    parts = {
        part: [item for item, fold in zip(conversations, folds, strict=True) if fold == part]
        for part in (TESTED, THRESHOLDS)
    }
    logits = {
        part: by_task(np.vstack([model.logits(item.transcript.turns) for item in items]))
        for part, items in parts.items()
    }
    known = [turn.role is Role.CUSTOMER for item in parts[THRESHOLDS] for turn in item.transcript.turns]
    truths = [truth for item in parts[THRESHOLDS] for truth in item.labels.turns]
    calibration = fit(logits[THRESHOLDS], truth_arrays(known, truths))
    found = probabilities(logits[TESTED], calibration)
    scores = NlpScores()
    turns = [
        pair for item in parts[TESTED] for pair in zip(item.transcript.turns, item.labels.turns, strict=True)
    ]
    for row, (turn, truth) in enumerate(turns):
        customer = float(turn.role is Role.CUSTOMER)
        labels = decide(found, row, customer, whole_turn(len(turn.text)), calibration)
        scores.add_labels(labels.chosen(), truth)
    return scores


def _gains(scores: Sequence[NlpScores]) -> list[dict[str, Any]]:
    if len(scores) < 2:
        return []
    gains: list[dict[str, Any]] = [
        {
            "task": task,
            "label": label,
            "gain": round(counts.f1 - scores[-2].task(task).labels[label].f1, 4),
            "support": counts.support,
        }
        for task in TASKS
        for label, counts in scores[-1].task(task).labels.items()
        if counts.support
    ]
    rising = [gain for gain in gains if gain["gain"] > WORTHWHILE]
    return sorted(rising, key=lambda gain: -gain["gain"])
