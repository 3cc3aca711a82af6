"""Intervals, confusions and baselines of an evaluation, on small counts worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huaxiang.core.types import Role, Turn
from huaxiang.nlp.baselines import KeywordLabels, embedding_scores, keyword_scores
from huaxiang.nlp.confusions import Confusions
from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.encoder import Vectors
from huaxiang.nlp.evaluate import NlpScores, labels_document
from huaxiang.nlp.intervals import task_intervals
from huaxiang.nlp.labels import ACTS, INTENTS, OBJECTIONS, SENTIMENTS
from huaxiang.nlp.scores import TaskCounts


def _part(found: Sequence[str], true: Sequence[str]) -> TaskCounts:
    counts = TaskCounts.of(("a", "b"))
    counts.add(found, true)
    return counts


def test_conversations_that_are_all_alike_leave_no_doubt() -> None:
    intervals = task_intervals([_part(["a"], ["a"])] * 8)
    assert intervals is not None
    assert intervals.micro == intervals.macro == intervals.labels["a"] == (1.0, 1.0)


def test_an_interval_spans_what_other_conversations_would_have_given() -> None:
    parts = [_part(["a"], ["a"])] * 6 + [_part(["b"], ["a"])] * 6
    intervals = task_intervals(parts)
    assert intervals is not None
    low, high = intervals.micro
    assert low < 0.5 < high
    assert task_intervals(parts) == intervals, "the same counts have the same interval"
    wider = task_intervals(parts[4:8])
    assert wider is not None
    assert wider.micro[1] - wider.micro[0] > high - low


def test_one_conversation_has_no_interval() -> None:
    assert task_intervals([_part(["a"], ["a"])]) is None


def test_a_label_given_in_place_of_another_is_a_pair() -> None:
    confusions = Confusions()
    confusions.add(["b"], ["a"])
    confusions.add(["b"], ["a"])
    confusions.add([], ["a"])
    confusions.add(["c"], [])
    confusions.add(["a"], ["a"])
    assert confusions.document() == [
        {"true": "a", "found": "b", "count": 2},
        {"true": "a", "found": "none", "count": 1},
        {"true": "none", "found": "c", "count": 1},
    ]


@pytest.fixture
def conversations(tmp_path: Path) -> list[Conversation]:
    lines = []
    for number in range(10):
        turns: list[dict[str, Any]] = [
            {"role": "agent", "text": "您好，我是小张", "acts": ["greeting", "self_intro"]},
            {"role": "customer", "text": "多少钱" if number % 2 else "不需要"}
            | (
                {"intents": ["inquire_price"]} if number % 2 else {"intents": ["reject"], "objection": "need"}
            ),
        ]
        lines.append(json.dumps({"id": f"a-{number:03d}", "turns": turns}, ensure_ascii=False))
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return list(read_conversations(path))


def test_keywords_give_labels_of_the_speakers_own_kind() -> None:
    keywords = KeywordLabels()
    asked = "您好，多少钱"
    seller = keywords.label(Turn(0, Role.AGENT, 0, 0, asked))
    customer = keywords.label(Turn(0, Role.CUSTOMER, 0, 0, asked))
    assert "greeting" in seller["acts"]
    assert not seller["intents"]
    assert list(customer["intents"]) == ["inquire_price"]
    assert not customer["acts"]


def test_the_keyword_list_knows_every_label() -> None:
    known = KeywordLabels()._cues
    inventories = {"intents": INTENTS, "objection": OBJECTIONS, "acts": ACTS}
    for task, inventory in inventories.items():
        assert set(known[task]) == set(inventory)
    assert set(known["sentiment"]) == set(SENTIMENTS) - {"neutral"}


def test_keywords_are_scored_like_the_model(conversations: list[Conversation]) -> None:
    scores = keyword_scores(conversations)
    assert scores["intents"]["micro_f1"] == 1.0
    assert scores["objection"]["macro_f1"] == 1.0


class OneVectorEachText:
    """Gives equal texts equal vectors and different ones different."""

    dimension = 8

    def encode(self, texts: Sequence[str]) -> Vectors:
        known = {text: place for place, text in enumerate(sorted(set(texts)))}
        return np.stack([np.eye(8, dtype=np.float32)[known[text]] for text in texts])


def test_a_regression_learns_what_the_vectors_tell_apart(conversations: list[Conversation]) -> None:
    scores = embedding_scores(conversations, OneVectorEachText())
    assert scores is not None
    assert scores["intents"]["micro_f1"] == scores["acts"]["micro_f1"] == 1.0


def test_a_regression_needs_a_conversation_a_fold(conversations: list[Conversation]) -> None:
    assert embedding_scores(conversations[:3], OneVectorEachText()) is None


def test_every_label_is_told_with_its_support_and_interval(conversations: list[Conversation]) -> None:
    parts = []
    for item in conversations:
        scores = NlpScores()
        for truth in item.labels.turns:
            found = {"intents": sorted(truth.intents), "objection": [], "sentiment": ["neutral"], "acts": []}
            scores.add_labels(found, truth)
        parts.append(scores)
    document = labels_document(parts)
    assert document["labels"]["intents"]["reject"] == {
        "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 5, "f1_interval": [1.0, 1.0],
    }  # fmt: skip
    assert document["labels"]["objection"]["need"]["recall"] == 0.0
    assert document["confusions"]["objection"] == [{"true": "need", "found": "none", "count": 5}]
    assert set(document["intervals"]) == {"intents", "objection", "sentiment", "acts"}
