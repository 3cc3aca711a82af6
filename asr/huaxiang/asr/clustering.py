"""Groups voices: which embeddings are one person's, and how many people there are. Pure functions.

Ward's linkage splits what lies together in two, again and again, as long as the halves are two people.
Average linkage cannot be used: it splits off single windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Labels = NDArray[np.intp]
_USUAL_COSINE = 0.9


@dataclass(frozen=True, slots=True)
class SplitTest:
    """When two halves are two people: ``separation`` of at least so much, ``min_windows`` windows each."""

    min_separation: float
    min_windows: int


@dataclass(frozen=True, slots=True)
class ClusteringOptions:
    """How voices are grouped.

    A conversation with one speaker is rare and one with three is rarer than one with two, so ``first``
    asks for less than ``further``. At most ``sample`` windows, spread evenly, are compared with each
    other (4 bytes a pair); all others go to the voice they are nearest to. ``max_speakers`` ends it.
    """

    first: SplitTest = field(default_factory=lambda: SplitTest(0.19, 4))
    further: SplitTest = field(default_factory=lambda: SplitTest(0.30, 8))
    sample: int = 1200
    max_speakers: int = 8
    refinements: int = 3


def voices_among(
    vectors: Vectors, options: ClusteringOptions | None = None, speakers: int | None = None
) -> Vectors:
    """Return the voices among unit vectors: one unit mean a speaker, shape ``(speakers, dimensions)``.

    ``speakers`` is their number where it is known; else it is estimated. Who speaks more comes first.
    """
    options = options or ClusteringOptions()
    if not len(vectors):
        return np.zeros((0, vectors.shape[1]), np.float32)
    step = -(-len(vectors) // options.sample)
    sample = vectors[::step]
    groups = _split_freely(sample, options) if speakers is None else _split_into(sample, speakers)
    voices = _means(sample, groups)
    for _ in range(options.refinements):
        nearest = np.argmax(vectors @ voices.T, axis=1)
        groups = [np.flatnonzero(nearest == place) for place in range(len(voices))]
        voices = _means(vectors, [group for group in groups if len(group)])
    sizes = np.bincount(np.argmax(vectors @ voices.T, axis=1), minlength=len(voices))
    return voices[np.argsort(-sizes, kind="stable")]


def silhouette(vectors: Vectors, second: NDArray[np.bool_]) -> float:
    """Return the mean silhouette of a split in two, by cosine distance of unit vectors, -1 to 1."""
    cosines = vectors @ vectors.T
    total = 0.0
    for side in (second, ~second):
        inside, outside = cosines[np.ix_(side, side)], cosines[np.ix_(side, ~side)]
        if len(inside) < 2:
            continue  # a lone vector counts as 0
        own = 1.0 - (inside.sum(axis=1) - np.diag(inside)) / (len(inside) - 1)
        other = 1.0 - outside.mean(axis=1)
        total += float(np.sum((other - own) / np.maximum(np.maximum(other, own), 1e-9)))
    return total / len(vectors)


def separation(vectors: Vectors, second: NDArray[np.bool_]) -> float:
    """Return how much a split in two looks like two people: silhouette, less the cosine of the means.

    0.9 is added, a usual cosine of two people, which makes it about the silhouette. In windows of 1.2 s
    pairs of people reached 0.23 and more, halves of one person's speech 0.17 at most.
    """
    one, other = _unit(vectors[~second].mean(axis=0)), _unit(vectors[second].mean(axis=0))
    return silhouette(vectors, second) + _USUAL_COSINE - float(one @ other)


def _split_freely(vectors: Vectors, options: ClusteringOptions) -> list[Labels]:
    """Split as long as halves pass the test; the largest group is tried first."""
    done: list[Labels] = []
    waiting = [np.arange(len(vectors))]
    test = options.first
    while waiting and len(done) + len(waiting) < options.max_speakers:
        waiting.sort(key=len)
        group = waiting.pop()
        second = _halves(vectors[group])
        if second is not None and _two_people(vectors[group], second, test):
            waiting += [group[~second], group[second]]
            test = options.further
        else:
            done.append(group)
    return done + waiting


def _split_into(vectors: Vectors, speakers: int) -> list[Labels]:
    from scipy.cluster.hierarchy import cut_tree, ward

    if speakers <= 1 or len(vectors) <= speakers:
        return [np.arange(len(vectors))]
    labels = cut_tree(ward(vectors), n_clusters=speakers)[:, 0]
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _halves(vectors: Vectors) -> NDArray[np.bool_] | None:
    """Return which vectors are in the second of the two groups that Ward's linkage joins last."""
    from scipy.cluster.hierarchy import to_tree, ward

    if len(vectors) < 2:
        return None
    # Not fcluster: where the last two heights are equal it gives one group.
    second = np.zeros(len(vectors), bool)
    second[to_tree(ward(vectors)).right.pre_order()] = True
    return second


def _two_people(vectors: Vectors, second: NDArray[np.bool_], test: SplitTest) -> bool:
    smaller = min(int(second.sum()), int((~second).sum()))
    return smaller >= test.min_windows and separation(vectors, second) >= test.min_separation


def _means(vectors: Vectors, groups: Sequence[Labels]) -> Vectors:
    return np.stack([_unit(vectors[group].mean(axis=0)) for group in groups]).astype(np.float32)


def _unit(vector: Vectors) -> Vectors:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
