"""The speech stage on real audio: a stereo call, a mono call, silence and noise."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_speech import MemoryAudio, invented_recording

from huaxiang.asr.error_rate import count_errors, joined
from huaxiang.asr.normalise import MandarinNormaliser
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.asr.voice_activity import SileroVoiceActivity
from huaxiang.asr.whisper import WhisperOptions, WhisperTranscriber
from huaxiang.core.audio import WavAudio
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import Role, Transcript
from huaxiang.ingest.decode import decode

pytestmark = pytest.mark.model
CALLS = Path(__file__).parents[1] / "data" / "calls"


@cache
def loaded(folder: Path) -> SpeechPipeline:
    transcriber = WhisperTranscriber(folder, "whisper-base@test", WhisperOptions(threads=2))
    return SpeechPipeline(transcriber, SileroVoiceActivity(), MandarinNormaliser())


@pytest.fixture
def pipeline(models_dir: Path) -> SpeechPipeline:
    return loaded(ModelLock.load().ensure("whisper-base", models_dir))


def truth(name: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = json.loads((CALLS / f"{name}.json").read_text(encoding="utf-8"))["turns"]
    return sorted(turns, key=lambda turn: turn["start_ms"])


def error_share(name: str, transcript: Transcript) -> float:
    counts = count_errors(
        joined([turn["text"] for turn in truth(name)]), joined([turn.text for turn in transcript.turns])
    )
    return counts.errors / counts.reference_characters


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decoded")
    for name in ("saas-007", "ins-009"):
        decode(CALLS / f"{name}.mp3", folder / f"{name}.wav", AudioLimits())
    return folder


def test_a_stereo_call_is_recognised_by_channel(pipeline: SpeechPipeline, decoded: Path) -> None:
    transcript = pipeline.run(invented_recording(agent_channel=0), WavAudio(decoded / "saas-007.wav"))
    share = error_share("saas-007", transcript)
    assert share < 0.25
    roles = [turn.role for turn in transcript.turns]
    assert set(roles) == {Role.AGENT, Role.CUSTOMER}
    expected = [turn["start_ms"] for turn in truth("saas-007")]
    found = np.array([turn.start_ms for turn in transcript.turns])
    off = [int(np.abs(found - start).min()) for start in expected]
    assert np.median(off) <= 200
    assert transcript.quality.mean_log_probability is not None


def test_two_calls_at_once_are_heard_word_for_word_as_one_after_the_other(
    pipeline: SpeechPipeline, decoded: Path
) -> None:
    def heard(name: str) -> Transcript:
        return pipeline.run(invented_recording(), WavAudio(decoded / f"{name}.wav"))

    names = ("saas-007", "ins-009", "saas-007")
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(heard, names)) == [heard(name) for name in names]


def test_the_seller_of_a_stereo_call_is_known_by_words_alone(pipeline: SpeechPipeline, decoded: Path) -> None:
    transcript = pipeline.run(invented_recording(), WavAudio(decoded / "saas-007.wav"))
    assert {turn.channel for turn in transcript.turns if turn.role is Role.AGENT} == {0}


def test_a_mono_call_is_recognised_without_roles(pipeline: SpeechPipeline, decoded: Path) -> None:
    transcript = pipeline.run(invented_recording(), WavAudio(decoded / "ins-009.wav"))
    assert error_share("ins-009", transcript) < 0.35
    assert {turn.role for turn in transcript.turns} == {Role.UNKNOWN}
    assert all(
        "".join(w.text for w in turn.words) == "".join(turn.raw_text.split()) for turn in transcript.turns
    )


def silence(seconds: int) -> MemoryAudio:
    return MemoryAudio(np.zeros((seconds * 16_000, 1), np.float32))


def noise(seconds: int, level: float) -> MemoryAudio:
    samples = np.random.default_rng(0).normal(0, level, (seconds * 16_000, 1))
    return MemoryAudio(np.clip(samples, -1, 1).astype(np.float32))


def ring(seconds: int) -> MemoryAudio:
    """The ringing tone of a Chinese exchange: 450 Hz, one second on, four off."""
    at = np.arange(seconds * 16_000) / 16_000
    tone = 0.2 * np.sin(2 * np.pi * 450 * at) * ((at % 5) < 1)
    return MemoryAudio(tone.astype(np.float32)[:, None])


@pytest.mark.parametrize(
    "audio",
    [silence(40), noise(40, 0.003), noise(40, 0.05), ring(40)],
    ids=["silence", "hiss", "noise", "ring"],
)
def test_where_nobody_speaks_no_words_are_made_up(pipeline: SpeechPipeline, audio: MemoryAudio) -> None:
    transcript = pipeline.run(invented_recording(), audio)
    assert transcript.turns == ()
    assert transcript.quality.no_speech_share is not None
    assert transcript.quality.no_speech_share > 0.9
