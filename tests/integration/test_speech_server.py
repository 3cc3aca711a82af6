"""A recogniser behind HTTP: what it is sent, what is made of its answers, and how it may fail."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from speech_server import Asked, Said, SpeechServer, speech_server

from huaxiang.asr.server_answer import UNTOLD_CONFIDENCE, read_answer
from huaxiang.asr.speech_server import SpeechServerTranscriber
from huaxiang.asr.transcriber import Clip, Hints
from huaxiang.core.errors import (
    ConfigurationError,
    HuaxiangError,
    InvalidInput,
    ModelError,
    ModelUnavailable,
)
from huaxiang.core.model_server import ModelServer, ModelServerOptions
from huaxiang.core.settings import load_settings

KEY = "a-key-that-is-never-told"
SECRET_TEXT = "谁也不能看到的话"
CLIP = Clip(np.zeros(32_000, np.float32), 0, 5_000)
OTHER = Clip(np.zeros(16_000, np.float32), 0, 9_000)
WORDS = {
    "text": "您好，王总。ok吗？",
    "words": [
        {"word": "您好", "start": 0.1, "end": 0.5, "probability": 0.9},
        {"word": "王总", "start": 0.7, "end": 1.1},
        {"word": "ok", "start": 1.2, "end": 1.5},
        {"word": "吗", "start": 1.5, "end": 9.0},
    ],
    "segments": [
        {"start": 0.0, "end": 2.0, "text": "您好，王总。ok吗？", "avg_logprob": -0.5, "no_speech_prob": 0.1}
    ],
}


@contextmanager
def asker(server: SpeechServer, **options: Any) -> Iterator[SpeechServerTranscriber]:
    waited: list[float] = []
    chosen: dict[str, Any] = {
        "url": server.url,
        "setting": "HUAXIANG_RECOGNITION__SERVER",
        "key": KEY,
        "timeout_s": 5.0,
        "attempts": 4,
    }
    own = {name: options.pop(name) for name in ("send_hotwords", "concurrency") if name in options}
    chosen |= options | {"connections": own.get("concurrency", 2)}
    with ModelServer(ModelServerOptions(**chosen), sleep=waited.append) as asked:
        transcriber = SpeechServerTranscriber(asked, "paraformer", **own)
        transcriber.waited = waited  # type: ignore[attr-defined]
        yield transcriber


def always(body: dict[str, Any] | bytes, **said: Any) -> Callable[[Asked, int], Said]:
    return lambda _asked, _place: Said(body, **said)


def test_a_clip_goes_as_a_nameless_wav_with_language_and_key() -> None:
    with speech_server(always(WORDS)) as server, asker(server) as transcriber:
        transcriber.transcribe([CLIP], Hints("zh", ("云帆",)))
    (asked,) = server.asked
    assert (asked.path, asked.filename) == ("/v1/audio/transcriptions", "clip.wav")
    assert (asked.sample_rate, asked.channels, asked.duration_ms) == (16_000, 1, 2_000)
    assert asked.authorization == f"Bearer {KEY}"
    assert asked.fields == {
        "model": ["paraformer"],
        "language": ["zh"],
        "temperature": ["0"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word", "segment"],
    }


def test_hotwords_leave_the_machine_only_where_that_is_switched_on() -> None:
    with speech_server(always(WORDS)) as server, asker(server, send_hotwords=True) as transcriber:
        transcriber.transcribe([CLIP], Hints("zh", ("云帆CRM", "金谷云")))
    assert server.asked[0].fields["prompt"] == ["云帆CRM、金谷云"]


def test_words_get_their_marks_back_and_stay_within_the_clip() -> None:
    with speech_server(always(WORDS)) as server, asker(server) as transcriber:
        (result,) = transcriber.transcribe([CLIP], Hints())
    assert [word.text for word in result.words] == ["您好，", "王总。", "ok", "吗？"]
    assert result.text == WORDS["text"]
    assert (result.words[0].start_ms, result.words[0].end_ms) == (5_100, 5_500)
    assert result.words[-1].end_ms == CLIP.end_ms
    assert result.words[0].confidence == 0.9
    assert result.words[1].confidence == pytest.approx(np.exp(-0.5))
    assert result.mean_log_probability == pytest.approx(-0.5)


def test_without_words_a_segment_is_shared_among_its_characters() -> None:
    body = {"text": "您好王总", "segments": [{"start": 0.4, "end": 1.2, "text": "您好王总"}]}
    with speech_server(always(body)) as server, asker(server) as transcriber:
        (result,) = transcriber.transcribe([CLIP], Hints())
    assert [(word.start_ms, word.end_ms, word.text) for word in result.words] == [
        (5_400, 5_600, "您"), (5_600, 5_800, "好"), (5_800, 6_000, "王"), (6_000, 6_200, "总"),
    ]  # fmt: skip
    assert {word.confidence for word in result.words} == {UNTOLD_CONFIDENCE}


def test_a_server_that_gives_text_alone_is_asked_for_no_more_and_remembered() -> None:
    def plain(asked: Asked, _: int) -> Said:
        if asked.fields["response_format"] == ["verbose_json"]:
            return Said({"error": {"message": "no"}}, status=400)
        return Said({"text": "您好王总"})

    with speech_server(plain) as server, asker(server, concurrency=1) as transcriber:
        results = transcriber.transcribe([CLIP, CLIP], Hints())
    assert [result.text for result in results] == ["您好王总"] * 2
    assert (results[0].words[0].start_ms, results[0].words[-1].end_ms) == (CLIP.start_ms, CLIP.end_ms)
    assert [asked.fields["response_format"][0] for asked in server.asked] == ["verbose_json", "json", "json"]


@pytest.mark.parametrize(
    "words",
    [
        [{"word": "完全", "start": 0, "end": 1}],
        [{"word": "您好", "start": 0, "end": 1}],  # the rest of the text would be lost
    ],
)
def test_words_that_do_not_fit_the_text_are_not_believed(words: list[dict[str, Any]]) -> None:
    with speech_server(always({"text": "您好王总", "words": words})) as server, asker(server) as transcriber:
        (result,) = transcriber.transcribe([CLIP], Hints())
    assert result.text == "您好王总"
    assert len(result.words) == 4


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_passing_failures_are_tried_again_with_growing_waits(status: int) -> None:
    def third_time(_: Asked, place: int) -> Said:
        return Said({}, status=status) if place < 2 else Said(WORDS)

    with speech_server(third_time) as server, asker(server, backoff_s=0.25) as transcriber:
        (result,) = transcriber.transcribe([CLIP], Hints())
    assert result.text == WORDS["text"]
    assert transcriber.waited == [0.25, 0.5]  # type: ignore[attr-defined]


def test_the_servers_own_wish_to_wait_is_heeded_within_reason() -> None:
    def busy(_: Asked, place: int) -> Said:
        return (
            Said({}, status=429, headers={"Retry-After": ("7", "86400")[place]}) if place < 2 else Said(WORDS)
        )

    with speech_server(busy) as server, asker(server) as transcriber:
        transcriber.transcribe([CLIP], Hints())
    assert transcriber.waited == [7.0, 30.0]  # type: ignore[attr-defined]


def test_a_server_that_stays_down_is_unavailable_after_the_attempts() -> None:
    with speech_server(always({}, status=500)) as server, asker(server, attempts=3) as transcriber:
        with pytest.raises(ModelUnavailable, match="answers 500"):
            transcriber.transcribe([CLIP], Hints())
        assert len(server.asked) == 3


def test_nobody_at_the_address_is_unavailable() -> None:
    with speech_server(always(WORDS)) as server:
        pass
    with asker(server, attempts=2) as transcriber, pytest.raises(ModelUnavailable, match="cannot be reached"):
        transcriber.transcribe([CLIP], Hints())


@pytest.mark.parametrize("slow", [{"delay_s": 1.0}, {"drip_s": 0.05}], ids=["silent", "dripping"])
def test_a_slow_server_is_given_up_in_time(slow: dict[str, float]) -> None:
    with (
        speech_server(always(WORDS, **slow)) as server,
        asker(server, timeout_s=0.2, attempts=1) as transcriber,
    ):
        began = time.monotonic()
        with pytest.raises(ModelUnavailable, match="answer"):
            transcriber.transcribe([CLIP], Hints())
        assert time.monotonic() - began < 0.9


@pytest.mark.parametrize(
    "body",
    [
        b"<html>" + SECRET_TEXT.encode(),
        b"\xff\xfe",
        b"[]",
        b'{"text": 5}',
        b'{"words": []}',
        b'{"text": "a", "words": [{"start": 0}]}',
        b'{"text": "a", "words": [{"word": "a", "start": "x", "end": 1}]}',
        b'{"text": "a", "segments": [{"text": "a", "start": 1e999, "end": 2}]}',
        b'{"text": "a", "segments": "many"}',
        b'{"text": "a", "segments": [{"text": "a", "start": 0, "end": 1, "avg_logprob": NaN}]}',
    ],
)
def test_an_answer_in_another_form_is_a_typed_error_that_does_not_repeat_it(body: bytes) -> None:
    with speech_server(always(body)) as server, asker(server) as transcriber:
        with pytest.raises(ModelError) as caught:
            transcriber.transcribe([CLIP], Hints())
        assert len(server.asked) == 1
    assert SECRET_TEXT not in caught.value.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ConfigurationError),
        (403, ConfigurationError),
        (404, ConfigurationError),
        (413, ModelError),
        (302, ModelError),
    ],
)
def test_a_refusal_is_not_tried_again_and_names_the_cure(status: int, kind: type[HuaxiangError]) -> None:
    headers = {"Location": "http://127.0.0.1:9/v1"} if status == 302 else {}
    with (
        speech_server(always({"error": SECRET_TEXT}, status=status, headers=headers)) as server,
        asker(server) as transcriber,
    ):
        with pytest.raises(kind) as caught:
            transcriber.transcribe([CLIP], Hints())
        assert len(server.asked) == 1
    assert SECRET_TEXT not in caught.value.message


def test_an_endless_answer_is_cut_off() -> None:
    with (
        speech_server(always(b"{" + b" " * (5 * 1024**2))) as server,
        asker(server) as transcriber,
        pytest.raises(ModelError, match="without end"),
    ):
        transcriber.transcribe([CLIP], Hints())


def test_requests_are_bounded_and_results_keep_the_order_of_the_clips() -> None:
    def by_length(asked: Asked, _: int) -> Said:
        return Said({"text": "长" if asked.duration_ms == CLIP.duration_ms else "短"}, delay_s=0.03)

    with speech_server(by_length) as server, asker(server, concurrency=3) as transcriber:
        results = transcriber.transcribe([CLIP, OTHER] * 6, Hints())
    assert [result.text for result in results] == ["长", "短"] * 6
    assert 1 < server.most_open <= 3


def test_recordings_at_once_keep_to_the_bound_and_none_loses_time_by_waiting_its_turn() -> None:
    with (
        speech_server(always(WORDS, delay_s=0.4)) as server,
        asker(server, concurrency=1, timeout_s=1.0, attempts=1) as transcriber,
        ThreadPoolExecutor(4) as pool,
    ):
        asked = [pool.submit(transcriber.transcribe, [CLIP], Hints()) for _ in range(4)]
        assert all(len(one.result()[0].words) == 4 for one in asked)
        assert server.most_open == 1


def test_a_clip_over_the_bound_is_refused_before_anything_is_sent() -> None:
    with (
        speech_server(always(WORDS)) as server,
        asker(server) as transcriber,
        pytest.raises(InvalidInput),
    ):
        transcriber.transcribe([Clip(np.zeros(31 * 16_000, np.float32), 0, 0)], Hints())
    assert server.asked == []


def test_key_text_and_names_stay_out_of_logs_and_reprs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"text": SECRET_TEXT}
    with speech_server(always(body)) as server, asker(server, send_hotwords=True) as transcriber:
        transcriber.transcribe([CLIP], Hints("zh", ("绝密产品",)))
        told = caplog.text + repr(transcriber) + repr(ModelServerOptions(server.url, "S", key=KEY))
    assert not [secret for secret in (KEY, SECRET_TEXT, "绝密产品") if secret in told]


@settings(deadline=None)
@given(st.text("您好王总ab1 ,.?!，。？、'%", max_size=30))
def test_text_alone_is_kept_whole_and_in_time(text: str) -> None:
    result = read_answer({"text": text}, CLIP)
    if any(char.isalnum() for char in text):
        assert result.text.strip() == text.strip()
    starts = [word.start_ms for word in result.words]
    assert starts == sorted(starts)
    assert all(word.text.strip() and word.end_ms <= CLIP.end_ms for word in result.words)


def test_the_network_is_off_as_it_comes_and_a_server_has_to_be_named_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings().recognition.backend == "local"
    monkeypatch.setenv("HUAXIANG_RECOGNITION__BACKEND", "server")
    with pytest.raises(ConfigurationError, match=r"server\.url"):
        load_settings()
    monkeypatch.setenv("HUAXIANG_RECOGNITION__SERVER__MODEL", "paraformer")
    for bad in ("ftp://there/v1", "https://user:pass@there/v1", "there"):
        monkeypatch.setenv("HUAXIANG_RECOGNITION__SERVER__URL", bad)
        with pytest.raises(ConfigurationError, match="url"):
            load_settings()
    monkeypatch.setenv("HUAXIANG_RECOGNITION__SERVER__URL", "https://there/v1")
    monkeypatch.setenv("HUAXIANG_RECOGNITION__SERVER__KEY", KEY + "\n")
    monkeypatch.setenv("HUAXIANG_RECOGNITION__SERVER__PROXY", f"http://user:{KEY}@proxy:3128")
    chosen = load_settings().recognition.server
    assert KEY not in repr(chosen)
    assert chosen.key is not None
    assert chosen.key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("name", "value"), [("KEY", KEY + "é"), ("KEY", KEY + "\nX-Other: 1"), ("PROXY", f"{KEY}:3128")]
)
def test_a_key_or_proxy_that_cannot_be_used_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HUAXIANG_RECOGNITION__SERVER__{name}", value)
    with pytest.raises(ConfigurationError, match=rf"server\.{name.lower()}") as caught:
        load_settings()
    assert KEY not in caught.value.message
