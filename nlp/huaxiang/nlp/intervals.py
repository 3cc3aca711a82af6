"""How far scores would move with other conversations: bootstrap intervals, resampled by conversation.

Turns of one conversation are alike, so whole conversations are drawn with replacement, not turns
(Efron and Tibshirani 1993, chapter 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.nlp.scores import TaskCounts

DRAWS = 1000
LEVEL = 0.95
_SEED = 20_261

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TaskIntervals:
    """Intervals of 95 % of a task's micro and macro F1 and of each label's F1."""

    micro: Interval
    macro: Interval
    labels: dict[str, Interval]


def task_intervals(parts: Sequence[TaskCounts], draws: int = DRAWS) -> TaskIntervals | None:
    """Return the intervals from the counts of each conversation, ``None`` for fewer than two.

    A draw's macro F1 is the mean over the labels that occur in it.
    """
    if len(parts) < 2:
        return None
    names = list(parts[0].labels)
    counts = np.array(
        [
            [(c.hits, c.false_alarms, c.misses) for c in (part.labels[name] for name in names)]
            for part in parts
        ],
        dtype=np.float64,
    )
    source = np.random.default_rng(_SEED)
    drawn = source.multinomial(len(parts), np.full(len(parts), 1 / len(parts)), size=draws)
    sums = np.einsum("dc,clk->dlk", drawn, counts)
    labels = _f1(sums)
    occurring = (sums[:, :, 0] + sums[:, :, 2]) > 0
    macro = (labels * occurring).sum(axis=1) / np.maximum(occurring.sum(axis=1), 1)
    return TaskIntervals(
        micro=_interval(_f1(sums.sum(axis=1))),
        macro=_interval(macro),
        labels={name: _interval(labels[:, place]) for place, name in enumerate(names)},
    )


def _f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    hits, false_alarms, misses = counts[..., 0], counts[..., 1], counts[..., 2]
    total = 2 * hits + false_alarms + misses
    result: NDArray[np.float64] = 2 * hits / np.maximum(total, 1)
    return result


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return round(float(low), 4), round(float(high), 4)
