"""What every transcriber keeps to: Whisper, a speech server over HTTP, and the scripted twin."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from speech_server import Asked, Said, speech_server

from huaxiang.asr.speech_server import SpeechServerTranscriber
from huaxiang.asr.transcriber import Clip, Hints, ScriptedTranscriber, Transcriber, Utterance
from huaxiang.asr.whisper import WhisperOptions, WhisperTranscriber
from huaxiang.core.audio import WavAudio
from huaxiang.core.errors import ModelError
from huaxiang.core.lock import ModelLock
from huaxiang.core.model_server import ModelServer, ModelServerOptions
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest.decode import decode

CALL = Path(__file__).parents[1] / "data" / "calls" / "saas-007.mp3"
# Two turns of the call: the customer's third, and the agent's next one.
SPANS = ((1, 39_200, 42_400), (0, 44_000, 48_200))
SCRIPT = (Utterance(1, 39_367, 42_248, "那我们正式的多少"), Utterance(0, 44_244, 48_113, "团队版一个人一年"))


@cache
def whisper(folder: Path) -> WhisperTranscriber:
    return WhisperTranscriber(folder, "whisper-base@test", WhisperOptions(threads=2))


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> WavAudio:
    target = tmp_path_factory.mktemp("decoded") / "call.wav"
    decode(CALL, target, AudioLimits())
    return WavAudio(target)


def heard_by_server(asked: Asked, _: int) -> Said:
    """Answer as a server does that knows the two clips, which it tells apart by their length."""
    for (_, start_ms, end_ms), said in zip(SPANS, SCRIPT, strict=True):
        if asked.duration_ms == end_ms - start_ms:
            begin_s, step_s = (said.start_ms - start_ms) / 1000, 0.3
            words = [
                {"word": char, "start": begin_s + place * step_s, "end": begin_s + (place + 1) * step_s}
                for place, char in enumerate(said.text)
            ]
            segment = {"start": begin_s, "end": 4.0, "text": said.text, "avg_logprob": -0.3}
            return Said({"text": said.text, "words": words, "segments": [segment]})
    return Said({"text": ""})


@pytest.fixture(params=["scripted", "server", pytest.param("whisper", marks=pytest.mark.model)])
def transcriber(request: pytest.FixtureRequest) -> Iterator[Transcriber]:
    if request.param == "scripted":
        yield ScriptedTranscriber(SCRIPT)
    elif request.param == "server":
        with speech_server(heard_by_server) as server:
            options = ModelServerOptions(server.url, "HUAXIANG_RECOGNITION__SERVER")
            with ModelServer(options) as asked:
                yield SpeechServerTranscriber(asked, "paraformer")
    else:
        models_dir: Path = request.getfixturevalue("models_dir")
        yield whisper(ModelLock.load().ensure("whisper-base", models_dir))


@pytest.fixture
def clips(call: WavAudio) -> list[Clip]:
    return [Clip(call.read(channel, start, end), channel, start) for channel, start, end in SPANS]


def test_each_clip_has_one_result_in_order(transcriber: Transcriber, clips: list[Clip]) -> None:
    forward = transcriber.transcribe(clips, Hints())
    backward = transcriber.transcribe(clips[::-1], Hints())
    assert len(forward) == 2
    assert [result.text for result in forward] == [result.text for result in backward][::-1]


def test_words_are_there_in_time_within_their_clip(transcriber: Transcriber, clips: list[Clip]) -> None:
    for clip, result in zip(clips, transcriber.transcribe(clips, Hints()), strict=True):
        assert len(result.words) >= 5
        assert all(clip.start_ms <= word.start_ms <= word.end_ms <= clip.end_ms for word in result.words)
        starts = [word.start_ms for word in result.words]
        assert starts == sorted(starts)


def test_words_hold_more_than_white_space_and_a_probability(
    transcriber: Transcriber, clips: list[Clip]
) -> None:
    for result in transcriber.transcribe(clips, Hints()):
        assert all(word.text.strip() for word in result.words)
        assert all(0.0 <= word.confidence <= 1.0 for word in result.words)
        assert result.mean_log_probability <= 0.0
        assert 0.0 <= result.no_speech_probability <= 1.0
        assert result.compression_ratio > 0.0
        assert result.tokens > 0


def test_the_same_clips_give_the_same_result(transcriber: Transcriber, clips: list[Clip]) -> None:
    first = [result.words for result in transcriber.transcribe(clips, Hints())]
    assert [result.words for result in transcriber.transcribe(clips, Hints())] == first


@pytest.mark.parametrize("hints", [Hints(), Hints(thorough=True)], ids=["quickly", "thoroughly"])
def test_what_is_heard_does_not_depend_on_what_else_is_recognised_at_the_time(
    transcriber: Transcriber, clips: list[Clip], hints: Hints
) -> None:
    asked = [clips, clips[:1], clips[1:], clips[::-1]]
    alone = [list(transcriber.transcribe(these, hints)) for these in asked]
    with ThreadPoolExecutor(8) as pool:
        beside = [pool.submit(transcriber.transcribe, these, hints) for _ in range(2) for these in asked]
        assert [list(one.result()) for one in beside] == alone * 2


def test_nothing_to_hear_gives_nothing(transcriber: Transcriber) -> None:
    assert list(transcriber.transcribe([], Hints())) == []


def test_a_clip_of_no_samples_gives_no_words(transcriber: Transcriber, clips: list[Clip]) -> None:
    empty: NDArray[np.float32] = np.zeros(0, np.float32)
    results = transcriber.transcribe([Clip(empty, 0, 500), clips[0]], Hints())
    assert results[0].words == ()
    assert results[1].words


def test_it_says_which_model_it_is(transcriber: Transcriber) -> None:
    assert "@" in transcriber.name


def test_a_folder_without_tokenizer_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        WhisperTranscriber(tmp_path, "broken@0")


def test_a_folder_with_a_broken_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot be loaded"):
        WhisperTranscriber(tmp_path, "broken@0")
