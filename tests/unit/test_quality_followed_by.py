"""A finding that has to be followed by another: what the customer asks for and the seller takes up."""

from __future__ import annotations

import pytest

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Role, Transcript, Turn
from huaxiang.quality.conditions import Heard, Verdict, judge
from huaxiang.quality.definition import FindingCondition
from huaxiang.quality.loader import parse_scorecard

ROLES = (Role.AGENT, Role.CUSTOMER)
CALL = Transcript(
    "call",
    tuple(Turn(i, ROLES[i % 2], i * 1000, i * 1000 + 900, f"第{i}句话", f"第{i}句话") for i in range(8)),
    duration_ms=8000,
)
ASKED_AND_TAKEN_UP = FindingCondition(
    FindingKind.INTENT,
    frozenset({"request_material"}),
    followed_by=FindingCondition(FindingKind.ACT, frozenset({"next_step", "recap"})),
    within_turns=2,
)


def claim(
    kind: FindingKind, label: str, turn: int, confidence: float = 0.9, for_review: bool = False
) -> Finding:
    return Finding(kind, label, confidence, "test @ 1", (quote(CALL, turn),), for_review=for_review)


def asked(turn: int, confidence: float = 0.9) -> Finding:
    return claim(FindingKind.INTENT, "request_material", turn, confidence)


def promised(turn: int, confidence: float = 0.9, for_review: bool = False) -> Finding:
    return claim(FindingKind.ACT, "next_step", turn, confidence, for_review)


def verdict(*findings: Finding) -> Verdict:
    return judge(ASKED_AND_TAKEN_UP, Heard(CALL, Insights(findings, {})))


def test_it_holds_with_both_quotes_and_the_weaker_confidence() -> None:
    found = verdict(asked(3, 0.9), promised(4, 0.7))
    assert found.holds is True
    assert [evidence.turn for evidence in found.evidence] == [3, 4]
    assert found.confidence == 0.7


@pytest.mark.parametrize(
    "findings",
    [
        (asked(3),),
        (promised(4),),
        (asked(3), promised(6)),  # too late
        (asked(5), promised(4)),  # before
        (asked(3), promised(3)),  # in the same turn
    ],
)
def test_it_does_not_hold_alone_late_or_before(findings: tuple[Finding, ...]) -> None:
    found = verdict(*findings)
    assert found.holds is False
    assert not found.doubtful


def test_a_doubtful_follow_up_is_for_review() -> None:
    found = verdict(asked(3), promised(4, 0.5, for_review=True))
    assert (found.holds, found.doubtful) == (False, True)
    assert [evidence.turn for evidence in found.evidence] == [3, 4]


def test_a_sure_follow_up_beside_a_doubtful_one_decides() -> None:
    found = verdict(asked(3), promised(4, 0.95, for_review=True), promised(5, 0.8))
    assert (found.holds, found.confidence) == (True, 0.8)


SCORECARD = """
scorecard: s
version: 1
title: {{zh: 标题, en: Title}}
sections:
  - id: a
    title: {{zh: 标题, en: Title}}
    items:
      - id: i
        title: {{zh: 标题, en: Title}}
        points: 5
        passes_when: {condition}
"""


def test_it_is_written_in_yaml() -> None:
    text = SCORECARD.format(
        condition="{intent: request_material, followed_by: {act: [next_step, recap]}, within_turns: 2}"
    )
    definition, mistakes = parse_scorecard(text)
    assert mistakes == []
    assert definition.items[0].condition == ASKED_AND_TAKEN_UP


@pytest.mark.parametrize(
    "condition",
    [
        "{act: recap, followed_by: {keywords: [好]}}",
        "{act: recap, followed_by: {act: nonsense}}",
        "{act: recap, within_turns: 3}",
        "{act: recap, followed_by: {act: recap}, within_turns: 0}",
        "{keywords: [好], followed_by: {act: recap}}",
    ],
)
def test_mistakes_name_their_line(condition: str) -> None:
    _, mistakes = parse_scorecard(SCORECARD.format(condition=condition))
    assert [mistake.line for mistake in mistakes] == [12]
