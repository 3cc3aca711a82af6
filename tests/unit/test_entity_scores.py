"""How found entities are held against annotated ones, worked out by hand."""

from __future__ import annotations

import pytest

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Json, Role, Transcript, Turn
from huaxiang.nlp.conversation_file import EntityLabel
from huaxiang.nlp.entity_scores import located, score_entities

TEXT = "三家店一年六千四，再加六千四，周四见"
TRANSCRIPT = Transcript("r", (Turn(0, Role.AGENT, 0, 0, TEXT, TEXT),), duration_ms=0, timed=False)
TRUTH = [
    EntityLabel("number", "三家店", 3),
    EntityLabel("money", "六千四", 6400),
    EntityLabel("money", "六千四", 6400),
    EntityLabel("time", "周四"),
]


def finding(kind: str, start: int, end: int, value: Json = None) -> Finding:
    evidence = (quote(TRANSCRIPT, 0, start, end),)
    return Finding(FindingKind.ENTITY, kind, 0.9, "hand @ 1", evidence, value=value)


def test_annotations_are_located_in_the_order_they_are_said() -> None:
    assert located(TEXT, TRUTH) == [(0, 3), (5, 8), (11, 14), (15, 17)]


def test_words_shared_exact_words_and_values_are_counted_apart() -> None:
    found = [
        finding("number", 0, 2, 3),  # 三家 for 三家店
        finding("money", 5, 8, 6400),
        finding("money", 11, 14, 64000),  # wrong value
        finding("person", 15, 17),  # wrong type
    ]
    scores = score_entities([(TRANSCRIPT, [TRUTH], found)])
    assert scores.f1 == pytest.approx(2 * 3 / 8)
    assert scores.exact_f1 == pytest.approx(2 * 2 / 8)
    assert scores.value_f1 == pytest.approx(2 * 2 / 7)  # four annotated, three found with values
    assert scores.by_type["time"].recall == 0
    assert scores.by_type["person"].precision == 0


def test_one_finding_answers_one_annotation() -> None:
    scores = score_entities([(TRANSCRIPT, [TRUTH], [finding("money", 5, 8, 6400)])])
    assert (scores.by_type["money"].matched, scores.by_type["money"].annotated) == (1, 2)


def test_an_annotation_without_value_asks_for_none() -> None:
    scores = score_entities([(TRANSCRIPT, [TRUTH], [finding("time", 15, 17, "2026-06-11")])])
    assert scores.by_type["time"].right_value == 1


def test_other_findings_are_no_entities() -> None:
    act = Finding(FindingKind.ACT, "pitch", 0.9, "hand @ 1", (quote(TRANSCRIPT, 0),))
    assert score_entities([(TRANSCRIPT, [[]], [act])]).by_type == {}
