"""Text that a recogniser invents is removed and counted; what people say is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_speech import words_of

from huaxiang.asr.guards import Drop, GuardOptions, judge, loudest_dbfs, without_loops
from huaxiang.asr.transcriber import ClipTranscript

LOUD = np.full(16_000, 0.1, np.float32)
OPTIONS = GuardOptions()


def heard(text: str, **figures: float) -> ClipTranscript:
    return ClipTranscript(words=words_of(text), mean_log_probability=-0.3, tokens=len(text), **figures)


@pytest.mark.parametrize(
    "invented",
    [
        "字幕由Amara.org社区提供",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "优优独播剧场——YoYo Television",
        "字幕志愿者 杨茜茜",
        "以下是普通话的句子。",
        "这位是普通话的句子。",
        " 以下是普通的句子。",
    ],
)
def test_what_nobody_says_to_a_customer_is_dropped_however_sure_the_model_is(invented: str) -> None:
    judged = judge(heard(invented), LOUD, OPTIONS)
    assert judged.words == ()
    assert judged.dropped == {Drop.KNOWN_PHRASE: 1}


def test_an_invented_sentence_leaves_what_was_said_before_it() -> None:
    said = words_of("三百六一年")
    both = ClipTranscript((*said, *words_of("字幕由志愿者提供", 2000)), -0.3, tokens=13)
    judged = judge(both, LOUD, OPTIONS)
    assert judged.words == said
    assert judged.dropped == {Drop.KNOWN_PHRASE: 1}


@pytest.mark.parametrize("text", ["谢谢大家收看", "再见", "请点赞"])
def test_what_is_seldom_said_is_dropped_only_where_the_model_doubts_speech(text: str) -> None:
    assert judge(heard(text, no_speech_probability=0.5), LOUD, OPTIONS).dropped == {Drop.KNOWN_PHRASE: 1}
    assert judge(heard(text, no_speech_probability=0.05), LOUD, OPTIONS).words == words_of(text)


def test_a_sentence_about_subscribing_is_kept_even_under_doubt() -> None:
    text = "我们帮您做账号，让更多人点赞和订阅"
    assert judge(heard(text, no_speech_probability=0.5), LOUD, OPTIONS).words == words_of(text)


def test_unsure_words_in_what_seems_no_speech_are_dropped() -> None:
    unsure = ClipTranscript(words_of("好像"), -1.4, no_speech_probability=0.8, tokens=2)
    sure = ClipTranscript(words_of("好像"), -0.4, no_speech_probability=0.8, tokens=2)
    assert judge(unsure, LOUD, OPTIONS).dropped == {Drop.NO_SPEECH: 1}
    assert judge(sure, LOUD, OPTIONS).dropped == {}


def test_words_in_digital_silence_are_dropped() -> None:
    judged = judge(heard("您好"), np.zeros(16_000, np.float32), OPTIONS)
    assert judged.dropped == {Drop.SILENCE: 1}


def test_text_that_compresses_too_well_is_dropped() -> None:
    endless = "".join(f"我们这边{place}" for place in range(9)) * 3
    assert judge(heard(endless), LOUD, GuardOptions(compression_ratio=2.0)).dropped == {Drop.COMPRESSION: 1}
    assert judge(heard("没完没了的"), LOUD, OPTIONS).dropped == {}


def test_a_loop_is_cut_back_to_one_and_what_surrounds_it_stays() -> None:
    judged = judge(heard("您好" + "我们这边" * 6 + "再见"), LOUD, OPTIONS)
    assert "".join(word.text for word in judged.words) == "您好我们这边再见"
    assert judged.dropped == {Drop.REPETITION: 1}


@pytest.mark.parametrize("said", ["对对对对对", "好的好的好的好的", "一三八八八八八八八八零", "哈哈哈哈哈哈"])
def test_what_people_repeat_is_no_loop(said: str) -> None:
    assert without_loops(words_of(said)) == (words_of(said), 0)


@settings(deadline=None)
@given(st.text("好的对吗", max_size=80))
def test_cutting_loops_keeps_the_order_of_words_and_is_done_after_once(text: str) -> None:
    words = words_of(text)
    kept, _ = without_loops(words)
    assert list(kept) == sorted(kept, key=lambda word: word.start_ms)
    assert set(kept) <= set(words)
    assert (kept == words) == (len(kept) == len(words))


def test_no_words_are_nothing_to_drop() -> None:
    assert judge(ClipTranscript(no_speech_probability=0.99), LOUD, OPTIONS).dropped == {}


def test_the_loudest_frame_tells_the_level() -> None:
    silence_then_tone = np.concatenate([np.zeros(16_000, np.float32), np.full(320, 0.1, np.float32)])
    assert loudest_dbfs(silence_then_tone) == pytest.approx(-20.0, abs=0.01)
    assert loudest_dbfs(np.zeros(5, np.float32)) == -120.0
    assert loudest_dbfs(np.zeros(0, np.float32)) == -120.0
