"""The conversations to learn from: labelled by the guideline, and strangers to the corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from huaxiang.core.types import Role
from huaxiang.nlp.conversation_file import Conversation, next_step_kind, read_conversations
from huaxiang.nlp.labels import ACTS, INTENTS, NEXT_STEPS, OBJECTIONS

WRITTEN = Path(__file__).parents[2] / "nlp" / "conversations" / "written.jsonl"
SHORT = 6
"""Turns of so many characters are said by everybody."""


@pytest.fixture(scope="module")
def written() -> list[Conversation]:
    return list(read_conversations(WRITTEN))


def test_each_party_has_labels_of_its_own_only(written: list[Conversation]) -> None:
    for item in written:
        for turn, truth in zip(item.transcript.turns, item.labels.turns, strict=True):
            assert turn.role in (Role.AGENT, Role.CUSTOMER)
            if turn.role is Role.AGENT:
                assert (truth.intents, truth.objection) == (frozenset(), None), item.id
            else:
                assert not truth.acts, item.id


def test_every_label_has_examples_enough_to_be_no_thin_class(written: list[Conversation]) -> None:
    truths = [truth for item in written for truth in item.labels.turns]
    counts = Counter(name for truth in truths for name in (*truth.intents, *truth.acts, truth.objection))
    assert min(counts[name] for name in (*INTENTS, *ACTS, *OBJECTIONS)) >= 100
    assert {next_step_kind(item.labels) for item in written} == set(NEXT_STEPS)


def test_no_conversation_and_no_longer_turn_is_there_twice(written: list[Conversation]) -> None:
    assert len({item.id for item in written}) == len(written)
    said = Counter(turn.text for item in written for turn in item.transcript.turns)
    assert [count for text, count in said.items() if count > 1 and len(text) > SHORT] == []


@pytest.mark.shared
def test_no_turn_of_the_corpus_is_among_them(written: list[Conversation], shared_dir: Path) -> None:
    corpus = read_conversations(shared_dir / "corpus" / "dev.jsonl")
    known = {turn.text for item in corpus for turn in item.transcript.turns if len(turn.text) > SHORT}
    again = [item.id for item in written if any(turn.text in known for turn in item.transcript.turns)]
    assert again == []
