"""Typed conversations made to look like recognised ones."""

from __future__ import annotations

import random

import pytest

from huaxiang.core.types import Role, Turn
from huaxiang.nlp.conversation_file import TurnTruth
from huaxiang.nlp.noise import Homophones, NoiseLevel, damage, join_truths

LINES = ("您好，请问是王总吗？", "是的，什么事。", "一年三千块，是不是是时事")
HOMOPHONES = Homophones(LINES)
NONE = NoiseLevel(homophones=0, punctuation=0, digits=0, merges=0)


def _labelled(*roles: Role) -> list[tuple[Turn, TurnTruth]]:
    return [
        (Turn(place, role, 0, 0, LINES[place]), TurnTruth(intents=frozenset({f"i{place}"})))
        for place, role in enumerate(roles)
    ]


def _damaged(level: NoiseLevel, *roles: Role, seed: int = 1) -> list[tuple[Turn, TurnTruth]]:
    return damage(_labelled(*roles), level, HOMOPHONES, random.Random(seed))


def test_no_noise_changes_nothing() -> None:
    roles = (Role.AGENT, Role.CUSTOMER, Role.AGENT)
    assert _damaged(NONE, *roles) == _labelled(*roles)


def test_characters_are_mistaken_for_others_that_sound_alike_and_counts_stay() -> None:
    level = NoiseLevel(homophones=1.0, punctuation=0, digits=0, merges=0)
    ((turn, _),) = _damaged(level, Role.AGENT)
    assert len(turn.text) == len(LINES[0])
    assert turn.text != LINES[0]
    assert HOMOPHONES.replace("是", random.Random(1)) in "事时什"


def test_a_character_without_a_double_stays() -> None:
    assert HOMOPHONES.replace("块", random.Random(1)) == "块"
    assert HOMOPHONES.replace("A", random.Random(1)) == "A"


def test_punctuation_is_lost() -> None:
    level = NoiseLevel(homophones=0, punctuation=1.0, digits=0, merges=0)
    assert [turn.text for turn, _ in _damaged(level, Role.AGENT, Role.CUSTOMER)] == [
        "您好请问是王总吗",
        "是的什么事",
    ]


def test_numbers_come_as_digits() -> None:
    level = NoiseLevel(homophones=0, punctuation=0, digits=1.0, merges=0)
    assert _damaged(level, Role.AGENT, Role.CUSTOMER, Role.AGENT)[2][0].text.startswith("一年3000块")


@pytest.mark.parametrize("numeral", ["一亿一", "二十零", "三四十"])
def test_a_numeral_that_has_no_single_value_stays(numeral: str) -> None:
    level = NoiseLevel(homophones=0, punctuation=0, digits=1.0, merges=0)
    turn = Turn(0, Role.AGENT, 0, 0, f"报价{numeral}。")
    ((damaged, _),) = damage([(turn, TurnTruth())], level, HOMOPHONES, random.Random(1))
    assert damaged.text == turn.text


def test_turns_of_one_speaker_run_together_and_keep_all_labels() -> None:
    level = NoiseLevel(homophones=0, punctuation=0, digits=0, merges=1.0)
    merged = _damaged(level, Role.CUSTOMER, Role.CUSTOMER, Role.AGENT)
    assert [(turn.index, turn.role) for turn, _ in merged] == [(0, Role.CUSTOMER), (1, Role.AGENT)]
    assert merged[0][0].text == LINES[0] + LINES[1]
    assert merged[0][1].intents == {"i0", "i1"}


def test_the_same_seed_gives_the_same_damage() -> None:
    roles = (Role.AGENT, Role.AGENT, Role.CUSTOMER)
    assert _damaged(NoiseLevel(), *roles, seed=5) == _damaged(NoiseLevel(), *roles, seed=5)


@pytest.mark.parametrize(
    ("first", "second", "joined"), [("neutral", "negative", "negative"), ("positive", "negative", "positive")]
)
def test_a_mood_outlasts_neutrality(first: str, second: str, joined: str) -> None:
    assert join_truths(TurnTruth(sentiment=first), TurnTruth(sentiment=second)).sentiment == joined
