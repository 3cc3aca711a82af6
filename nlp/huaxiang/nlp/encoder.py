"""Sentences to vectors: the port, the encoder of models.lock behind it, and a scripted twin."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.errors import ModelCorrupt, ModelError
from huaxiang.core.torch_threads import bounded_threads

DIMENSION = 384
PREFIX = "query: "
BATCH_TOKENS = 4096
_SMALLEST_NORM = 1e-12

Vectors = NDArray[np.float32]


class SentenceEncoder(Protocol):
    """Turns sentences into vectors whose angle says how alike their meanings are."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (texts, dimension), in the order of ``texts``.

        Raises ModelError where the model fails on them.
        """


def normalised(vectors: Vectors) -> Vectors:
    """Scale each row of (n, dimension) to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, _SMALLEST_NORM)).astype(np.float32)
    return scaled


def batches_by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Group positions 0…n-1 so that no padded batch holds more than ``batch_tokens`` tokens.

    Alike lengths share a batch, longest first, so little is spent on padding and the largest batch,
    which decides the memory needed, comes first. A single longer text is a batch of its own.
    """
    batch: list[int] = []
    widest = 0
    for position in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batch and widest * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        if not batch:
            widest = lengths[position]
        batch.append(position)
    if batch:
        yield batch


class BertEncoder:
    """The encoder of a ``transformers`` BertModel folder (``multilingual-e5-small`` of models.lock).

    A text's vector is the mean of its tokens' last hidden states; the model was trained on inputs that
    begin with ``query: `` (Wang et al. 2024, "Multilingual E5 Text Embeddings"). Texts of more tokens
    than the model has positions (512) are cut. ``threads`` bounds the processor threads while encoding.

    Raises ModelCorrupt where the folder holds no such model.
    """

    def __init__(
        self,
        folder: Path,
        threads: int = 1,
        *,
        normalise: bool = True,
        prefix: str = PREFIX,
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoTokenizer, BertModel

        self._threads = threads
        self._normalise = normalise
        self._prefix = prefix
        self._batch_tokens = batch_tokens
        # A tokenizer refuses to be told where to cut while another thread uses it.
        self._tokenizing = threading.Lock()
        try:
            with quiet_loading():
                self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                self._model = BertModel.from_pretrained(
                    folder, add_pooling_layer=False, local_files_only=True, dtype=torch.float32
                )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelCorrupt(
                f"{folder.name} holds no encoder that can be loaded ({type(error).__name__}): "
                f"run `huaxiang models verify`",
                folder=folder.name,
            ) from error

    @property
    def dimension(self) -> int:
        """The length of a vector (384)."""
        return int(self._model.config.hidden_size)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (texts, 384), of length 1 unless told otherwise.

        Raises ModelError where the machine runs out of memory or the model fails.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return vectors
        token_ids = self._tokenize(texts)
        try:
            for batch in batches_by_length([len(ids) for ids in token_ids], self._batch_tokens):
                with bounded_threads(self._threads):
                    vectors[batch] = self._infer([token_ids[position] for position in batch])
        except (RuntimeError, MemoryError) as error:
            raise ModelError(f"encoding {len(texts)} texts failed ({type(error).__name__})") from error
        return normalised(vectors) if self._normalise else vectors

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        prefixed = [self._prefix + text for text in texts]
        limit = int(self._model.config.max_position_embeddings)
        with self._tokenizing:
            found = self._tokenizer(prefixed, truncation=True, max_length=limit)
        token_ids: list[list[int]] = found["input_ids"]
        return token_ids

    def _infer(self, token_ids: Sequence[Sequence[int]]) -> Vectors:
        import torch

        width = max(len(ids) for ids in token_ids)
        padded = torch.full((len(token_ids), width), int(self._tokenizer.pad_token_id))
        mask = torch.zeros((len(token_ids), width), dtype=torch.long)
        for row, ids in enumerate(token_ids):
            padded[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        with torch.inference_mode():
            hidden = self._model(input_ids=padded, attention_mask=mask).last_hidden_state
            counted = mask.unsqueeze(-1).to(hidden.dtype)
            mean: Vectors = ((hidden * counted).sum(dim=1) / counted.sum(dim=1)).numpy()
        return mean


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers' own progress bar off the terminal while weights are loaded."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # untyped upstream


class ScriptedEncoder:
    """A twin without weights: given vectors for given texts, for any other one drawn from its hash.

    Equal texts have equal vectors and different ones do not, which is all that its users may rely on.
    """

    def __init__(
        self, known: Mapping[str, Sequence[float]] | None = None, dimension: int = DIMENSION
    ) -> None:
        self._known = dict(known or {})
        self._dimension = dimension

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of length 1, shape (texts, dimension)."""
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._known[text] if text in self._known else self._drawn(text)
        return normalised(vectors)

    def _drawn(self, text: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).standard_normal(self._dimension).astype(np.float32)
