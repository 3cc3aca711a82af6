"""Scores entity values on a half of the corpus that the rules were not made on.

``python -m huaxiang.nlp.entity_halves CORPUS.jsonl`` prints both halves as JSON. Whole series (ids that
differ in their number only: one industry, one author) go to one half, so that neither an author's turns
of phrase nor a trade's are in both. The names of each half are learned from the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.entities import EntityGrammar
from huaxiang.nlp.entities.name_training import labelled, train_names
from huaxiang.nlp.entities.names import CrfNames
from huaxiang.nlp.entities.words import Words
from huaxiang.nlp.entity_scores import VALUED_TYPES, Counts, EntityScores, score_entities
from huaxiang.nlp.intervals import task_intervals
from huaxiang.nlp.scores import LabelCounts, TaskCounts

TUNING, HELD_OUT = "tuning", "held_out"
_FORMERLY_HELD_OUT = 5  # of the first rules: ids whose SHA-256 this divides


def half_of(identity: str) -> str:
    """Return the half of a conversation: ``tuning`` where its series has an odd SHA-256."""
    return TUNING if _digest(identity.rsplit("-", 1)[0]) % 2 else HELD_OUT


def was_held_out(identity: str) -> bool:
    """Tell whether the first rules, made before there were halves, were made without it too."""
    return _digest(identity) % _FORMERLY_HELD_OUT == 0


def score_half(
    scored: Sequence[Conversation], others: Sequence[Conversation], words: Words
) -> dict[str, Any]:
    """Score ``scored`` with names learned from ``others``; see ``value_document`` for what it gives."""
    with TemporaryDirectory() as directory:
        model = Path(directory) / "names.crfsuite"
        train_names([labelled(conversation) for conversation in others], model, words)
        grammar = EntityGrammar(names=CrfNames(model, words))
        parts = [_scores(conversation, grammar) for conversation in scored]
    before = [part for conversation, part in zip(scored, parts, strict=True) if was_held_out(conversation.id)]
    return value_document(parts) | {"unseen_by_the_first_rules": value_document(before)}


def value_document(parts: Sequence[EntityScores]) -> dict[str, Any]:
    """Return the figures of the four types with values, from the scores of each conversation.

    ``value_f1`` asks for the right value, ``interval`` holds 95 % of its resamples by conversation.
    """
    total: dict[str, Counts] = {name: Counts() for name in VALUED_TYPES}
    for part in parts:
        for name, counts in total.items():
            counts.add(part.by_type.get(name, Counts()))
    spread = task_intervals([_as_task(part) for part in parts])
    return {
        "conversations": len(parts),
        "annotated": sum(counts.annotated for counts in total.values()),
        "value_f1": round(EntityScores(total).value_f1, 4),
        "interval": None if spread is None else list(spread.micro),
        "types": {name: _document(counts) for name, counts in total.items()},
    }


def _document(counts: Counts) -> dict[str, float | int]:
    return {
        "annotated": counts.annotated,
        "precision": round(counts.precision, 4),
        "recall": round(counts.recall, 4),
        "f1": round(counts.f1(), 4),
        "exact_f1": round(counts.f1(counts.exact), 4),
        "value_f1": round(counts.f1(counts.right_value), 4),
    }


def _as_task(scores: EntityScores) -> TaskCounts:
    """Return the counts by which a value is right or wrong, in the form that intervals take."""
    task = TaskCounts.of(VALUED_TYPES)
    for name, label in task.labels.items():
        counts = scores.by_type.get(name, Counts())
        hits = counts.right_value
        label.extend(LabelCounts(hits, counts.found - hits, counts.annotated - hits))
    return task


def _scores(conversation: Conversation, grammar: EntityGrammar) -> EntityScores:
    truth = [turn.entities for turn in conversation.labels.turns]
    findings = grammar.find(conversation.transcript)
    return score_entities([(conversation.transcript, truth, findings)])


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def main() -> None:
    """Print the figures of a corpus in the guideline's format, half by half."""
    import argparse
    import json
    import sys

    from huaxiang.nlp.entities.words import jieba_words

    parser = argparse.ArgumentParser(description="Score entity values on unseen series.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--half", choices=(TUNING, HELD_OUT), help="one half only")
    arguments = parser.parse_args()
    conversations = list(read_conversations(arguments.corpus))
    document = {}
    for half in (TUNING, HELD_OUT) if arguments.half is None else (arguments.half,):
        scored = [conversation for conversation in conversations if half_of(conversation.id) == half]
        others = [conversation for conversation in conversations if half_of(conversation.id) != half]
        document[half] = score_half(scored, others, jieba_words())
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
