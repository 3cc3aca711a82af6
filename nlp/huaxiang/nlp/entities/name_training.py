"""Trains the name model from labelled conversations: the same data give the same model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiang.core.types import Role
from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.entities.name_features import features
from huaxiang.nlp.entities.names import NAME_TYPES
from huaxiang.nlp.entities.words import Words

# Chosen by cross-validation on the tuning part of the corpus (docs/entities.md).
_OPTIONS = {"c1": 0.1, "c2": 0.01, "max_iterations": 150, "feature.possible_transitions": True}


@dataclass(frozen=True, slots=True)
class LabelledNames:
    """One conversation with the names of each turn as ``(type, text)`` in the order they are said."""

    texts: Sequence[str]
    roles: Sequence[Role]
    names: Sequence[Sequence[tuple[str, str]]]


def labelled(conversation: Conversation) -> LabelledNames:
    """Return a conversation of the corpus in the form that training takes."""
    return LabelledNames(
        texts=[turn.text for turn in conversation.transcript.turns],
        roles=[turn.role for turn in conversation.transcript.turns],
        names=[
            [(entity.type, entity.text) for entity in turn.entities] for turn in conversation.labels.turns
        ],
    )


def train_names(conversations: Iterable[LabelledNames], model: Path, words: Words) -> None:
    """Train a conditional random field (L-BFGS with elastic net) and write it to ``model``."""
    import pycrfsuite

    trainer: Any = pycrfsuite.Trainer(verbose=False)
    for conversation in conversations:
        turns = features(conversation.texts, conversation.roles, words)
        for text, names, turn in zip(conversation.texts, conversation.names, turns, strict=True):
            if turn:
                trainer.append(turn, labels_of(text, names))
    trainer.set_params(_OPTIONS)
    trainer.train(str(model))


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
    arguments = parser.parse_args()
    conversations = [labelled(conversation) for conversation in read_conversations(arguments.corpus)]
    train_names(conversations, arguments.model, jieba_words())


if __name__ == "__main__":
    main()
