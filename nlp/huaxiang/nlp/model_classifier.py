"""The classifier that reads conversations with the locked encoder and the trained heads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from huaxiang.core.errors import ModelCorrupt, ModelError
from huaxiang.core.torch_threads import bounded_threads
from huaxiang.core.types import Role, Turn
from huaxiang.nlp.calibration import Probabilities, TurnSpans, decide, probabilities
from huaxiang.nlp.classifier import TurnLabels, role_in_doubt
from huaxiang.nlp.encoder import quiet_loading
from huaxiang.nlp.network import NetworkShape, TurnNetwork, head_slices
from huaxiang.nlp.prediction import ReadTurns, read_turns, split_tasks
from huaxiang.nlp.reading import BATCH_TOKENS, FileTokenizer, read
from huaxiang.nlp.spans import strongest_clauses
from huaxiang.nlp.weights import apply_weights, load_weights

_EDGE = 1e-6


def load_encoder(folder: Path) -> Any:
    """Return the encoder of a ``transformers`` BertModel folder without dropout, for eval, in float32.

    Raises ModelCorrupt where the folder holds no such model.
    """
    from safetensors import SafetensorError
    from transformers import BertModel

    try:
        with quiet_loading():
            encoder = BertModel.from_pretrained(
                folder,
                add_pooling_layer=False,
                local_files_only=True,
                dtype=torch.float32,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelCorrupt(
            f"{folder.name} holds no encoder that can be loaded ({type(error).__name__}): "
            f"run `huaxiang models verify`",
            folder=folder.name,
        ) from error
    encoder.eval()  # type: ignore[no-untyped-call]  # untyped upstream
    return encoder


def use_native_precision(encoder: Any) -> None:
    """Have the layers compute in bfloat16 where the processor does so natively.

    Adapters are merged before: added to rounded weights, what is small in them would be lost.
    """
    if computes_bfloat16():
        encoder.encoder.to(torch.bfloat16)


def computes_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 natively (else it is slower than float32)."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


class ModelClassifier:
    """Labels turns with the encoder in ``encoder_folder`` and the weights in ``weights_file``.

    ``threads`` bounds the processor threads while it works; ``plain`` computes in full
    precision. Raises ModelCorrupt where either is not what it should be.
    """

    def __init__(
        self,
        encoder_folder: Path,
        weights_file: Path,
        source: str,
        threads: int = 1,
        batch_tokens: int = BATCH_TOKENS,
        *,
        plain: bool = False,
    ) -> None:
        weights = load_weights(weights_file)
        self._calibration = weights.calibration
        self._joint, self._wording = weights.joint, weights.wording
        self._tokenizer = FileTokenizer(encoder_folder)
        self._network = TurnNetwork(load_encoder(encoder_folder), weights.shape)
        apply_weights(self._network, weights)
        self._network.merge_adapters()
        if not plain:
            use_native_precision(self._network.encoder)
        self._source = source
        self._threads = threads
        self._batch_tokens = batch_tokens

    @property
    def source(self) -> str:
        """``model id @ version``."""
        return self._source

    def classify(self, turns: Sequence[Turn]) -> Sequence[TurnLabels]:
        """Return the labels of each turn of one conversation, in order.

        Raises ModelError where the machine runs out of memory or the model fails.
        """
        if not turns:
            return []
        try:
            with bounded_threads(self._threads):
                inputs = read(turns, self._tokenizer)
                found = read_turns(self._network, inputs, len(turns), self._batch_tokens)
        except (RuntimeError, MemoryError) as error:
            raise ModelError(f"reading {len(turns)} turns failed ({type(error).__name__})") from error
        return self._labels(turns, found)

    def _labels(self, turns: Sequence[Turn], found: ReadTurns) -> list[TurnLabels]:
        wording = split_tasks(self._wording.logits(turns))
        belief = np.array([_told(turn) for turn in turns])
        alone = np.zeros(len(turns), dtype=np.int64)
        logits = self._joint.apply(split_tasks(found.logits), wording, belief, alone)
        calibrated = probabilities(logits, self._calibration)
        return [
            decide(
                calibrated,
                place,
                customer_belief(turn, place, calibrated),
                _spans(turn, found, place),
                self._calibration,
            )
            for place, turn in enumerate(turns)
        ]


def build_network(encoder_folder: Path, shape: NetworkShape) -> TurnNetwork:
    """Return the network on the encoder of a folder, its trained part still blank."""
    encoder = load_encoder(encoder_folder)
    use_native_precision(encoder)
    return TurnNetwork(encoder, shape)


def customer_belief(turn: Turn, place: int, calibrated: Probabilities) -> float:
    """Return the probability that the customer speaks.

    A sure attribution is taken as it is. A doubtful one is the prior that the words then weigh on
    (Bayes' rule; the network's own belief comes from equal priors).
    """
    if not role_in_doubt(turn):
        return 1.0 if turn.role is Role.CUSTOMER else 0.0
    prior = {Role.CUSTOMER: turn.role_confidence, Role.AGENT: 1.0 - turn.role_confidence}.get(turn.role, 0.5)
    prior = float(np.clip(prior, _EDGE, 1.0 - _EDGE))
    words = float(np.clip(calibrated.customer[place], _EDGE, 1.0 - _EDGE))
    odds = prior / (1.0 - prior) * words / (1.0 - words)
    return odds / (1.0 + odds)


def _told(turn: Turn) -> float:
    """Return the belief that the customer speaks as far as it was told, one half where it is in doubt."""
    return 0.5 if role_in_doubt(turn) else float(turn.role is Role.CUSTOMER)


def _spans(turn: Turn, found: ReadTurns, place: int) -> TurnSpans:
    spans = strongest_clauses(turn.text, found.offsets[place], found.added[place])
    part = head_slices()
    return TurnSpans(spans[part.intents], spans[part.acts], spans[part.objection], spans[part.sentiment])
