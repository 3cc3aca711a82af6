"""How the network reads conversations: turns to windows of tokens, windows to states and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from huaxiang.core.errors import ModelCorrupt
from huaxiang.core.types import Role, Turn
from huaxiang.nlp.classifier import role_in_doubt
from huaxiang.nlp.encoder import batches_by_length
from huaxiang.nlp.network import AGENT, CUSTOMER, UNKNOWN, TurnBatch, TurnNetwork, place_features
from huaxiang.nlp.windows import Piece, TokenSpan, Window, lay_out, pieces_of

BATCH_TOKENS = 4096


class FileTokenizer:
    """The encoder's own tokenizer, from its ``tokenizer.json`` (XLM-RoBERTa's ids)."""

    start_id = 0
    padding_id = 1
    separator_id = 2

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelCorrupt(f"{path} is missing: run `huaxiang models pull`")
        self._tokenizer = Tokenizer.from_file(str(path))

    def tokenize(self, text: str) -> TokenSpan:
        """Return the tokens of ``text`` with the span of characters each stands for."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return TokenSpan(tuple(encoding.ids), tuple(encoding.offsets))


@dataclass(frozen=True, slots=True)
class WindowInput:
    """One window as the network takes it.

    ``pieces`` are those of the window, ``core`` tells which of them get their labels from it, ``roles``
    and ``places`` belong to the pieces.
    """

    window: Window
    pieces: tuple[Piece, ...]
    core: tuple[bool, ...]
    roles: tuple[int, ...]
    places: tuple[tuple[float, ...], ...]

    @property
    def token_segments(self) -> list[int]:
        """The piece of each token that belongs to one."""
        return [segment for segment in self.window.segments if segment >= 0]

    @property
    def of_turns(self) -> list[bool]:
        """Which of the window's tokens belong to a piece."""
        return [segment >= 0 for segment in self.window.segments]


def read(turns: Sequence[Turn], tokenizer: FileTokenizer) -> list[WindowInput]:
    """Return the windows of a conversation; every turn is in the core of at least one."""
    pieces = pieces_of([tokenizer.tokenize(turn.text) for turn in turns])
    inputs = []
    for window in lay_out(pieces, tokenizer):
        inside = tuple(pieces[window.first : window.last])
        inputs.append(
            WindowInput(
                window=window,
                pieces=inside,
                core=tuple(
                    window.core_first <= place < window.core_last
                    for place in range(window.first, window.last)
                ),
                roles=tuple(role_code(turns[piece.turn]) for piece in inside),
                places=tuple(tuple(place_features(piece.turn, len(turns))) for piece in inside),
            )
        )
    return inputs


def role_code(turn: Turn) -> int:
    """Return the network's code of who speaks; a doubtful attribution counts as unknown."""
    if role_in_doubt(turn):
        return UNKNOWN
    return CUSTOMER if turn.role is Role.CUSTOMER else AGENT


def batched(
    inputs: Sequence[WindowInput], batch_tokens: int, step: Callable[[list[int]], list[Tensor]]
) -> list[Tensor]:
    """Run ``step`` on groups of windows of like length; return its results in the order of ``inputs``."""
    results: list[Tensor | None] = [None] * len(inputs)
    for batch in batches_by_length([len(item.window.ids) for item in inputs], batch_tokens):
        for position, result in zip(batch, step(batch), strict=True):
            results[position] = result
    return [result for result in results if result is not None]


def lower_states(
    network: TurnNetwork, inputs: Sequence[WindowInput], batch_tokens: int = BATCH_TOKENS
) -> list[Tensor]:
    """Return for each window the states above the frozen layers, shape (its tokens, width)."""

    def step(batch: list[int]) -> list[Tensor]:
        sequences = [torch.tensor(inputs[position].window.ids) for position in batch]
        ids = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=1)
        return _cut(network.lower(ids, _mask(sequences)), sequences)

    return batched(inputs, batch_tokens, step)


def upper_states(network: TurnNetwork, lower: Sequence[Tensor]) -> list[Tensor]:
    """Return the states above all layers of windows that go through in one batch."""
    padded = torch.nn.utils.rnn.pad_sequence(list(lower), batch_first=True)
    return _cut(network.upper(padded, _mask(lower)), lower)


def all_upper_states(
    network: TurnNetwork,
    inputs: Sequence[WindowInput],
    lower: Sequence[Tensor],
    batch_tokens: int = BATCH_TOKENS,
) -> list[Tensor]:
    """Return the upper states of any number of windows, batch by batch."""
    step = partial(_upper_step, network, lower)
    return batched(inputs, batch_tokens, step)


def _upper_step(network: TurnNetwork, lower: Sequence[Tensor], batch: list[int]) -> list[Tensor]:
    return upper_states(network, [lower[position] for position in batch])


def raw_features(item: WindowInput, lower: Tensor, upper: Tensor) -> Tensor:
    """Return both states of the tokens of a window that belong to turns, shape (tokens, features)."""
    kept = torch.tensor(item.of_turns)
    return torch.cat([lower[kept], upper[kept]], dim=1)


def features_of(network: TurnNetwork, item: WindowInput, lower: Tensor, upper: Tensor) -> Tensor:
    """Return what the heads read of a window: its raw features, standardised."""
    return network.heads.standardised(raw_features(item, lower, upper))


def turn_batch(
    inputs: Sequence[WindowInput], features: Sequence[Tensor], roles: Sequence[Tensor] | None = None
) -> TurnBatch:
    """Join windows for the heads. ``roles`` replaces those of the inputs where given."""
    segments, offset = [], 0
    for item in inputs:
        segments.append(torch.tensor(item.token_segments) + offset)
        offset += len(item.pieces)
    own = [torch.tensor(item.roles) for item in inputs] if roles is None else list(roles)
    return TurnBatch(
        states=torch.cat(list(features)),
        segments=torch.cat(segments),
        roles=torch.cat(own),
        places=torch.tensor([place for item in inputs for place in item.places]),
        turns_per_window=[len(item.pieces) for item in inputs],
    )


def _mask(sequences: Sequence[Tensor]) -> Tensor:
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    return torch.arange(int(lengths.max()))[None, :] < lengths[:, None]


def _cut(padded: Tensor, sequences: Sequence[Any]) -> list[Tensor]:
    # A copy: a view would keep the whole padded batch alive for as long as one window is kept.
    return [row[: len(sequence)].clone() for row, sequence in zip(padded, sequences, strict=True)]
