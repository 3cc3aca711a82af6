"""Which half a conversation is in, and the figures of a half, worked out by hand."""

from __future__ import annotations

import pytest

from huaxiang.nlp.conversation_file import Conversation, parse_conversation
from huaxiang.nlp.entities.words import jieba_words
from huaxiang.nlp.entity_halves import half_of, score_half, value_document, was_held_out
from huaxiang.nlp.entity_scores import Counts, EntityScores


def test_a_series_stays_together() -> None:
    for series in ("rent", "tea", "solar-roof", "bike"):
        assert len({half_of(f"{series}-{number:03d}") for number in range(30)}) == 1


def test_both_halves_occur_and_a_fifth_was_held_out_before() -> None:
    names = [f"series{number}-1" for number in range(400)]
    assert 150 < sum(half_of(name) == "tuning" for name in names) < 250
    assert 50 < sum(was_held_out(name) for name in names) < 110


def test_the_value_has_to_be_right() -> None:
    parts = [
        EntityScores({"money": Counts(annotated=4, found=4, matched=4, exact=3, right_value=3)}),
        EntityScores({"number": Counts(annotated=1, found=3, matched=1, exact=1, right_value=1)}),
        EntityScores({"person": Counts(annotated=5, found=0)}),  # names have no values
    ]
    document = value_document(parts)
    assert (document["conversations"], document["annotated"]) == (3, 5)
    assert document["value_f1"] == pytest.approx(2 * 4 / 12, abs=1e-4)
    assert document["types"]["money"]["value_f1"] == 0.75
    assert document["types"]["money"]["exact_f1"] == 0.75
    low, high = document["interval"]
    assert low <= document["value_f1"] <= high


def test_one_conversation_has_no_interval() -> None:
    assert value_document([EntityScores()])["interval"] is None


def conversation(number: int) -> Conversation:
    return parse_conversation(
        {
            "id": f"invented-{number}",
            "turns": [
                {
                    "role": "customer",
                    "text": f"我姓陶，{number}00块，周四见。",
                    "entities": [
                        {"type": "person", "text": "陶"},
                        {"type": "money", "text": f"{number}00块", "value": number * 100},
                        {"type": "time", "text": "周四"},
                    ],
                }
            ],
        }
    )


def test_a_half_is_scored_with_names_of_the_other() -> None:
    document = score_half([conversation(3), conversation(4)], [conversation(7)], jieba_words())
    assert document["value_f1"] == 1.0
    assert document["annotated"] == 4
    assert document["interval"] == [1.0, 1.0]
