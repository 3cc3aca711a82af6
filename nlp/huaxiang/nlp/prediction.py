"""What a network says about the turns of conversations, before calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from huaxiang.nlp.calibration import Array, TurnLogits
from huaxiang.nlp.network import TurnNetwork, head_slices
from huaxiang.nlp.reading import (
    BATCH_TOKENS,
    WindowInput,
    all_upper_states,
    features_of,
    lower_states,
    turn_batch,
)

WINDOWS_PER_PASS = 16


@dataclass(frozen=True, slots=True)
class ReadTurns:
    """Logits of a conversation's turns, and what each of a turn's tokens added to them.

    ``added[turn]`` has shape (tokens, outputs) and ``offsets[turn]`` the characters of each token.
    """

    logits: Array
    added: Sequence[NDArray[np.float32]]
    offsets: Sequence[Sequence[tuple[int, int]]]


def split_tasks(logits: Array) -> TurnLogits:
    """Return the outputs of the network by task."""
    part = head_slices()
    return TurnLogits(
        logits[:, part.intents],
        logits[:, part.acts],
        logits[:, part.objection],
        logits[:, part.sentiment],
        logits[:, part.role],
    )


def read_turns(
    network: TurnNetwork, inputs: Sequence[WindowInput], turns: int, batch_tokens: int = BATCH_TOKENS
) -> ReadTurns:
    """Return what the network says about the ``turns`` turns of one conversation."""
    with torch.inference_mode():
        lower = lower_states(network, inputs, batch_tokens)
        upper = all_upper_states(network, inputs, lower, batch_tokens)
        features = [features_of(network, *each) for each in zip(inputs, lower, upper, strict=True)]
        return from_features(network, inputs, features, turns)


def from_features(
    network: TurnNetwork, inputs: Sequence[WindowInput], features: Sequence[Tensor], turns: int
) -> ReadTurns:
    """Run the heads over kept states. A turn read in pieces takes the highest logit of any piece."""
    logits = np.full((turns, head_slices().total), -np.inf)
    added: list[list[NDArray[np.float32]]] = [[] for _ in range(turns)]
    offsets: list[list[tuple[int, int]]] = [[] for _ in range(turns)]
    for start in range(0, len(inputs), WINDOWS_PER_PASS):
        part = slice(start, start + WINDOWS_PER_PASS)
        batch = turn_batch(inputs[part], features[part])
        with torch.inference_mode():
            found, tokens = network.heads(batch)
        per_piece = tokens.split(torch.bincount(batch.segments, minlength=len(batch.roles)).tolist())
        pieces = [
            (piece, core) for item in inputs[part] for piece, core in zip(item.pieces, item.core, strict=True)
        ]
        for row, share, (piece, core) in zip(found.double().numpy(), per_piece, pieces, strict=True):
            if core:
                logits[piece.turn] = np.maximum(logits[piece.turn], row)
                added[piece.turn].append(share[1:].numpy())  # the first token is the separator
                offsets[piece.turn] += piece.span.offsets
    return ReadTurns(logits, [np.concatenate(parts) for parts in added], offsets)
