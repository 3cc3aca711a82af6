"""A 4-bit BERT file becomes an ordinary folder; a damaged one is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from safetensors.numpy import load_file

from huaxiang.core.errors import ModelCorrupt
from huaxiang.nlp.unpack import BLOCK_WEIGHTS, dequantise, unpack_q4_bert

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS = 64, 2, 4, 96, 50, 16
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
Blocks = NDArray[np.void]


def random_blocks(rows: int, columns: int, rng: np.random.Generator) -> Blocks:
    blocks = np.zeros((rows, columns // BLOCK_WEIGHTS), dtype=BLOCK)
    blocks["scale"] = rng.normal(0, 0.02, blocks.shape)
    blocks["nibbles"] = rng.integers(0, 256, (*blocks.shape, 16))
    return blocks


def plain_weights(blocks: Blocks) -> list[list[float]]:
    """The format's definition, one weight at a time."""
    rows = []
    for row in blocks:
        weights: list[float] = []
        for block in row:
            low = [(int(byte) & 15) - 8 for byte in block["nibbles"]]
            high = [(int(byte) >> 4) - 8 for byte in block["nibbles"]]
            weights += [step * float(block["scale"]) for step in low + high]
        rows.append(weights)
    return rows


def tensors(rng: np.random.Generator) -> dict[str, tuple[int, bytes]]:
    """All tensors of a tiny encoder by name: kind and bytes."""

    def floats(*shape: int) -> tuple[int, bytes]:
        return 0, rng.normal(0, 1, shape).astype("<f4").tobytes()

    def blocks(rows: int, columns: int) -> tuple[int, bytes]:
        return 1, random_blocks(rows, columns, rng).tobytes()

    made = {
        "emb.word": blocks(VOCABULARY, HIDDEN),
        "emb.pos": floats(POSITIONS, HIDDEN),
        "emb.type": floats(2, HIDDEN),
        "emb.ln.w": floats(HIDDEN),
        "emb.ln.b": floats(HIDDEN),
    }
    for layer in range(LAYERS):
        for short in ("q", "k", "v", "ao"):
            made[f"l{layer}.{short}.w"] = blocks(HIDDEN, HIDDEN)
            made[f"l{layer}.{short}.b"] = floats(HIDDEN)
        made[f"l{layer}.fi.w"], made[f"l{layer}.fi.b"] = blocks(INNER, HIDDEN), floats(INNER)
        made[f"l{layer}.fo.w"], made[f"l{layer}.fo.b"] = blocks(HIDDEN, INNER), floats(HIDDEN)
        for short in ("aln", "oln"):
            made[f"l{layer}.{short}.w"], made[f"l{layer}.{short}.b"] = floats(HIDDEN), floats(HIDDEN)
    return made


def packed(contents: dict[str, tuple[int, bytes]], block: int = BLOCK_WEIGHTS) -> bytes:
    """Write the file format from its description."""
    head = struct.pack("<4sI", b"E5S1", 1)
    head += struct.pack("<7ifi", HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, 2, 1e-12, block)
    pieces = [b"<s>", b"<pad>", "价".encode()]
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, pieces)))
    head += struct.pack("<4I", 0, 3, 8, 11) + struct.pack("<3f", -1, -2, -3) + b"".join(pieces)
    norms = struct.pack("<IBI", 0x3000, 1, 0x20)
    head += struct.pack("<iI", 1, len(norms)) + norms
    directory_bytes = 4 + sum(2 + len(name) + 21 for name in contents)
    offset = len(head) + directory_bytes
    directory, body = struct.pack("<i", len(contents)), b""
    for name, (kind, data) in contents.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, len(data) // 4, offset + len(body), len(data))
        body += data
    return head + directory + body


@pytest.fixture
def contents() -> dict[str, tuple[int, bytes]]:
    return tensors(np.random.default_rng(7))


@given(
    scales=hnp.arrays(np.float16, (3, 2), elements=st.floats(-4, 4, width=16)),
    nibbles=hnp.arrays(np.uint8, (3, 2, 16)),
)
def test_each_weight_is_its_nibble_less_eight_times_the_scale(
    scales: NDArray[np.float16], nibbles: NDArray[np.uint8]
) -> None:
    blocks = np.zeros((3, 2), dtype=BLOCK)
    blocks["scale"], blocks["nibbles"] = scales, nibbles
    exact = np.array(plain_weights(blocks))
    assert np.array_equal(dequantise(blocks), exact.astype(np.float16))


