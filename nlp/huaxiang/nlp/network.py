"""The multi-task network: the locked encoder, low-rank adapters in its upper layers, and the heads.

The lower layers of the encoder stay as they are, so their states are computed once and kept while
training. The upper layers may be bent to the task by low-rank adapters (Hu et al. 2021, "LoRA").
The heads read lower and upper states of each token: every label attends to the tokens of the turn
with a query of its own (label-wise attention, Mullenbach et al. 2018), which also tells which words
spoke for it; and a small transformer over the turns of the window, each a summary of its tokens with
its speaker's role and its place in the conversation, brings in the context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS

AGENT, CUSTOMER, UNKNOWN = 0, 1, 2
ROLES = 3
ADAPTED = ("query", "key", "value", "dense")
PLACE_FEATURES = 21
NEAR_TURNS = 8
LEAST_TURNS, USUAL_TURNS, BEGUN = 12, 24, 0.25
"""Of fewer turns than the least the ends are not known; ``place_features`` says what is taken instead."""
SUMMARIES = 4
TURN_ATTENTION_HEADS = 4
_NEVER = -1e9
_SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Sizes of the trained part.

    ``frozen_layers`` counts the encoder's layers from below; ``rank`` is the adapters' in the layers
    above, 0 for none. ``width`` is that of the heads, ``turn_layers`` the depth over turns.
    """

    frozen_layers: int = 6
    rank: int = 16
    scale: float = 2.0
    width: int = 256
    turn_layers: int = 2
    dropout: float = 0.3


@dataclass(frozen=True, slots=True)
class HeadSlices:
    """Where each task's labels lie among the outputs."""

    intents: slice
    acts: slice
    objection: slice
    sentiment: slice
    role: slice
    total: int


def head_slices() -> HeadSlices:
    """Return the layout of the outputs: intents, acts, objection with none first, sentiment, role."""
    ends = [0]
    for size in (len(INTENTS), len(ACTS), len(OBJECTIONS) + 1, len(SENTIMENTS), 1):
        ends.append(ends[-1] + size)
    intents, acts, objection, sentiment, role = (slice(start, end) for start, end in pairwise(ends))
    return HeadSlices(intents, acts, objection, sentiment, role, ends[-1])


@dataclass(frozen=True, slots=True)
class TurnBatch:
    """The tokens of some windows' turns, one after the other, and what is known of each turn.

    ``states`` (tokens, features) standardised; ``segments`` (tokens,) the turn of each token;
    ``roles`` (turns,);
    ``places`` (turns, PLACE_FEATURES); ``turns_per_window`` in order.
    """

    states: Tensor
    segments: Tensor
    roles: Tensor
    places: Tensor
    turns_per_window: Sequence[int]


