"""A conversation gets every scorecard meant for it; the encoder is loaded only where a rule asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from invented_call import invented_insights, invented_transcript

from huaxiang.core.errors import ModelMissing
from huaxiang.core.types import Insights, Role, Transcript
from huaxiang.nlp.encoder import DIMENSION, SentenceEncoder, Vectors
from huaxiang.quality.check import run_examples_of
from huaxiang.quality.definition import Example, ExampleTurn, ScorecardDefinition
from huaxiang.quality.heard import Told
from huaxiang.quality.inspection import ScorecardInspection
from huaxiang.quality.loader import parse_scorecard

TRANSCRIPT = invented_transcript("call")
INSIGHTS = invented_insights(TRANSCRIPT)


def scorecard(name: str, condition: str, head: str = "") -> ScorecardDefinition:
    definition, mistakes = parse_scorecard(
        f"scorecard: {name}\nversion: 1\ntitle: {{zh: 示例, en: Demo}}\n{head}"
        "sections:\n  - id: only\n    title: {zh: 唯一, en: Only}\n    items:\n"
        "      - id: one\n        title: {zh: 一, en: One}\n        points: 10\n"
        f"        passes_when: {condition}\n"
    )
    assert mistakes == []
    return definition


class Counting:
    """An encoder that counts how often it was loaded; alike texts get alike vectors."""

    dimension = DIMENSION

    def __init__(self) -> None:
        self.loads = 0

    def load(self) -> SentenceEncoder:
        self.loads += 1
        return self

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), DIMENSION), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for character in text:
                row[ord(character) % DIMENSION] += 1
        return rows


GREETS = scorecard("everywhere", "{keywords: [您好]}", "priority: 10\n")
PHONE = scorecard("phone", "{keywords: [您好]}", "priority: 80\napplies_to: {settings: [phone]}\n")
MEANS = scorecard("means", '{similar: ["您好，我是云帆软件的小何"], threshold: 0.6}')


def given(inspection: ScorecardInspection, *definitions: ScorecardDefinition, **told: str) -> list[str]:
    found = inspection.inspect(TRANSCRIPT, INSIGHTS, Told(dict(told)), definitions)
    return [one.definition for one in found]


def test_all_that_apply_are_given_the_highest_priority_first() -> None:
    inspection = ScorecardInspection()
    assert given(inspection, GREETS, PHONE, setting="phone") == ["phone @ 1", "everywhere @ 1"]
    assert given(inspection, GREETS, PHONE, setting="onsite") == ["everywhere @ 1"]
    assert given(inspection, PHONE) == []


def test_without_other_scorecards_those_that_ship_are_used() -> None:
    found = ScorecardInspection().inspect(TRANSCRIPT, INSIGHTS)
    assert "general-sales" in {one.definition.split(" @ ")[0] for one in found}


def test_the_encoder_is_loaded_once_and_only_for_a_rule_that_compares_meanings() -> None:
    encoder = Counting()
    inspection = ScorecardInspection(encoder.load)
    given(inspection, GREETS)
    assert encoder.loads == 0
    for _ in range(2):
        (found,) = inspection.inspect(TRANSCRIPT, INSIGHTS, None, [MEANS])
        assert found.items[0].passed is True
        assert found.items[0].evidence[0].turn == 0
    assert encoder.loads == 1


def test_without_an_encoder_such_a_rule_does_not_apply_and_says_why() -> None:
    (found,) = ScorecardInspection().inspect(TRANSCRIPT, INSIGHTS, None, [MEANS])
    assert (found.items[0].passed, found.items[0].reason_code) == (None, "no_encoder")


def test_an_encoder_that_cannot_be_loaded_is_an_error_and_not_a_verdict() -> None:
    def missing() -> SentenceEncoder:
        raise ModelMissing("the encoder is not there")

    with pytest.raises(ModelMissing):
        ScorecardInspection(missing).inspect(TRANSCRIPT, INSIGHTS, None, [MEANS])


class Nothing:
    """Understands nothing of a conversation."""

    def run(self, transcript: Transcript) -> Insights:
        return Insights((), {})


def test_examples_of_a_rule_that_compares_meanings_are_run_each_by_itself() -> None:
    definition = scorecard("means", '{similar: ["您好，我是云帆软件的小何"], threshold: 0.6}')
    turns = {
        True: (ExampleTurn(Role.AGENT, "您好，我是云帆软件的小何啊"),),
        False: (ExampleTurn(Role.AGENT, "三千八百块钱不还价"),),
    }
    examples = tuple(Example(turns[holds], holds, line) for line, holds in enumerate([True, False, True]))
    definition = replace(definition, items=(replace(definition.items[0], examples=examples),))
    hear = ScorecardInspection(Counting().load).heard
    assert [one.found for one in run_examples_of(definition, Nothing(), hear)] == [True, False, True]
    assert {one.reason for one in run_examples_of(definition, Nothing())} == {"no_encoder"}
