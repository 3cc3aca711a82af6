"""Inspection: judgements stand on evidence or on the searched window, and points follow them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Json, Role, Scorecard, Transcript, Turn
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.conditions import Heard, judge
from huaxiang.quality.loader import parse_scorecard

LINES = (
    (Role.AGENT, "您好，我是云帆的顾问，现在方便吗？"),
    (Role.CUSTOMER, "方便，你们这个太贵了吧。"),
    (Role.AGENT, "我理解，有家客户用了半年省了三成。"),
    (Role.CUSTOMER, "行，那周四下午见。"),
    (Role.AGENT, "好的，周四见，再见。"),
)


def call(roles_known: bool = True, timed: bool = True) -> Transcript:
    turns = tuple(
        Turn(index, role if roles_known else Role.UNKNOWN, index * 10_000, index * 10_000 + 8_000, text, text)
        for index, (role, text) in enumerate(LINES)
    )
    return Transcript("call", turns, duration_ms=50_000, timed=timed)


def claim(
    kind: FindingKind, label: str, turn: int, confidence: float = 0.9, for_review: bool = False
) -> Finding:
    return Finding(kind, label, confidence, "test @ 1", (quote(call(), turn),), for_review=for_review)


GOOD_CALL = (
    claim(FindingKind.ACT, "greeting", 0),
    claim(FindingKind.ACT, "self_intro", 0),
    claim(FindingKind.ACT, "permission", 0),
    claim(FindingKind.ACT, "need_discovery", 2),
    claim(FindingKind.ACT, "value_evidence", 2),
    claim(FindingKind.OBJECTION, "price", 1),
    claim(FindingKind.ACT, "objection_handling", 2),
    claim(FindingKind.INTENT, "agree_next_step", 3),
    claim(FindingKind.ACT, "farewell", 4),
)


INSPECTOR = Inspector(default_scorecard())


def score(*findings: Finding, transcript: Transcript | None = None) -> Scorecard:
    return INSPECTOR.inspect(transcript or call(), Insights(findings, {}))


def item(scorecard: Scorecard, item_id: str) -> Any:
    return next(item for item in scorecard.items if item.id == item_id)


def test_a_call_with_everything_in_it_gets_full_points() -> None:
    scorecard = score(*GOOD_CALL)
    assert (scorecard.score, scorecard.possible, scorecard.auto_failed) == (100, 100, False)


def test_what_is_missing_cites_the_window_that_was_searched() -> None:
    missing = item(score(*GOOD_CALL[1:]), "greeting")
    assert missing.passed is False
    assert missing.points == 0
    assert (missing.window.start_ms, missing.window.end_ms) == (0, 48_000)


def test_what_is_there_cites_its_quote_and_its_time() -> None:
    found = item(score(*GOOD_CALL), "objection_handled")
    assert [evidence.turn for evidence in found.evidence[:2]] == [1, 2]
    assert found.evidence[0].start_ms == 10_000


def test_without_an_objection_the_item_does_not_apply_and_leaves_the_possible_score() -> None:
    without = [finding for finding in GOOD_CALL if finding.kind is not FindingKind.OBJECTION]
    scorecard = score(*without)
    assert item(scorecard, "objection_handled").passed is None
    assert (scorecard.score, scorecard.possible) == (80, 80)


def test_a_fault_costs_points_and_cites_where_it_was_said() -> None:
    scorecard = score(*GOOD_CALL, claim(FindingKind.ACT, "overpromise", 2))
    assert scorecard.score == 80
    assert item(scorecard, "overpromise").evidence[0].turn == 2


def test_an_auto_fail_takes_the_whole_score() -> None:
    scorecard = score(*GOOD_CALL, claim(FindingKind.ACT, "rude", 4))
    assert (scorecard.score, scorecard.auto_failed) == (0, True)


def test_a_doubtful_fault_fails_nobody_and_asks_for_review() -> None:
    scorecard = score(*GOOD_CALL, claim(FindingKind.ACT, "rude", 4, 0.4, for_review=True))
    rude = item(scorecard, "rude")
    assert scorecard.score == 100
    assert rude.passed is True
    assert rude.for_review
    assert rude.confidence == pytest.approx(0.6)


def test_an_objection_that_got_only_rudeness_is_not_handled() -> None:
    findings = [f for f in GOOD_CALL if f.label != "agree_next_step"]
    assert item(score(*findings, claim(FindingKind.ACT, "rude", 2)), "objection_handled").passed is False


def test_where_speakers_are_unknown_the_score_is_a_proposal_for_review() -> None:
    scorecard = score(*GOOD_CALL, transcript=call(roles_known=False))
    assert [skipped.code for skipped in scorecard.skipped] == ["roles_unknown"]
    assert all(item.for_review for item in scorecard.items if item.passed is not None)


def test_an_empty_call_says_that_nothing_was_judged() -> None:
    empty = Transcript("call", (), 0)
    assert [s.code for s in score(transcript=empty).skipped] == ["no_turns"]


def holds(
    condition: str, transcript: Transcript | None = None, metrics: dict[str, Json] | None = None
) -> Any:
    text = (
        "{scorecard: a, version: 1, title: {zh: a, en: a}, sections: [{id: a, title: {zh: a, en: a}, items: "
        f"[{{id: a, title: {{zh: a, en: a}}, points: 1, passes_when: {condition}}}]}}]}}"
    )
    definition, mistakes = parse_scorecard(text)
    assert not mistakes
    return judge(
        definition.items[0].condition, Heard(transcript or call(), Insights(GOOD_CALL, metrics or {}))
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{keywords: [您好]}", True),
        ("{keywords: [您好], role: customer}", False),
        ("{keywords: [太贵, 再见], at_least: 2}", True),
        ("{keywords: [再见], place: {first: {percent: 50}}}", False),
        ("{keywords: [再见], place: {last: {turns: 1}}}", True),
        ("{keywords: [太贵], place: {first: {seconds: 9}}}", False),
        ("{keywords: [太贵], place: {first: {seconds: 15}}}", True),
        ("{pattern: '方便.{0,3}？'}", True),
        ("{pattern: '方便.{0,3}？', unless: 顾问}", False),
        ("{not: {keywords: [保证]}}", True),
        ("{all: [{keywords: [您好]}, {not: {act: rude}}]}", True),
        ("{any: [{act: rude}, {intent: agree_next_step}]}", True),
        ("{objection: price}", True),
        ("{objection: trust}", False),
        ("{act: greeting, confidence: 0.95}", False),
        ("{metric: talk_ratio, above: 0.4, below: 0.6}", True),
        ("{metric: sentiment.customer.overall, above: 0}", False),
        ("{metric: patience_ms.median, above: 0}", None),
    ],
)
def test_conditions(condition: str, expected: bool | None) -> None:
    metrics: dict[str, Json] = {"talk_ratio": 0.5, "sentiment": {"customer": {"overall": -1.0}}}
    assert holds(condition, metrics=metrics).holds is expected


def test_seconds_cannot_be_searched_in_a_typed_conversation() -> None:
    verdict = holds("{keywords: [您好], place: {first: {seconds: 5}}}", call(timed=False))
    assert verdict.holds is None
    assert "seconds" in verdict.reason


def test_an_expression_that_runs_away_is_stopped() -> None:
    turn = Turn(0, Role.AGENT, 0, 1000, "啊" * 60 + "！", "")
    verdict = holds("{pattern: '(啊+)+$'}", Transcript("call", (turn,), 1000))
    assert verdict.holds in (None, False)


labels = st.sampled_from(["greeting", "rude", "pressure", "overpromise", "farewell", "permission"])
claims = st.builds(claim, st.just(FindingKind.ACT), labels, st.integers(0, 4), st.floats(0, 1), st.booleans())


@given(st.lists(claims, max_size=8))
def test_a_score_stays_between_nothing_and_what_is_possible(findings: list[Finding]) -> None:
    scorecard = score(*findings)
    assert 0 <= scorecard.score <= scorecard.possible


@given(st.lists(claims, max_size=6), st.randoms())
def test_the_order_of_findings_plays_no_part(findings: list[Finding], random: Any) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert [i.passed for i in score(*findings).items] == [i.passed for i in score(*shuffled).items]
