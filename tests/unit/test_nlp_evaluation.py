"""The scores of the language stage: the promised keys, and figures that follow the findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from huaxiang.core.types import Finding, Insights, Json, Scorecard, ScorecardItem, Skipped, Transcript, Window
from huaxiang.nlp.classifier import LabelScore, ScriptedClassifier, TurnLabels
from huaxiang.nlp.conversation_file import Conversation, read_conversations
from huaxiang.nlp.entities import EntityGrammar
from huaxiang.nlp.evaluate import evaluate_nlp
from huaxiang.nlp.understand import Understanding

TURNS: list[dict[str, Any]] = [
    {"role": "agent", "text": "您好，我是小张", "acts": ["greeting", "self_intro"]},
    {"role": "customer", "text": "太贵了吧", "objection": "price", "sentiment": "negative"},
    {"role": "agent", "text": "你爱买不买", "acts": ["rude"]},
    {"role": "customer", "text": "那多少钱", "intents": ["inquire_price"]},
]
QA = {"greeting": True, "self_intro": False, "forbidden": ["rude"]}
DOCUMENT = {
    "id": "a-1", "industry": "家电", "channel": "onsite", "turns": TURNS,
    "call": {"qa": QA, "next_step": {"text": "", "kind": "none"}},
}  # fmt: skip


def _score(label: str, text: str, probability: float = 0.9, floor: float = 0.4) -> LabelScore:
    return LabelScore(label, probability, True, floor, 0, len(text))


def _script(rude_floor: float = 0.4) -> dict[str, TurnLabels]:
    hello, dear, rude, price = (turn["text"] for turn in TURNS)
    return {
        hello: TurnLabels(acts=(_score("greeting", hello), _score("self_intro", hello))),
        dear: TurnLabels(objection=_score("price", dear), sentiment=_score("negative", dear)),
        rude: TurnLabels(acts=(_score("rude", rude, floor=rude_floor),)),
        price: TurnLabels(intents=(_score("inquire_price", price),)),
    }


class FixedScorecard:
    def inspect(self, transcript: Transcript, insights: Insights) -> Scorecard:
        window = Window(None, None)
        passed = {"greeting": True, "self_intro": True, "rude": False, "pressure": True}
        items = tuple(ScorecardItem(name, name, value, 0, 0, window=window) for name, value in passed.items())
        return Scorecard("x @ 1", 0, 0, items)


def _no_metrics(
    transcript: Transcript, findings: tuple[Finding, ...]
) -> tuple[Mapping[str, Json], tuple[Skipped, ...]]:
    return {}, ()


@pytest.fixture
def conversations(tmp_path: Path) -> list[Conversation]:
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(DOCUMENT, ensure_ascii=False), "utf-8")
    return list(read_conversations(path))


def _evaluate(conversations: list[Conversation], script: Mapping[str, TurnLabels]) -> dict[str, Any]:
    understanding = Understanding(ScriptedClassifier(script), EntityGrammar(), _no_metrics)
    report: dict[str, Any] = evaluate_nlp(conversations, understanding, FixedScorecard())["nlp"]
    return report


def test_the_promised_keys_are_there(conversations: list[Conversation]) -> None:
    report = _evaluate(conversations, _script())
    assert set(report["intents"]) == set(report["acts"]) == {"micro_f1", "macro_f1"}
    assert set(report["objection"]) == {"any_f1", "macro_f1"}
    assert set(report["sentiment"]) == {"macro_f1"}
    assert {"precision", "recall"} <= set(report["forbidden"])
    assert set(report["entities"]) == {"f1", "value_f1"}
    assert set(report["qa"]) == {"accuracy", "items"}
    assert isinstance(report["ece"], float)
    assert set(report["by_industry"]) == {"家电"}
    assert set(report["by_channel"]) == {"onsite"}


def test_findings_as_the_annotator_has_them_score_one(conversations: list[Conversation]) -> None:
    report = _evaluate(conversations, _script())
    assert report["intents"]["micro_f1"] == report["acts"]["macro_f1"] == 1.0
    assert report["objection"] == {"any_f1": 1.0, "macro_f1": 1.0}
    assert report["sentiment"]["macro_f1"] == 1.0
    assert report["forbidden"]["precision"] == report["forbidden"]["recall"] == 1.0
    assert report["ece"] == pytest.approx(0.1)


def test_nothing_found_scores_nothing(conversations: list[Conversation]) -> None:
    report = _evaluate(conversations, {})
    assert report["intents"]["micro_f1"] == 0.0
    assert report["objection"]["any_f1"] == 0.0
    assert report["forbidden"]["recall"] == 0.0
    assert report["ece"] == 0.0


def test_a_wrong_type_of_objection_counts_as_any_objection_only(
    conversations: list[Conversation],
) -> None:
    script = _script() | {"太贵了吧": TurnLabels(objection=_score("trust", "太贵了吧"))}
    report = _evaluate(conversations, script)
    assert report["objection"] == {"any_f1": 1.0, "macro_f1": 0.0}


def test_a_forbidden_act_for_review_is_found_but_fails_nobody(conversations: list[Conversation]) -> None:
    report = _evaluate(conversations, _script(rude_floor=0.95))
    assert report["forbidden"]["recall"] == 1.0
    assert report["forbidden"]["failing_recall"] == 0.0


def test_scorecard_items_are_held_against_the_annotators(conversations: list[Conversation]) -> None:
    # greeting, rude and pressure agree with the annotation, self_intro does not.
    qa = _evaluate(conversations, _script())["qa"]
    assert qa["accuracy"] == 0.75
    assert {name: item["accuracy"] for name, item in qa["items"].items()} == {
        "greeting": 1.0,
        "self_intro": 0.0,
        "pressure": 1.0,
        "rude": 1.0,
    }
