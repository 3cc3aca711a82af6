"""Trains the heads, and the adapters where the shape has them. Seeded, resumable, on a CPU.

The encoder's frozen layers are run once over all texts and their states kept, so that an epoch costs
no more than the trained part. With adapters, a second phase goes on from the trained heads.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from huaxiang.nlp.losses import MultiTaskLoss, Targets
from huaxiang.nlp.network import UNKNOWN, Heads, LowRankLinear, NetworkShape, TurnNetwork
from huaxiang.nlp.noise import Labelled, NoiseLevel
from huaxiang.nlp.reading import (
    FileTokenizer,
    WindowInput,
    all_upper_states,
    features_of,
    lower_states,
    raw_features,
    read,
    turn_batch,
    upper_states,
)
from huaxiang.nlp.versions import TYPED, Versions

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and of how many."""

CLIP = 1.0
WARM_UP = 0.1
SAMPLE_WINDOWS = 80
BUCKET_BATCHES = 8
HEAD_READINGS, ADAPTER_READINGS = 5_750, 1_400
"""Epochs times conversations: five of 1,149 for the heads, four of 350 for the adapters."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Everything that decides the result besides the data.

    ``copies`` are the damaged versions of each conversation beside the typed one; ``clean_share`` is
    how often an epoch takes the typed one. Roles are hidden for whole windows and for single turns by
    the two shares, so that turns of unknown role can be read. Adapters want many small steps, heads that
    start from nothing want steady ones.
    """

    shape: NetworkShape = field(default_factory=NetworkShape)
    seed: int = 20_261
    head_epochs: int = 12
    adapter_epochs: int = 4
    batch_windows: int = 16
    adapter_batch_windows: int = 4
    head_rate: float = 1e-3
    adapter_rate: float = 6e-4
    weight_decay: float = 0.05
    copies: tuple[NoiseLevel, ...] = (NoiseLevel(homophones=0.15),)
    clean_share: float = 0.6
    hidden_windows: float = 0.12
    hidden_turns: float = 0.03

    @classmethod
    def suited(cls, conversations: int) -> TrainingPlan:
        """Return the plan for one conversation or more: the more, the fewer times each is read."""
        few = cls()
        return replace(
            few,
            head_epochs=min(few.head_epochs, max(1, round(HEAD_READINGS / conversations))),
            adapter_epochs=min(few.adapter_epochs, max(1, round(ADAPTER_READINGS / conversations))),
        )


@dataclass(slots=True)
class Example:
    """One window of a version with its targets and the kept states of the frozen layers."""

    conversation: int
    version: int
    input: WindowInput
    targets: Targets
    lower: Tensor | None = None
    features: Tensor | None = None