class LowRankLinear(nn.Module):
    """A frozen linear layer with a trained low-rank addition: ``W x + b + scale · B A x``."""

    def __init__(self, base: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = scale
        self.reset()

    def reset(self) -> None:
        """Start again from an addition that changes nothing."""
        nn.init.kaiming_uniform_(self.down, a=5**0.5)
        nn.init.zeros_(self.up)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's output, shape (…, out)."""
        down, up = self.down.to(inputs.dtype), self.up.to(inputs.dtype)
        update = nn.functional.linear(nn.functional.linear(inputs, down), up)
        output: Tensor = self.base(inputs) + self.scale * update
        return output

    def merge(self) -> nn.Linear:
        """Put the addition into the frozen layer, and return that: it does the same, but for rounding."""
        weight = self.base.weight.float() + self.scale * (self.up @ self.down)
        self.base.weight.copy_(weight)
        return self.base


class Heads(nn.Module):
    """From token states to one logit a turn and label."""

    mean: Tensor
    spread: Tensor

    def __init__(self, features: int, shape: NetworkShape) -> None:
        super().__init__()
        width, outputs = shape.width, head_slices().total
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.project = nn.Linear(features, width)
        self.role = nn.Embedding(ROLES, width)
        self.queries = nn.Linear(width, outputs, bias=False)
        self.values = nn.Linear(width, outputs)
        self.summary_queries = nn.Linear(width, SUMMARIES)
        self.summary = nn.Linear(width * SUMMARIES, width)
        self.place = nn.Linear(PLACE_FEATURES, width)
        layer = nn.TransformerEncoderLayer(
            width,
            TURN_ATTENTION_HEADS,
            2 * width,
            shape.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.over_turns = nn.TransformerEncoder(layer, shape.turn_layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, outputs)
        self.dropout = nn.Dropout(shape.dropout)

    def standardise_by(self, states: Tensor) -> None:
        """Take mean and spread of each feature from a sample of states (tokens, features)."""
        self.mean.copy_(states.mean(0))
        self.spread.copy_(states.std(0).clamp(min=_SMALLEST_SPREAD))

    def standardised(self, states: Tensor) -> Tensor:
        """Return states with mean 0 and spread 1 in each feature, as ``forward`` wants them."""
        standardised: Tensor = ((states.float() - self.mean) / self.spread).to(states.dtype)
        return standardised

    def forward(self, batch: TurnBatch) -> tuple[Tensor, Tensor]:
        """Return logits (turns, outputs) and what each token adds to them (tokens, outputs)."""
        turns = len(batch.roles)
        role = self.role(batch.roles)
        projected = nn.functional.linear(
            self._features_dropped(batch), self.project.weight.to(batch.states.dtype)
        )
        tokens = nn.functional.gelu(projected.float() + self.project.bias) + role[batch.segments]
        share = _share(self.queries(tokens), batch.segments, turns)
        added = share * self.values(tokens)
        attended = _sum_by_turn(added, batch.segments, turns)
        summary_share = _share(self.summary_queries(tokens), batch.segments, turns)
        parts = [
            _sum_by_turn(summary_share[:, place : place + 1] * tokens, batch.segments, turns)
            for place in range(SUMMARIES)
        ]
        summary = self.summary(self.dropout(torch.cat(parts, 1))) + self.place(batch.places) + role
        read = self.norm(self._in_context(summary, batch.turns_per_window))
        return attended + self.out(self.dropout(read)), added

    def _features_dropped(self, batch: TurnBatch) -> Tensor:
        """Drop the same features from all tokens of a turn: a mask for each would cost more than the rest."""
        if not self.training:
            return batch.states
        kept: Tensor = self.dropout(torch.ones(len(batch.roles), batch.states.shape[1]))
        return batch.states * kept.to(batch.states.dtype)[batch.segments]

    def _in_context(self, summary: Tensor, turns_per_window: Sequence[int]) -> Tensor:
        windows = torch.split(summary, list(turns_per_window))
        padded = nn.utils.rnn.pad_sequence(list(windows), batch_first=True)
        longest = padded.shape[1]
        padding = torch.arange(longest)[None, :] >= torch.tensor(turns_per_window)[:, None]
        read: Tensor = self.over_turns(padded, src_key_padding_mask=padding)
        return read[~padding]


class TurnNetwork(nn.Module):
    """The encoder, split into frozen lower layers and upper ones, with the heads."""

    def __init__(self, encoder: Any, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = encoder
        self.encoder.requires_grad_(False)
        if shape.rank:
            for layer in encoder.encoder.layer[shape.frozen_layers :]:
                _adapt(layer, shape)
        self.heads = Heads(2 * int(encoder.config.hidden_size), shape)

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the encoder's layers; adapters and heads are kept in float32."""
        dtype: torch.dtype = self.encoder.encoder.layer[0].output.LayerNorm.weight.dtype
        return dtype

    def lower(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the states above the frozen layers, shape (windows, tokens, width)."""
        states = self.encoder.embeddings(input_ids=ids).to(self.dtype)
        return self._run(states, mask, slice(0, self.shape.frozen_layers))

    def upper(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return the states above all layers from those above the frozen ones, same shape."""
        return self._run(states, mask, slice(self.shape.frozen_layers, None))

    def _run(self, states: Tensor, mask: Tensor, layers: slice) -> Tensor:
        attend = mask[:, None, None, :]
        for layer in self.encoder.encoder.layer[layers]:
            output = layer(states, attention_mask=attend)
            states = output[0] if isinstance(output, tuple) else output
        return states

    @torch.no_grad()
    def merge_adapters(self) -> None:
        """Add the adapters into the layers that they bend: reading then costs what it does without them."""
        for parent in list(self.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, LowRankLinear):
                    setattr(parent, name, child.merge())

    def trained_state(self) -> dict[str, Tensor]:
        """Return what training makes: adapters and heads, by name."""
        return {
            name: value.detach()
            for name, value in self.state_dict().items()
            if name.startswith("heads.") or name.endswith((".down", ".up"))
        }


def place_features(position: int, count: int) -> list[float]:
    """Return where turn ``position`` (from 0) of ``count`` stands: its share, and how near both ends are.

    ``PLACE_FEATURES`` numbers. Fewer than ``LEAST_TURNS`` may be a piece of a call, one cut short or a short
    one: they are read as if they stood in the middle of a usual one, and by ``BEGUN`` as if they began it.
    """
    if count >= LEAST_TURNS:
        return _place(position, count)
    middle = _place(position + (USUAL_TURNS - count) // 2, USUAL_TURNS)
    begun = _place(position, USUAL_TURNS)
    return [(1 - BEGUN) * inside + BEGUN * first for inside, first in zip(middle, begun, strict=True)]


def _place(position: int, count: int) -> list[float]:
    features = [0.0] * PLACE_FEATURES
    share = position / max(count - 1, 1)
    features[0:5] = [share, share * share, float(share < 0.15), float(share > 0.85), 1.0 / count]
    if position < NEAR_TURNS:
        features[5 + position] = 1.0
    if count - 1 - position < NEAR_TURNS:
        features[5 + NEAR_TURNS + count - 1 - position] = 1.0
    return features


def _share(scores: Tensor, segments: Tensor, turns: int) -> Tensor:
    """Return the softmax of ``scores`` (tokens, columns) among the tokens of each turn."""
    index = segments.unsqueeze(1).expand_as(scores)
    lowest = torch.full((turns, scores.shape[1]), _NEVER)
    peak = lowest.scatter_reduce(0, index, scores.detach(), "amax")
    weights = torch.exp(scores - peak.gather(0, index))
    total = torch.zeros(turns, scores.shape[1]).scatter_add(0, index, weights)
    return weights / total.gather(0, index)


def _sum_by_turn(values: Tensor, segments: Tensor, turns: int) -> Tensor:
    return torch.zeros(turns, values.shape[1]).index_add(0, segments, values)


def _adapt(layer: nn.Module, shape: NetworkShape) -> None:
    for parent in list(layer.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and name in ADAPTED:
                setattr(parent, name, LowRankLinear(child, shape.rank, shape.scale))
