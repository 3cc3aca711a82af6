"""Finds the clause of a turn that speaks for a label most."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from huaxiang.nlp.calibration import Span

_CLAUSE = re.compile("[^，。？！；…,?!;\n]+[，。？！；…,?!;\n]*")
_SHORTEST_CLAUSE = 3
_ENOUGH = 0.6
"""A clause is quoted alone where it brings this share of what speaks for the label."""
_TRAILING = "，。？！；…,?!;\n "


def clauses(text: str) -> list[Span]:
    """Return the clauses of ``text`` in order, very short ones joined to the one that follows."""
    spans: list[Span] = []
    start = 0
    for match in _CLAUSE.finditer(text):
        if match.end() - start >= _SHORTEST_CLAUSE + 1:
            spans.append((start, match.end()))
            start = match.end()
    if start < len(text):
        last = spans.pop()[0] if spans else 0
        spans.append((last, len(text)))
    return spans


def strongest_clauses(
    text: str, offsets: Sequence[tuple[int, int]], added: NDArray[np.float32]
) -> list[Span]:
    """Return for each output the clause that its tokens speak in, or the whole turn.

    ``added`` (tokens, outputs) is what each token adds to each logit; only what speaks for a label
    counts.
    """
    whole = (0, len(text))
    spans = clauses(text)
    outputs = added.shape[1]
    if len(spans) < 2 or len(added) == 0:
        return [whole] * outputs
    ends = np.array([end for _, end in spans])
    clause_of_token = np.searchsorted(ends, [start for start, _ in offsets], side="right").clip(
        max=len(spans) - 1
    )
    weight = np.zeros((len(spans), outputs))
    np.add.at(weight, clause_of_token, np.maximum(added, 0.0))
    best, total = weight.argmax(axis=0), weight.sum(axis=0)
    return [
        _trimmed(text, spans[best[place]])
        if weight[best[place], place] >= _ENOUGH * total[place] > 0
        else whole
        for place in range(outputs)
    ]


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    kept = len(text[start:end].rstrip(_TRAILING))
    return (start, start + kept) if kept else span
