"""The unpacked encoder agrees with vectors that the 4-bit file's own program computed."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from huaxiang.core.lock import ModelLock
from huaxiang.nlp.encoder import PREFIX, BertEncoder, normalised
from huaxiang.nlp.unpack import unpack_q4_bert

pytestmark = pytest.mark.model

STORED = Path(__file__).parents[1] / "data" / "encoder" / "mandarin.json"
MODEL = "multilingual-e5-small"


@pytest.fixture(scope="module")
def stored() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(STORED.read_text(encoding="utf-8"))
    return rows


@cache
def loaded(folder: Path) -> BertEncoder:
    return BertEncoder(folder)


@pytest.fixture
def encoder(models_dir: Path) -> BertEncoder:
    return loaded(ModelLock.load().ensure(MODEL, models_dir))


def reference(stored: list[dict[str, object]]) -> NDArray[np.float32]:
    rows = [np.frombuffer(base64.b64decode(str(row["vector"])), dtype="<f2") for row in stored]
    return normalised(np.stack(rows).astype(np.float32))


def test_ten_mandarin_sentences_have_the_vectors_of_the_original(
    encoder: BertEncoder, stored: list[dict[str, object]]
) -> None:
    vectors = encoder.encode([str(row["text"]) for row in stored])
    expected = reference(stored)
    assert vectors.shape == expected.shape == (10, 384)
    assert (vectors * expected).sum(axis=1).min() >= 0.999
    # Any two sentences are alike to this model (0.83 and more), so without their common part too:
    ours, theirs = vectors - expected.mean(axis=0), expected - expected.mean(axis=0)
    cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosine.min() >= 0.998


def test_the_tokenizer_cuts_them_into_as_many_tokens(
    models_dir: Path, stored: list[dict[str, object]]
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models_dir / MODEL, local_files_only=True)
    counts = [len(tokenizer(PREFIX + str(row["text"]))["input_ids"]) for row in stored]
    assert counts == [row["tokens"] for row in stored]


def test_a_vector_does_not_depend_on_its_batch(encoder: BertEncoder, stored: list[dict[str, object]]) -> None:
    texts = [str(row["text"]) for row in stored]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.allclose(encoder.encode(texts), alone, atol=1e-5)


def test_the_encoder_keeps_the_ports_promises(encoder: BertEncoder) -> None:
    texts = ["太贵了", "", "那多少钱一年" * 400, "太贵了"]
    vectors = encoder.encode(texts)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(encoder.encode(texts[::-1])[::-1], vectors, atol=1e-5)
    assert np.allclose(vectors[0], vectors[3], atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_raw_means_are_given_when_asked_for(models_dir: Path) -> None:
    folder = ModelLock.load().ensure(MODEL, models_dir)
    raw = BertEncoder(folder, normalise=False).encode(["太贵了"])
    assert np.linalg.norm(raw) > 1.5


def test_encoding_leaves_the_process_its_thread_count(encoder: BertEncoder) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        encoder.encode(["太贵了"])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_unpacking_again_gives_the_locked_bytes(models_dir: Path, tmp_path: Path) -> None:
    lock = ModelLock.load()
    folder = lock.ensure(MODEL, models_dir)
    again = tmp_path / MODEL
    again.mkdir()
    for name in ("tokenizer.json", "e5-small-q4.bin"):
        (again / name).symlink_to(folder / name)
    unpack_q4_bert(again / "e5-small-q4.bin", again)
    assert {status.state for status in lock.verify(tmp_path, [MODEL])} == {"ok"}
