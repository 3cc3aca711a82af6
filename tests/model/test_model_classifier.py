"""The shipped weights on the locked encoder, on conversations made up for this test."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from classifier_contract import check_contract

from huaxiang.core.lock import ModelLock
from huaxiang.core.types import Role, Turn
from huaxiang.nlp.model_classifier import ModelClassifier

pytestmark = pytest.mark.model

CALL = (
    (Role.AGENT, "您好，请问是李女士吗？我是蓝橙教育的王老师，您现在说话方便吗？"),
    (Role.CUSTOMER, "方便，你说吧。"),
    (Role.AGENT, "想了解一下，孩子现在几年级，数学成绩怎么样？"),
    (Role.CUSTOMER, "五年级，八十分左右，应用题老是错，我挺发愁的。"),
    (Role.AGENT, "我们的小班课一期十二次，一共两千四百块钱。"),
    (Role.CUSTOMER, "这么贵啊！别家才一千八。"),
    (Role.AGENT, "您的顾虑我理解，我们一个班只有六个人，去年九成的孩子提了二十分以上。"),
    (Role.CUSTOMER, "能不能便宜点，再送两次课？"),
    (Role.AGENT, "那这样，周六上午十点您带孩子来试听一节，好吗？"),
    (Role.CUSTOMER, "行，那就周六上午十点。"),
    (Role.AGENT, "好的，感谢您，再见。"),
)


@pytest.fixture(scope="module")
def classifier() -> ModelClassifier:
    from huaxiang.core.settings import load_settings

    models_dir = load_settings().models_dir
    if not models_dir.is_dir():
        pytest.fail("the locked models are missing: run `huaxiang models pull`, or pytest -m 'not model'")
    lock = ModelLock.load()
    weights = lock.model("nlp-heads").files[0]
    return ModelClassifier(
        lock.ensure("multilingual-e5-small", models_dir),
        lock.ensure("nlp-heads", models_dir) / weights.path,
        f"nlp-heads @ {weights.sha256[:8]}",
    )


def _turns() -> list[Turn]:
    return [Turn(index, role, 0, 0, text) for index, (role, text) in enumerate(CALL)]


def test_the_model_keeps_the_contract(classifier: ModelClassifier) -> None:
    check_contract(classifier)


def test_a_plain_call_is_understood(classifier: ModelClassifier) -> None:
    found = classifier.classify(_turns())
    assert {"greeting", "self_intro", "permission"} <= set(found[0].chosen_acts())
    assert "need_discovery" in found[2].chosen_acts()
    assert "provide_info" in found[3].chosen_intents()
    assert "quote" in found[4].chosen_acts()
    assert found[5].chosen_objection() in ("price", "competitor")
    assert {"objection_handling", "empathy", "value_evidence"} & set(found[6].chosen_acts())
    assert "negotiate" in found[7].chosen_intents()
    assert "next_step" in found[8].chosen_acts()
    assert "agree_next_step" in found[9].chosen_intents()
    assert "farewell" in found[10].chosen_acts()
    assert not any(
        act in labels.chosen_acts() for labels in found for act in ("rude", "disparage", "overpromise")
    )


def test_speakers_that_nobody_named_are_mostly_told_apart(classifier: ModelClassifier) -> None:
    turns = _turns()
    unknown = [replace(turn, role=Role.UNKNOWN, role_confidence=0.5) for turn in turns]
    right = [
        (labels.customer_probability > 0.5) == (turn.role is Role.CUSTOMER)
        for turn, labels in zip(turns, classifier.classify(unknown), strict=True)
    ]
    assert sum(right) >= 8


def test_the_words_that_ask_the_price_are_the_evidence(classifier: ModelClassifier) -> None:
    text = "嗯好的我了解了，我们公司一共二十个人，那你们这个多少钱一年？"
    turns = [replace(turn, text=text) if turn.index == 3 else turn for turn in _turns()]
    (price,) = [score for score in classifier.classify(turns)[3].intents if score.label == "inquire_price"]
    assert price.chosen
    assert "多少钱" in text[price.char_start : price.char_end]
    assert price.char_end - price.char_start < len(text)


@pytest.mark.slow
def test_reading_whole_conversations_is_much_faster_than_turn_by_turn(classifier: ModelClassifier) -> None:
    turns = [replace(turn, index=place) for place, turn in enumerate(_turns() * 12)]
    classifier.classify(turns[:11])
    started = time.perf_counter()
    classifier.classify(turns)
    together = time.perf_counter() - started
    alone = _one_at_a_time(classifier, turns[:22]) * len(turns) / 22
    assert alone / together >= 3.0, f"{len(turns) / together:.0f} turns/s"


def _one_at_a_time(classifier: ModelClassifier, turns: list[Turn]) -> float:
    started = time.perf_counter()
    for place in range(len(turns)):
        classifier.classify(turns[max(0, place - 4) : place + 1])
    return time.perf_counter() - started
