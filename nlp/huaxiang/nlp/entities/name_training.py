"""Trains the name model from labelled conversations: the same data give the same model.

On request each conversation is seen twice, as it was typed and as a recogniser might have written it:
characters mistaken for others of the same sound, punctuation lost, speakers not told apart. The model
that is shipped has seen typed text only.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiang.core.types import Role
from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.entities.name_features import features
from huaxiang.nlp.entities.names import NAME_TYPES
from huaxiang.nlp.entities.words import Words
from huaxiang.nlp.noise import Homophones

# Chosen on a part of the tuning set (docs/entities.md).
_OPTIONS = {"c1": 0.1, "c2": 0.01, "max_iterations": 150, "feature.possible_transitions": True}
_PUNCTUATION = re.compile("[，。？！、；：…—,.?!;:“”]")
_SEED = 17


@dataclass(frozen=True, slots=True)
class NameNoise:
    """How much a copy is damaged: shares of characters in and outside names, of marks, of speakers."""

    characters: float = 0.15
    name_characters: float = 0.05
    punctuation: float = 0.5
    unknown_speakers: float = 0.3


@dataclass(frozen=True, slots=True)
class LabelledNames:
    """One conversation with a label (``B-type``, ``I-type``, ``O``) for every character of every turn."""

    texts: Sequence[str]
    roles: Sequence[Role]
    labels: Sequence[Sequence[str]]


def labelled(conversation: Conversation) -> LabelledNames:
    """Return a conversation of the corpus in the form that training takes."""
    turns = conversation.transcript.turns
    return LabelledNames(
        texts=[turn.text for turn in turns],
        roles=[turn.role for turn in turns],
        labels=[
            labels_of(turn.text, [(entity.type, entity.text) for entity in truth.entities])
            for turn, truth in zip(turns, conversation.labels.turns, strict=True)
        ],
    )


def train_names(
    conversations: Sequence[LabelledNames], model: Path, words: Words, noise: NameNoise | None = None
) -> None:
    """Train a conditional random field (L-BFGS with elastic net) and write it to ``model``.

    With ``noise`` a damaged copy of every conversation is learnt beside it.
    """
    import pycrfsuite

    trainer: Any = pycrfsuite.Trainer(verbose=False)
    for conversation in (*conversations, *(_damaged_copies(conversations, noise) if noise else ())):
        turns = features(conversation.texts, conversation.roles, words)
        for labels, turn in zip(conversation.labels, turns, strict=True):
            if turn:
                trainer.append(turn, labels)
    trainer.set_params(_OPTIONS)
    trainer.train(str(model))


def _damaged_copies(conversations: Sequence[LabelledNames], noise: NameNoise) -> Iterator[LabelledNames]:
    homophones = Homophones([text for conversation in conversations for text in conversation.texts])
    source = random.Random(_SEED)  # noqa: S311 - repeatable on purpose
    for conversation in conversations:
        unknown = source.random() < noise.unknown_speakers
        turns = [
            _damaged(text, labels, noise, homophones, source)
            for text, labels in zip(conversation.texts, conversation.labels, strict=True)
        ]
        yield LabelledNames(
            texts=[text for text, _ in turns],
            roles=[Role.UNKNOWN if unknown else role for role in conversation.roles],
            labels=[labels for _, labels in turns],
        )


def _damaged(
    text: str, labels: Sequence[str], noise: NameNoise, homophones: Homophones, source: random.Random
) -> tuple[str, list[str]]:
    characters: list[str] = []
    kept: list[str] = []
    for character, label in zip(text, labels, strict=True):
        if _PUNCTUATION.match(character):
            if source.random() < noise.punctuation:
                continue
        elif source.random() < (noise.characters if label == "O" else noise.name_characters):
            character = homophones.replace(character, source)
        characters.append(character)
        kept.append(label)
    return "".join(characters), kept


def labels_of(text: str, names: Sequence[tuple[str, str]]) -> list[str]:
    """Return one label a character: ``B-type``, ``I-type`` or ``O``."""
    labels = ["O"] * len(text)
    position = 0
    for kind, name in names:
        if kind not in NAME_TYPES:
            continue
        start = text.find(name, position)
        start = text.find(name) if start < 0 else start
        if start < 0:
            continue
        position = start + len(name)
        labels[start:position] = [f"B-{kind}"] + [f"I-{kind}"] * (len(name) - 1)
    return labels


def main() -> None:
    """Train from a corpus in the guideline's format: ``python -m … CORPUS.jsonl MODEL``."""
    import argparse

    from huaxiang.nlp.entities.words import jieba_words

    parser = argparse.ArgumentParser(description="Train the name model.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--damaged", action="store_true", help="learn a damaged copy of each conversation too"
    )
    arguments = parser.parse_args()
    noise = NameNoise() if arguments.damaged else None
    conversations = [labelled(conversation) for conversation in read_conversations(arguments.corpus)]
    train_names(conversations, arguments.model, jieba_words(), noise)


if __name__ == "__main__":
    main()
