"""Batches by length lose nothing, and the scripted encoder keeps the port's promises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.errors import ModelCorrupt
from huaxiang.nlp.encoder import BertEncoder, ScriptedEncoder, SentenceEncoder, batches_by_length, normalised

lengths = st.lists(st.integers(1, 512), max_size=60)


@given(lengths, st.integers(1, 4096))
def test_each_text_is_in_exactly_one_batch(sizes: list[int], budget: int) -> None:
    batches = list(batches_by_length(sizes, budget))
    assert sorted(position for batch in batches for position in batch) == list(range(len(sizes)))


@given(lengths, st.integers(1, 4096))
def test_no_padded_batch_is_over_budget_unless_it_is_one_text(sizes: list[int], budget: int) -> None:
    for batch in batches_by_length(sizes, budget):
        assert len(batch) == 1 or len(batch) * max(sizes[position] for position in batch) <= budget


@given(lengths)
def test_the_batch_that_needs_most_memory_comes_first(sizes: list[int]) -> None:
    widths = [max(sizes[position] for position in batch) for batch in batches_by_length(sizes, 1024)]
    assert widths == sorted(widths, reverse=True)


def test_rows_are_scaled_to_length_one_and_zeros_stay() -> None:
    scaled = normalised(np.array([[3, 4], [0, 0]], dtype=np.float32))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def check_port(encoder: SentenceEncoder, texts: Sequence[str]) -> None:
    vectors = encoder.encode(texts)
    assert vectors.shape == (len(texts), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(encoder.encode(list(reversed(texts)))[::-1], vectors, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_the_scripted_encoder_keeps_the_ports_promises() -> None:
    check_port(ScriptedEncoder(), ["价格多少", "太贵了", "价格多少"])


def test_the_scripted_encoder_says_what_it_was_told_to() -> None:
    encoder = ScriptedEncoder({"太贵了": [0, 2]}, dimension=2)
    assert encoder.encode(["太贵了"]).tolist() == [[0, 1]]


def test_a_folder_without_a_model_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ModelCorrupt, match="huaxiang models verify"):
        BertEncoder(tmp_path)
