"""From labels of turns to findings, with a scripted classifier."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest

from huaxiang.core.evidence import quote
from huaxiang.core.types import (
    Finding,
    FindingKind,
    Insights,
    Json,
    Role,
    Skipped,
    Transcript,
    Turn,
    Word,
)
from huaxiang.nlp.classifier import LabelScore, ScriptedClassifier, TurnLabels
from huaxiang.nlp.understand import Understanding


class NoEntities:
    def find(
        self, transcript: Transcript, started_at: datetime | None = None, zone: str = "Asia/Shanghai"
    ) -> tuple[Finding, ...]:
        return ()


class OneTime:
    """Finds the time that is written in the script, in every turn that has it."""

    def __init__(self, said: str, value: str, kind: str = "time") -> None:
        self._said, self._value, self._kind = said, value, kind

    def find(
        self, transcript: Transcript, started_at: datetime | None = None, zone: str = "Asia/Shanghai"
    ) -> tuple[Finding, ...]:
        found = []
        for place, turn in enumerate(transcript.turns):
            start = turn.text.find(self._said)
            if start >= 0:
                evidence = quote(transcript, place, start, start + len(self._said))
                found.append(
                    Finding(FindingKind.ENTITY, self._kind, 0.9, "grammar @ 1", (evidence,), self._value)
                )
        return tuple(found)


def no_metrics(
    transcript: Transcript, findings: tuple[Finding, ...]
) -> tuple[Mapping[str, Json], tuple[Skipped, ...]]:
    return {"findings": len(findings)}, ()


def _turn(index: int, role: Role, text: str, confidence: float = 1.0, heard: float | None = None) -> Turn:
    words = () if heard is None else (Word(index * 1000, index * 1000 + 900, text, heard),)
    return Turn(index, role, index * 1000, index * 1000 + 900, text, text, confidence, 0, words)


def _transcript(*turns: Turn, timed: bool = False) -> Transcript:
    return Transcript("call-1", turns, duration_ms=len(turns) * 1000, timed=timed)


def _score(label: str, text: str, probability: float = 0.9, floor: float = 0.4) -> LabelScore:
    return LabelScore(label, probability, True, floor, 0, len(text))


def _intent(text: str, *labels: str, probability: float = 0.9) -> TurnLabels:
    return TurnLabels(intents=tuple(_score(label, text, probability) for label in labels))


def _act(text: str, *labels: str, floor: float = 0.4) -> TurnLabels:
    return TurnLabels(acts=tuple(_score(label, text, floor=floor) for label in labels))


def _run(transcript: Transcript, script: Mapping[str, TurnLabels], entities: object = None) -> Insights:
    finder = entities if isinstance(entities, OneTime) else NoEntities()
    return Understanding(ScriptedClassifier(script), finder, no_metrics).run(transcript)


def _of(insights: Insights, kind: FindingKind) -> list[Finding]:
    return [finding for finding in insights.findings if finding.kind is kind]


PRICE = "那多少钱一年"


def test_a_label_becomes_a_finding_that_quotes_its_clause() -> None:
    text = f"好的，{PRICE}"
    labels = TurnLabels(intents=(LabelScore("inquire_price", 0.9, True, 0.4, 3, len(text)),))
    (finding,) = _of(_run(_transcript(_turn(0, Role.CUSTOMER, text)), {text: labels}), FindingKind.INTENT)
    assert finding.label == "inquire_price"
    assert finding.source == "scripted @ 1"
    assert finding.evidence[0].quote == PRICE
    assert (finding.evidence[0].start_ms, finding.evidence[0].end_ms) == (None, None)
    assert not finding.for_review


def test_labels_that_were_not_chosen_and_neutral_moods_are_no_findings() -> None:
    labels = TurnLabels(
        intents=(LabelScore("reject", 0.2, False, 0.4, 0, 6),),
        sentiment=LabelScore("neutral", 0.9, True, 0.2, 0, 6),
        objection=LabelScore("price", 0.2, False, 0.2, 0, 6),
    )
    assert _run(_transcript(_turn(0, Role.CUSTOMER, PRICE)), {PRICE: labels}).findings == ()


@pytest.mark.parametrize(("heard", "expected"), [(0.95, 0.9), (0.7, 0.9), (0.35, 0.45)])
def test_words_heard_badly_lower_the_confidence(heard: float, expected: float) -> None:
    transcript = _transcript(_turn(0, Role.CUSTOMER, PRICE, heard=heard), timed=True)
    finding, *_ = _run(transcript, {PRICE: _intent(PRICE, "inquire_price")}).findings
    assert finding.confidence == pytest.approx(expected)


def test_a_doubtful_speaker_lowers_intents_but_not_moods() -> None:
    labels = TurnLabels(
        intents=(_score("inquire_price", PRICE),), sentiment=_score("negative", PRICE, probability=0.8)
    )
    insights = _run(_transcript(_turn(0, Role.CUSTOMER, PRICE, confidence=0.8)), {PRICE: labels})
    (intent,) = _of(insights, FindingKind.INTENT)
    (mood,) = _of(insights, FindingKind.SENTIMENT)
    assert intent.confidence == pytest.approx(0.72)
    assert mood.confidence == pytest.approx(0.8)


def test_what_falls_under_its_floor_is_for_review() -> None:
    transcript = _transcript(_turn(0, Role.CUSTOMER, PRICE, heard=0.2), timed=True)
    finding, *_ = _run(transcript, {PRICE: _intent(PRICE, "inquire_price")}).findings
    assert finding.confidence < 0.4
    assert finding.for_review


def test_a_forbidden_act_that_is_not_sure_enough_to_fail_a_seller_is_for_review() -> None:
    text = "你爱买不买"
    finding, *_ = _run(
        _transcript(_turn(0, Role.AGENT, text)), {text: _act(text, "rude", floor=0.95)}
    ).findings
    assert finding.for_review


def test_a_stated_need_is_also_a_need_of_the_conversation() -> None:
    text = "我们每天丢单"
    insights = _run(_transcript(_turn(0, Role.CUSTOMER, text)), {text: _intent(text, "express_need")})
    (need,) = _of(insights, FindingKind.NEED)
    assert need.evidence[0].quote == need.value == text


def test_a_rival_is_named_once_with_all_its_mentions() -> None:
    turns = [_turn(0, Role.CUSTOMER, "我们用云帆"), _turn(1, Role.AGENT, "云帆也不错")]
    insights = _run(_transcript(*turns), {}, OneTime("云帆", "云帆", "competitor"))
    (rival,) = _of(insights, FindingKind.COMPETITOR)
    assert rival.value == "云帆"
    assert [evidence.turn for evidence in rival.evidence] == [0, 1]


PROPOSED, AGREED, REFUSED = "那周四下午三点我上门给您量房", "行，就周四", "算了别来了"
STEP = {
    PROPOSED: _act(PROPOSED, "next_step"),
    AGREED: _intent(AGREED, "agree_next_step"),
    REFUSED: _intent(REFUSED, "reject"),
}


def test_an_agreed_step_has_kind_time_and_who_promised() -> None:
    turns = [_turn(0, Role.AGENT, PROPOSED), _turn(1, Role.CUSTOMER, AGREED)]
    insights = _run(_transcript(*turns), STEP, OneTime("周四下午三点", "2026-11-26T15:00:00+08:00"))
    (step,) = _of(insights, FindingKind.NEXT_STEP)
    assert step.label == "visit"
    assert step.value == {
        "kind": "visit",
        "agreed": True,
        "by": "agent",
        "due_at": "2026-11-26T15:00:00+08:00",
        "due_text": "周四下午三点",
    }
    assert [evidence.turn for evidence in step.evidence] == [0, 1]


def test_a_proposal_without_an_answer_is_not_agreed() -> None:
    (step,) = _of(_run(_transcript(_turn(0, Role.AGENT, PROPOSED)), STEP), FindingKind.NEXT_STEP)
    assert isinstance(step.value, Mapping)
    assert step.value["agreed"] is False


def test_a_refusal_after_it_leaves_no_next_step() -> None:
    turns = [_turn(0, Role.AGENT, PROPOSED), _turn(1, Role.CUSTOMER, REFUSED)]
    assert _of(_run(_transcript(*turns), STEP), FindingKind.NEXT_STEP) == []


def test_a_conversation_without_turns_says_that_nothing_was_analysed() -> None:
    insights = _run(_transcript(), {})
    assert insights.findings == ()
    assert [skipped.code for skipped in insights.skipped] == ["no_turns"]
