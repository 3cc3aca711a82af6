"""Names heard as other characters of their sound are repaired, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.asr.hotwords import Hotwords, NameRepairer, ScriptedWords
from huaxiang.asr.pronunciation import ALIKE, NEAR, OTHER, SAME, distance, syllables_of
from huaxiang.core.evidence import quote
from huaxiang.core.types import CallMetadata, Role, Transcript, Turn, Word

ORDINARY = ScriptedWords({"非常": 5000, "飞机": 900, "姐姐": 900, "是": 500_000, "给": 100_000, "再": 90_000})


def heard(text: str, confidence: float = 0.5) -> Turn:
    letters = [char for char in text if char.isalnum()]
    words = tuple(Word(200 * at, 200 * at + 200, char, confidence) for at, char in enumerate(letters))
    return Turn(0, Role.AGENT, 0, 200 * len(letters), text, "".join(letters), words=words)


def repaired(text: str, *names: str, confidence: float = 0.5) -> str:
    transcript = Transcript("call", (heard(text, confidence),), 10_000)
    return NameRepairer(names, ORDINARY).repaired(transcript)[0].turns[0].text


@pytest.mark.parametrize(
    ("first", "second", "cost"),
    [
        ("飞", "非", SAME),
        ("张", "章", SAME),
        ("张", "脏", ALIKE),
        ("班", "帮", ALIKE),
        ("南", "兰", ALIKE),
        ("飞", "灰", NEAR),
        ("妈", "大", NEAR),
        ("飞", "谷", OTHER),
    ],
)
def test_syllables_are_as_far_apart_as_they_sound(first: str, second: str, cost: float) -> None:
    assert distance(syllables_of(first)[0], syllables_of(second)[0]) == cost
    assert distance(syllables_of(second)[0], syllables_of(first)[0]) == cost


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("我们是金骨云的", "我们是金谷云的"),
        ("飞姐发过来的", "飞捷发过来的"),
        ("小规模带理记账多少钱", "小规模代理记账多少钱"),
        ("我们用飞捷", "我们用飞捷"),
    ],
)
def test_a_name_of_the_same_sound_is_put_right(said: str, read: str) -> None:
    assert repaired(said, "金谷云", "飞捷", "小规模代理记账") == read


@pytest.mark.parametrize(
    "said",
    [
        "金骨",  # a syllable is missing: nobody said the third
        "金骨，云上见",  # not across a pause
        "今天天气好",
        "飞去",  # a name of two has to sound the same
        "大骨汤",
    ],
)
def test_no_name_is_put_where_it_was_not_spoken(said: str) -> None:
    assert repaired(said, "金谷云", "飞捷") == said


def test_what_was_surely_heard_as_an_ordinary_word_stays() -> None:
    assert repaired("我坐飞机去", "飞鸡", confidence=0.95) == "我坐飞机去"
    assert repaired("我坐飞机去", "飞鸡", confidence=0.2) == "我坐飞鸡去"
    assert repaired("格是还", "格师还", confidence=0.9) == "格是还"
    assert repaired("格是还", "格师还", confidence=0.3) == "格师还"


def test_latin_names_are_repaired_where_they_were_hardly_heard() -> None:
    assert repaired("用Salesforse的", "Salesforce") == "用Salesforce的"
    assert repaired("用Salesforse的", "Salesforce", confidence=0.9) == "用Salesforse的"
    assert repaired("用Sales的", "Salesforce") == "用Sales的"


def test_raw_text_and_words_stay_and_repairs_are_counted() -> None:
    transcript = Transcript("call", (heard("我们是金骨云的。"), heard("飞姐，飞姐。")), 10_000)
    result = Hotwords(["金谷云", "飞捷"], words=ORDINARY).repaired(transcript, CallMetadata())
    assert [turn.text for turn in result.turns] == ["我们是金谷云的。", "飞捷，飞捷。"]
    assert result.quality.repaired == 3
    assert [(turn.raw_text, turn.words) for turn in result.turns] == [
        (turn.raw_text, turn.words) for turn in transcript.turns
    ]
    evidence = quote(result, 0, 3, 6)
    assert (evidence.quote, evidence.start_ms, evidence.end_ms) == ("金谷云", 600, 1200)


def test_the_sellers_name_comes_with_the_recording() -> None:
    transcript = Transcript("call", (heard("我是和小满。"),), 2_000)
    hotwords = Hotwords(words=ORDINARY)
    assert hotwords.repaired(transcript, CallMetadata(seller="何小满")).turns[0].text == "我是何小满。"
    assert hotwords.repaired(transcript, CallMetadata(seller="S-1007")) is transcript


@given(st.text("金谷骨云飞捷姐是的给再，。ab1", max_size=20), st.floats(0, 1))
def test_a_repair_keeps_the_length_and_settles_at_once(text: str, confidence: float) -> None:
    once = repaired(text, "金谷云", "飞捷", confidence=confidence)
    assert len(once) == len(text)
    assert repaired(once, "金谷云", "飞捷", confidence=confidence) == once


@pytest.mark.shared
def test_names_of_other_conversations_are_not_heard_in_a_call(shared_dir: Path) -> None:
    """Typed turns as if they were hardly heard: the hardest case for a foreign lexicon."""
    lines = (shared_dir / "corpus" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    calls = [json.loads(line) for line in lines[::5]]
    kinds = ("product", "competitor", "company")
    names = [
        {e["text"] for turn in call["turns"] for e in turn["entities"] if e["type"] in kinds}
        for call in calls
    ]
    false = pairs = 0
    for place, call in enumerate(calls):
        foreign = [name for name in names[place - 1] if name not in "".join(t["text"] for t in call["turns"])]
        turns = tuple(heard(turn["text"], 0.75) for turn in call["turns"])
        false += NameRepairer(foreign).repaired(Transcript("call", turns, 0))[1]
        pairs += 1
    assert pairs == 70
    assert false <= 2
