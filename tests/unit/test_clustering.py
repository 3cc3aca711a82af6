"""Voices are told apart and counted; whoever speaks more comes first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from huaxiang.asr.clustering import ClusteringOptions, silhouette, voices_among

DIMENSIONS = 64


def windows(*counts: int, spread: float = 0.04, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors around as many voices as there are counts, in mixed order."""
    random = np.random.default_rng(seed)
    voices = np.abs(random.normal(size=(len(counts), DIMENSIONS)))
    rows = np.repeat(voices / np.linalg.norm(voices, axis=1, keepdims=True), counts, axis=0)
    rows = rows + random.normal(scale=spread, size=rows.shape)
    rows = rows[random.permutation(len(rows))]
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize("counts", [(40,), (30, 12), (30, 25, 10), (30, 25, 20, 15)])
def test_the_number_of_voices_is_found(counts: tuple[int, ...]) -> None:
    assert len(voices_among(windows(*counts))) == len(counts)


def test_a_told_number_is_kept_to_whatever_the_voices_say() -> None:
    assert len(voices_among(windows(40), speakers=2)) == 2
    assert len(voices_among(windows(30, 25), speakers=1)) == 1


def test_the_voice_of_most_windows_comes_first() -> None:
    vectors = windows(10, 40)
    voices = voices_among(vectors)
    counts = np.bincount(np.argmax(vectors @ voices.T, axis=1))
    assert list(counts) == [40, 10]


def test_nobody_is_found_in_nothing() -> None:
    assert voices_among(np.zeros((0, DIMENSIONS), np.float32)).shape == (0, DIMENSIONS)


def test_many_windows_are_compared_by_a_sample() -> None:
    vectors = windows(3000, 1000)
    voices = voices_among(vectors, ClusteringOptions(sample=100))
    assert list(np.bincount(np.argmax(vectors @ voices.T, axis=1))) == [3000, 1000]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
def test_voices_have_length_one_and_do_not_outnumber_windows(one: int, other: int, seed: int) -> None:
    vectors = windows(one, other, seed=seed)
    voices = voices_among(vectors)
    assert 1 <= len(voices) <= len(vectors)
    assert np.allclose(np.linalg.norm(voices, axis=1), 1.0, atol=1e-5)


def test_the_silhouette_of_two_points_far_apart_is_one_and_of_one_cloud_is_small() -> None:
    apart = np.repeat(np.eye(2, dtype=np.float32), 5, axis=0)
    second = np.arange(10) >= 5
    assert silhouette(apart, second) == pytest.approx(1.0)
    assert silhouette(windows(40), np.arange(40) >= 20) < 0.1