def test_rows_beyond_one_step_are_all_unpacked() -> None:
    blocks = random_blocks(40_000, 32, np.random.default_rng(1))
    weights = dequantise(blocks)
    for row in (0, 16_383, 16_384, 39_999):
        expected = np.array(plain_weights(blocks[row : row + 1])).astype(np.float16)
        assert np.array_equal(weights[row : row + 1], expected), row


def test_the_folder_holds_every_weight_under_its_transformers_name(
    tmp_path: Path, contents: dict[str, tuple[int, bytes]]
) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(packed(contents))
    unpack_q4_bert(source, tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    assert len(state) == len(contents)
    query = np.frombuffer(contents["l1.q.w"][1], dtype=BLOCK).reshape(HIDDEN, HIDDEN // BLOCK_WEIGHTS)
    assert np.array_equal(
        state["encoder.layer.1.attention.self.query.weight"],
        np.array(plain_weights(query)).astype(np.float16),
    )
    positions = np.frombuffer(contents["emb.pos"][1], dtype="<f4").reshape(POSITIONS, HIDDEN)
    assert np.array_equal(state["embeddings.position_embeddings.weight"], positions)
    assert state["encoder.layer.0.intermediate.dense.weight"].shape == (INNER, HIDDEN)
    assert state["encoder.layer.0.output.dense.weight"].shape == (HIDDEN, INNER)


def test_transformers_loads_the_folder_whole_and_as_float32(
    tmp_path: Path, contents: dict[str, tuple[int, bytes]]
) -> None:
    import torch
    from transformers import BertModel

    source = tmp_path / "tiny.bin"
    source.write_bytes(packed(contents))
    unpack_q4_bert(source, tmp_path)
    model = BertModel.from_pretrained(tmp_path, add_pooling_layer=False, local_files_only=True)
    assert set(model.state_dict()) == set(load_file(tmp_path / "model.safetensors"))
    assert model.dtype == torch.float32
    assert model.config.layer_norm_eps == 1e-12


def test_the_same_file_gives_the_same_bytes(tmp_path: Path, contents: dict[str, tuple[int, bytes]]) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(packed(contents))
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        unpack_q4_bert(source, folder)
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]
    assert json.loads(made[0]["config.json"])["num_hidden_layers"] == LAYERS


@pytest.mark.parametrize("kept", [0, 3, 20, 40, 60, 100, 400, 20_000, -1])
def test_a_file_that_ends_early_is_refused(
    tmp_path: Path, contents: dict[str, tuple[int, bytes]], kept: int
) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(packed(contents)[:kept])
    with pytest.raises(ModelCorrupt, match=r"tiny\.bin cannot be unpacked.*huaxiang models pull"):
        unpack_q4_bert(source, tmp_path)


def test_a_file_of_another_format_is_refused(tmp_path: Path, contents: dict[str, tuple[int, bytes]]) -> None:
    source = tmp_path / "tiny.bin"
    for wrong in (b"GGUF" + packed(contents)[4:], packed(contents, block=64)):
        source.write_bytes(wrong)
        with pytest.raises(ModelCorrupt):
            unpack_q4_bert(source, tmp_path)


def test_a_missing_or_short_tensor_is_named(tmp_path: Path, contents: dict[str, tuple[int, bytes]]) -> None:
    source = tmp_path / "tiny.bin"
    source.write_bytes(packed({name: data for name, data in contents.items() if name != "l0.fo.b"}))
    with pytest.raises(ModelCorrupt, match=r"l0\.fo\.b is missing"):
        unpack_q4_bert(source, tmp_path)
    kind, data = contents["l1.k.w"]
    source.write_bytes(packed(contents | {"l1.k.w": (kind, data[:-18])}))
    with pytest.raises(ModelCorrupt, match=r"l1\.k\.w has"):
        unpack_q4_bert(source, tmp_path)
