"""``eval asr`` and ``bench asr`` with scripted recognisers: what is read, counted and printed."""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from huaxiang.asr.benchmark import benchmark_asr, peak_memory_mb
from huaxiang.asr.evaluate import evaluate_asr
from huaxiang.asr.manifest import read_labelled_audio
from huaxiang.asr.normalise import MandarinNormaliser
from huaxiang.asr.plain import mixed
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.asr.transcriber import ScriptedTranscriber, Utterance
from huaxiang.asr.voice_activity import ScriptedVoiceActivity
from huaxiang.core.audio import DecodedAudio, WavAudio
from huaxiang.core.errors import HuaxiangError, InvalidConversation, NotFound
from huaxiang.core.types import AudioInfo

HEARD = (Utterance(0, 512, 3008, "您好我是小何"), Utterance(1, 3520, 5504, "三百六每年"))


@dataclass(frozen=True)
class Parrot:
    """A plain recogniser that always hears the same."""

    said: str

    def text(self, audio: DecodedAudio) -> str:
        return self.said


def speech() -> SpeechPipeline:
    spans = tuple((heard.channel, heard.start_ms, heard.end_ms) for heard in HEARD)
    return SpeechPipeline(ScriptedTranscriber(HEARD), ScriptedVoiceActivity(spans), MandarinNormaliser())


def no_decoding(source: Path, target: Path) -> AudioInfo:
    target.write_bytes(source.read_bytes())
    with wave.open(str(target), "rb") as file:
        return AudioInfo("pcm_s16le", 16_000, file.getnchannels(), 6000)


def wav(path: Path, channels: int = 2, level: int = 3000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.full(6 * 16_000 * channels, level, "<i2").tobytes())
    return path


