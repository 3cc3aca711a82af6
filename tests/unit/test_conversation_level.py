"""The conversation as a whole: what became of objections, its stages, who decides, the budget, a summary."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Role, Transcript, Turn
from huaxiang.nlp.call_story import call_story
from huaxiang.nlp.objection_course import objection_courses

A, C = Role.AGENT, Role.CUSTOMER
INTENT, ACT, OBJECTION = FindingKind.INTENT, FindingKind.ACT, FindingKind.OBJECTION


def _transcript(*lines: tuple[Role, str]) -> Transcript:
    turns = tuple(Turn(place, role, 0, 0, text, text) for place, (role, text) in enumerate(lines))
    return Transcript("r", turns, 0, timed=False)


def _found(
    transcript: Transcript,
    place: int,
    kind: FindingKind,
    label: str,
    value: Any = None,
    confidence: float = 0.9,
) -> Finding:
    evidence = quote(transcript, place, 0, len(transcript.turns[place].text))
    return Finding(kind, label, confidence, "model @ 1", (evidence,), value)


HAGGLE = _transcript(
    (A, "一年三千块"),
    (C, "这也太贵了吧"),
    (A, "平摊下来一天才八块"),
    (C, "嗯那倒也是可以接受"),
    (A, "那周四给您演示"),
    (C, "行就周四吧"),
)


def _haggled(*more: Finding) -> list[Finding]:
    return [
        _found(HAGGLE, 1, OBJECTION, "price"),
        _found(HAGGLE, 1, FindingKind.SENTIMENT, "negative"),
        _found(HAGGLE, 2, ACT, "objection_handling", confidence=0.8),
        *more,
    ]


def _course(findings: Sequence[Finding]) -> Finding:
    (course,) = objection_courses(HAGGLE, findings)
    return course


def test_an_answered_objection_tells_answer_reaction_and_what_followed() -> None:
    course = _course(_haggled(_found(HAGGLE, 5, INTENT, "agree_next_step")))
    assert course.value == {
        "status": "answered", "objection": 1, "answer": 2, "reaction": 3,
        "sentiment_change": 1, "followed_by": ["agree_next_step"],
    }  # fmt: skip
    assert [item.turn for item in course.evidence] == [1, 2, 3]
    assert course.confidence == pytest.approx(0.72)


def test_an_objection_without_an_answer_is_open() -> None:
    course = _course([_found(HAGGLE, 1, OBJECTION, "price")])
    assert isinstance(course.value, dict)
    assert (course.value["status"], course.value["answer"], course.value["reaction"]) == ("open", None, None)


def test_a_refusal_after_the_answer_leaves_it_open() -> None:
    course = _course(_haggled(_found(HAGGLE, 3, INTENT, "reject")))
    assert isinstance(course.value, dict)
    assert course.value["status"] == "open"


def test_an_objection_raised_again_after_its_answer_was_not_answered() -> None:
    first, second = objection_courses(HAGGLE, _haggled(_found(HAGGLE, 5, OBJECTION, "price")))
    assert isinstance(first.value, dict)
    assert isinstance(second.value, dict)
    assert (first.value["status"], second.value["status"]) == ("open", "open")


def test_an_answer_after_the_next_objection_answers_that_one() -> None:
    findings = [
        _found(HAGGLE, 1, OBJECTION, "price"),
        _found(HAGGLE, 3, OBJECTION, "trust"),
        _found(HAGGLE, 4, ACT, "objection_handling"),
    ]
    price, trust = objection_courses(HAGGLE, findings)
    assert isinstance(price.value, dict)
    assert isinstance(trust.value, dict)
    assert (price.value["answer"], trust.value["answer"]) == (None, 4)


def _story(transcript: Transcript, findings: Sequence[Finding], kind: FindingKind) -> list[Finding]:
    return [finding for finding in call_story(transcript, findings) if finding.kind is kind]


def test_stages_cover_the_conversation_from_the_first_that_is_told() -> None:
    lines = _transcript(
        (A, "您好"), (C, "嗯"), (A, "我们产品好"), (C, "哦"), (A, "有数据"), (C, "行"), (A, "再见")
    )
    findings = [
        _found(lines, 0, ACT, "greeting"),
        _found(lines, 2, ACT, "pitch"),
        _found(lines, 4, ACT, "value_evidence"),
        _found(lines, 6, ACT, "farewell"),
    ]
    stages = _story(lines, findings, FindingKind.STAGE)
    assert [(stage.label, stage.value) for stage in stages] == [
        ("opening", {"first_turn": 0, "last_turn": 1}),
        ("presentation", {"first_turn": 2, "last_turn": 5}),
        ("closing", {"first_turn": 6, "last_turn": 6}),
    ]


@pytest.mark.parametrize(
    ("said", "label", "who"),
    [
        ("这事我得问我们老板同意才行", "other", "我们老板"),
        ("我跟我老婆商量一下", "other", "我老婆"),
        ("这个我就能定", "customer", None),
        ("公司采购我说了算", "customer", None),
    ],
)
def test_who_decides_is_told_in_the_customers_words(said: str, label: str, who: str | None) -> None:
    lines = _transcript((A, "您这边谁定"), (C, said))
    (decider,) = _story(lines, [], FindingKind.DECISION_MAKER)
    assert (decider.label, decider.value) == (label, who)
    assert decider.evidence[0].quote in said


def test_what_the_seller_says_decides_nothing() -> None:
    assert not _story(_transcript((A, "这个价我说了算")), [], FindingKind.DECISION_MAKER)


def test_an_amount_is_the_budget_where_the_customer_calls_it_so_or_was_asked() -> None:
    lines = _transcript((A, "预算多少"), (C, "三万"), (A, "我们卖五万"), (C, "别家四万"))
    money = [_found(lines, place, FindingKind.ENTITY, "money", place * 10_000) for place in (1, 3)]
    assert [finding.value for finding in _story(lines, money, FindingKind.BUDGET)] == [10_000]


def test_a_summary_holds_nothing_but_quotes() -> None:
    findings = _haggled()
    (summary,) = _story(HAGGLE, findings, FindingKind.SUMMARY)
    assert isinstance(summary.value, list)
    assert [part["part"] for part in summary.value] == ["objection", "answer"]
    assert all(part["quote"] in HAGGLE.turns[part["turn"]].text for part in summary.value)


def test_nothing_found_makes_no_story() -> None:
    assert call_story(_transcript((A, "嗯"), (C, "哦")), []) == ()


LABELS = st.sampled_from(
    [(INTENT, "reject"), (INTENT, "inquire_price"), (ACT, "pitch"), (ACT, "objection_handling"),
     (ACT, "farewell"), (OBJECTION, "price"), (FindingKind.SENTIMENT, "positive")]
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 5), LABELS), max_size=12))
def test_whatever_was_found_every_claim_quotes_its_turns(
    drawn: list[tuple[int, tuple[FindingKind, str]]],
) -> None:
    findings = [_found(HAGGLE, place, kind, label) for place, (kind, label) in drawn]
    for finding in (*objection_courses(HAGGLE, findings), *call_story(HAGGLE, findings)):
        for item in finding.evidence:
            assert HAGGLE.turns[item.turn].text[item.char_start : item.char_end] == item.quote
    stages = _story(HAGGLE, findings, FindingKind.STAGE)
    spans = [(s.value["first_turn"], s.value["last_turn"]) for s in stages if isinstance(s.value, dict)]
    assert all(first <= last for first, last in spans)
    assert all(end < start for (_, end), (start, _) in pairwise(spans))