@dataclass
class Checkpoint:
    """Where an interrupted training goes on: written after every epoch, ``None`` keeps nothing."""

    path: Path | None = None
    state: dict[str, Any] = field(default_factory=dict)

    def load(self) -> bool:
        """Read what was written; returns whether there was anything."""
        if self.path is None or not self.path.is_file():
            return False
        self.state = torch.load(self.path, weights_only=True)
        return True

    def save(self, **state: object) -> None:
        """Write the state, in place of what was there."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.path)


def prepare(
    versions: Sequence[Versions],
    network: TurnNetwork,
    tokenizer: FileTokenizer,
    plan: TrainingPlan,
    progress: Progress,
) -> list[Example]:
    """Return the windows of all versions of all conversations, with the frozen states."""
    examples = [
        example
        for number, own in enumerate(versions)
        for version, labelled in own.items()
        for example in _examples(number, version, labelled, tokenizer)
    ]
    _fill_states(examples, network, keep_lower=plan.adapter_epochs > 0, progress=progress)
    return examples


def _examples(
    number: int, version: int, labelled: Sequence[Labelled], tokenizer: FileTokenizer
) -> list[Example]:
    truths = [truth for _, truth in labelled]
    return [
        Example(
            number,
            version,
            item,
            Targets.of([truths[piece.turn] for piece in item.pieces], item.roles, item.core),
        )
        for item in read([turn for turn, _ in labelled], tokenizer)
    ]


def _fill_states(
    examples: Sequence[Example], network: TurnNetwork, keep_lower: bool, progress: Progress
) -> None:
    network.eval()
    group = 64
    for start in range(0, len(examples), group):
        part = examples[start : start + group]
        inputs = [example.input for example in part]
        with torch.no_grad():
            lower = lower_states(network, inputs)
            upper = all_upper_states(network, inputs, lower)
        for example, below, above in zip(part, lower, upper, strict=True):
            example.lower = below if keep_lower else None
            example.features = raw_features(example.input, below, above)
        progress("reading the conversations", start + len(part), len(examples))
    _standardise(examples, network)


def _standardise(examples: Sequence[Example], network: TurnNetwork) -> None:
    """Set the network's mean and spread by a sample of windows, and standardise the kept features."""
    features = [example.features for example in examples if example.features is not None]
    network.heads.standardise_by(torch.cat(features[:: max(1, len(features) // SAMPLE_WINDOWS)]).float())
    for example in examples:
        if example.features is not None:
            example.features = network.heads.standardised(example.features).to(torch.bfloat16)


def train(
    network: TurnNetwork,
    examples: Sequence[Example],
    plan: TrainingPlan,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Train ``network`` on ``examples`` in place: first the heads, then heads and adapters.

    The same plan, data and machine give the same weights; with a checkpoint that was written before,
    it goes on after the last whole epoch.
    """
    keeper = checkpoint or Checkpoint()
    random_source = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    torch.manual_seed(plan.seed)
    _reset(network)
    loss = MultiTaskLoss(
        Targets.joined([example.targets for example in examples if example.version == TYPED])
    )
    resumed = keeper.load()
    for phase, epochs in (("heads", plan.head_epochs), ("adapters", plan.adapter_epochs)):
        if epochs:
            runner = _Phase(network, examples, plan, loss, phase, random_source)
            if resumed and keeper.state["phase"] == phase:
                runner.resume(keeper.state)
            elif resumed and phase == "heads":
                continue  # the checkpoint is of the later phase, which holds the heads too
            runner.run(keeper, progress)


class _Phase:
    """One phase of training: what is trained, at which rate, for how many epochs."""

    def __init__(
        self,
        network: TurnNetwork,
        examples: Sequence[Example],
        plan: TrainingPlan,
        loss: MultiTaskLoss,
        name: str,
        random_source: random.Random,
    ) -> None:
        self._network, self._plan, self._loss, self._name = network, plan, loss, name
        self._random = random_source
        self._adapting = name == "adapters"
        self._epochs = plan.adapter_epochs if self._adapting else plan.head_epochs
        self._by_conversation: dict[int, dict[int, list[Example]]] = {}
        for example in examples:
            versions = self._by_conversation.setdefault(example.conversation, {})
            versions.setdefault(example.version, []).append(example)
        heads = list(network.heads.parameters())
        adapters = [value for name_, value in network.named_parameters() if name_.endswith((".down", ".up"))]
        groups = [{"params": heads, "lr": plan.head_rate * (0.3 if self._adapting else 1.0)}]
        if self._adapting:
            groups.append({"params": adapters, "lr": plan.adapter_rate})
        self._trained = heads + (adapters if self._adapting else [])
        self._optimiser = torch.optim.AdamW(groups, weight_decay=plan.weight_decay)
        windows = sum(len(versions[TYPED]) for versions in self._by_conversation.values())
        self._batch_windows = plan.adapter_batch_windows if self._adapting else plan.batch_windows
        self._steps = self._epochs * math.ceil(windows / self._batch_windows)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, self._rate)
        self._epoch = 0

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / (WARM_UP * self._steps + 1))
        return warm * max(self._steps - step, 0) / self._steps

    def resume(self, state: dict[str, Any]) -> None:
        """Take up the state that ``run`` saved."""
        self._network.load_state_dict(state["network"], strict=False)
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._epoch = int(state["epoch"])
        torch.set_rng_state(state["torch_random"])
        version, internal, gauss = state["random"]
        self._random.setstate((version, tuple(internal), gauss))

    def run(self, keeper: Checkpoint, progress: Progress) -> None:
        """Train the remaining epochs."""
        while self._epoch < self._epochs:
            self._network.train()
            for batch in self._batches():
                self._step(batch)
            self._epoch += 1
            keeper.save(
                phase=self._name,
                epoch=self._epoch,
                network=self._network.trained_state(),
                optimiser=self._optimiser.state_dict(),
                schedule=self._schedule.state_dict(),
                torch_random=torch.get_rng_state(),
                random=self._random.getstate(),
            )
            progress(f"training {self._name}", self._epoch, self._epochs)
        self._network.eval()

    def _batches(self) -> list[list[Example]]:
        """Draw a version of each conversation, and batch windows of like length."""
        pool: list[Example] = []
        for versions in self._by_conversation.values():
            others = [version for version in versions if version != TYPED]
            typed = not others or self._random.random() < self._plan.clean_share
            pool += versions[TYPED if typed else self._random.choice(others)]
        self._random.shuffle(pool)
        size = self._batch_windows
        batches = []
        for start in range(0, len(pool), size * BUCKET_BATCHES):
            bucket = sorted(
                pool[start : start + size * BUCKET_BATCHES], key=lambda item: len(item.input.window.ids)
            )
            batches += [bucket[place : place + size] for place in range(0, len(bucket), size)]
        self._random.shuffle(batches)
        return batches

    def _step(self, batch: Sequence[Example]) -> None:
        roles = [self._shown(example) for example in batch]
        joined = turn_batch([item.input for item in batch], self._features(batch), roles)
        logits, _ = self._network.heads(joined)
        targets = Targets.joined([example.targets for example in batch])
        loss = self._loss(logits, targets, torch.cat(roles))
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # untyped upstream
        nn.utils.clip_grad_norm_(self._trained, CLIP)
        self._optimiser.step()
        self._schedule.step()

    def _features(self, batch: Sequence[Example]) -> list[Tensor]:
        if not self._adapting:
            return [example.features for example in batch if example.features is not None]
        lower = [example.lower for example in batch if example.lower is not None]
        upper = upper_states(self._network, lower)
        return [
            features_of(self._network, example.input, below, above)
            for example, below, above in zip(batch, lower, upper, strict=True)
        ]

    def _shown(self, example: Example) -> Tensor:
        """Return the roles that the network is shown, some of them hidden."""
        roles = example.targets.roles.clone()
        if self._random.random() < self._plan.hidden_windows:
            roles[:] = UNKNOWN
        else:
            roles[torch.rand(len(roles)) < self._plan.hidden_turns] = UNKNOWN
        return roles


def _reset(network: TurnNetwork) -> None:
    """Start from fresh heads, which keep the spread of the states, and adapters that change nothing."""
    for module in network.modules():
        if isinstance(module, LowRankLinear):
            module.reset()
    mean, spread = network.heads.mean, network.heads.spread
    network.heads = Heads(len(mean), network.shape)
    network.heads.mean.copy_(mean)
    network.heads.spread.copy_(spread)