def truth(folder: Path, name: str, turns: list[tuple[str, int, str]]) -> None:
    wav(folder / f"{name}.ulaw.wav")
    document = {
        "id": name,
        "audio": f"{name}.ulaw.wav",
        "channels": 2,
        "agent_channel": 0,
        "turns": [{"role": role, "start_ms": start, "text": text} for role, start, text in turns],
    }
    (folder / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    calls = tmp_path / "calls"
    calls.mkdir()
    truth(calls, "right", [("customer", 3500, "三百六，每年。"), ("agent", 500, "您好，我是小何。")])
    truth(calls, "wrong", [("agent", 500, "您好，我是小张。"), ("customer", 3500, "360每年")])
    return calls


def test_a_folder_of_truths_is_read_in_the_order_in_which_turns_begin(folder: Path) -> None:
    right, wrong = read_labelled_audio(folder)
    assert (right.id, wrong.id) == ("right", "wrong")
    assert right.text.startswith("您好")
    assert right.sets == ("calls", "calls/stereo", "calls/ulaw.wav")
    assert right.channel_texts == ("您好，我是小何。", "三百六，每年。")


def test_a_manifest_is_read_relative_to_itself(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", 1)
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(
        '{"audio": "a.wav", "text": "您好"}\n\n{"audio": "a.wav", "text": ""}\n', encoding="utf-8"
    )
    for path in (manifest, tmp_path):
        (labelled,) = read_labelled_audio(path)
        assert (labelled.id, labelled.audio, labelled.text) == ("a.wav", tmp_path / "a.wav", "您好")
        assert labelled.sets == (tmp_path.name,)


def test_folders_in_a_folder_are_read_each_as_its_own_set(folder: Path) -> None:
    inner = folder / "more"
    inner.mkdir()
    wav(inner / "a.wav", 1)
    (inner / "manifest.jsonl").write_text('{"audio": "a.wav", "text": "您好"}\n', encoding="utf-8")
    sets = {name for labelled in read_labelled_audio(folder) for name in labelled.sets}
    assert {"calls", "more"} <= sets


def test_recordings_of_one_id_in_two_folders_are_told_apart(folder: Path) -> None:
    inner = folder / "more"
    inner.mkdir()
    truth(inner, "right", [("agent", 500, "您好")])
    assert [labelled.id for labelled in read_labelled_audio(folder)] == [
        "more/right.ulaw.wav",
        "calls/right.ulaw.wav",
        "wrong",
    ]


def test_what_cannot_be_read_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        read_labelled_audio(tmp_path / "absent")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NotFound, match="holds no"):
        read_labelled_audio(empty)
    (folder / "right.ulaw.wav").unlink()
    with pytest.raises(NotFound, match=r"right\.ulaw\.wav"):
        read_labelled_audio(folder)
    (folder / "wrong.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidConversation, match=r"wrong\.json"):
        read_labelled_audio(folder)
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"audio": "a.wav"}\n[]\n', encoding="utf-8")
    with pytest.raises(InvalidConversation, match="line 2"):
        read_labelled_audio(manifest)


def test_error_rates_stand_beside_those_of_the_plain_library(folder: Path) -> None:
    report = evaluate_asr(folder, speech(), {"plain": Parrot("您好我是小何三百")}, no_decoding)
    asr, speed = report["asr"], report["speed"]
    assert isinstance(asr, Mapping)
    assert isinstance(speed, Mapping)
    characters = 11  # 您好我是小何 360每年
    assert asr["cer"] == pytest.approx(1 / (2 * characters), abs=1e-4)
    assert asr["plain_cer"] == pytest.approx(7 / (2 * characters), abs=1e-4)
    assert asr["channel_cer"] == asr["cer"]
    assert asr["n"] == 2
    assert asr["worst"][0][0] == "wrong"  # type: ignore[index]
    assert set(asr["sets"]) == {"calls", "calls/stereo", "calls/ulaw.wav"}  # type: ignore[arg-type]
    assert speed["audio_s"] == 12.0
    assert speed["rtf"] > 0  # type: ignore[operator]
    assert speed["plain_rtf"] >= 0  # type: ignore[operator]


def test_a_report_holds_no_word_that_was_said(folder: Path) -> None:
    report = json.dumps(evaluate_asr(folder, speech(), {}, no_decoding), ensure_ascii=False)
    assert not any("\u4e00" <= char <= "\u9fff" for char in report)


def test_progress_is_told_to_the_end(folder: Path) -> None:
    told: list[float] = []
    evaluate_asr(folder, speech(), {}, no_decoding, told.append)
    assert told == [0.5, 1.0]


SPEED = {"rtf", "plain_rtf", "batched_rtf", "ratio", "ratio_median", "audio_s"} | {
    "packed_rtf",
    "packed_ratio",
    "packed_recordings",
}


def test_a_benchmark_gives_speed_and_error_rates_where_the_truth_is_beside(folder: Path) -> None:
    plain = {"plain": Parrot("您好我是小何三百"), "batched": Parrot("")}
    told: list[float] = []
    report = benchmark_asr(
        sorted(folder.glob("*.wav")), speech(), plain, no_decoding, repeats=2, advance=told.append, at_once=3
    )
    assert set(report) == SPEED | {"cer", "packed_cer", "plain_cer", "batched_cer", "cer_ratio"}
    assert told == [1 / 8, 2 / 8, 4 / 8, 5 / 8, 6 / 8, 1.0]
    assert report["packed_cer"] == report["cer"]
    assert report["packed_recordings"] == 3
    assert report["audio_s"] == 24.0
    assert report["batched_cer"] == 1.0
    assert report["cer_ratio"] == pytest.approx(1 / 7, abs=1e-4)


def test_a_benchmark_of_recordings_without_truth_gives_speed_alone(folder: Path) -> None:
    (folder / "wrong.json").unlink()
    plain = {"plain": Parrot(""), "batched": Parrot("")}
    assert set(benchmark_asr(sorted(folder.glob("*.wav")), speech(), plain, no_decoding)) == SPEED


def test_peak_memory_is_that_of_the_command(tmp_path: Path) -> None:
    small = peak_memory_mb([sys.executable, "-c", "pass"])
    large = peak_memory_mb([sys.executable, "-c", "b = bytearray(200_000_000); b[::4096] = b[::4096]"])
    assert 180 < large - small < 260
    with pytest.raises(HuaxiangError, match="ended with 3"):
        peak_memory_mb([sys.executable, "-c", "raise SystemExit(3)"])


def test_channels_are_mixed_for_the_plain_library(tmp_path: Path) -> None:
    audio = WavAudio(wav(tmp_path / "a.wav", 2, 16384))
    assert mixed(audio).shape == (6 * 16_000,)
    assert float(mixed(audio).max()) == pytest.approx(0.5)
