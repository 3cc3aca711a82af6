"""Recordings with truth: what recognition costs, those that cannot be read, and training on what is heard."""

from __future__ import annotations

import json
import wave
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from huaxiang.api.evaluation import evaluate_recordings
from huaxiang.api.hearing import read_calls, with_recordings
from huaxiang.api.pipeline import Pipeline
from huaxiang.core.audio import DecodedAudio
from huaxiang.core.errors import InvalidConversation, NotAudio
from huaxiang.core.evidence import quote
from huaxiang.core.types import (
    AudioInfo,
    Finding,
    FindingKind,
    Insights,
    Recording,
    Role,
    Scorecard,
    Transcript,
    Turn,
)
from huaxiang.nlp.conversation_file import parse_conversation
from huaxiang.nlp.training_run import TrainingData
from huaxiang.quality.heard import Heard, Told

ASKED, GREETED = "多少钱一年", "您好"
TURNS: list[dict[str, Any]] = [
    {"role": "agent", "start_ms": 0, "end_ms": 900, "text": GREETED, "acts": ["greeting"]},
    {"role": "customer", "start_ms": 1000, "end_ms": 2500, "text": ASKED, "intents": ["inquire_price"]},
]


class Speech:
    """Hears the greeting, and the question not at all."""

    def run(self, recording: Recording, audio: DecodedAudio, progress: object = None) -> Transcript:
        return Transcript(recording.id, (Turn(0, Role.AGENT, 0, 900, GREETED, GREETED),), 4000)


class Language:
    """Understands whatever it is given."""

    def run(self, transcript: Transcript, recording: Recording | None = None) -> Insights:
        labels = {GREETED: (FindingKind.ACT, "greeting"), ASKED: (FindingKind.INTENT, "inquire_price")}
        findings = tuple(
            Finding(*labels[turn.text], 0.9, "rule @ 1", (quote(transcript, place, 0, len(turn.text)),))
            for place, turn in enumerate(transcript.turns)
        )
        return Insights(findings, {})


class Inspection:
    def inspect(self, *_: object) -> tuple[Scorecard, ...]:
        return (Scorecard("x @ 1", 0, 0, ()),)

    def heard(self, transcript: Transcript, insights: Insights, told: Told | None = None) -> Heard:
        return Heard(transcript, insights, told or Told())


def _decode(source: Path, target: Path, progress: object = None) -> AudioInfo:
    if source.read_bytes() == b"broken":
        raise NotAudio(f"{source.name} holds no audio")
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000 * 4))
    return AudioInfo("pcm", 16_000, 1, duration_ms=4000)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(Language(), Inspection(), lambda *_: (), UTC, _decode, Speech())


def _write(folder: Path, name: str, audio: bytes) -> None:
    document = {"id": name, "audio": f"{name}.wav", "duration_ms": 9000, "turns": TURNS}
    (folder / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    (folder / f"{name}.wav").write_bytes(audio)


def _evaluate(folder: Path, pipeline: Pipeline) -> dict[str, Any]:
    return dict(evaluate_recordings(folder, pipeline, lambda share: None))


def test_what_was_not_heard_is_lost_from_audio_and_not_from_true_text(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    _write(tmp_path, "a", b"sound")
    report = _evaluate(tmp_path, pipeline)
    assert report["nlp"]["intents"]["micro_f1"] == 0.0
    assert report["nlp_true_text"]["intents"]["micro_f1"] == 1.0
    assert report["loss"]["intents.micro_f1"] == 1.0
    assert report["loss"]["acts.micro_f1"] == 0.0


def test_a_recording_that_cannot_be_read_is_told_and_does_not_stop_the_rest(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    _write(tmp_path, "a", b"broken")
    _write(tmp_path, "b", b"sound")
    report = _evaluate(tmp_path, pipeline)
    assert [(item["id"], item["code"]) for item in report["unreadable"]] == [("a", "not_audio")]
    assert report["nlp"]["labels"]["acts"]["greeting"]["support"] == 1


def test_speed_is_over_the_audio_that_was_processed(tmp_path: Path, pipeline: Pipeline) -> None:
    _write(tmp_path, "a", b"broken")
    _write(tmp_path, "b", b"sound")
    # the truth claims 9 s, of which the decoder found 4; the broken one counts for nothing
    assert _evaluate(tmp_path, pipeline)["speed"]["audio_s"] == 4.0


def test_nothing_but_unreadable_recordings_gives_no_figures(tmp_path: Path, pipeline: Pipeline) -> None:
    _write(tmp_path, "a", b"broken")
    assert set(_evaluate(tmp_path, pipeline)) == {"unreadable"}


def _training_data(*ids: str) -> TrainingData:
    documents = [{"id": name, "turns": TURNS} for name in ids]
    return TrainingData(tuple(parse_conversation(document) for document in documents), {"calls.jsonl": "0"})


def _with_recordings(folder: Path, data: TrainingData, told: list[float]) -> TrainingData:
    return with_recordings(data, read_calls([folder]), _decode, Speech(), told.append)


def test_training_is_given_the_recognised_turns_with_the_labels_of_the_true_ones(tmp_path: Path) -> None:
    _write(tmp_path, "a", b"sound")
    told: list[float] = []
    data = _with_recordings(tmp_path, _training_data("a", "b"), told)
    (((turn, truth),),) = data.heard.values()
    assert list(data.heard) == ["a"]
    assert turn.text == GREETED
    assert truth.acts == {"greeting"}
    assert data.sums == {"calls.jsonl": "0", "a.wav": sha256(b"sound").hexdigest()}
    assert told == [1.0]


def test_a_recording_of_a_conversation_that_is_not_trained_on_is_refused_before_any_is_heard(
    tmp_path: Path,
) -> None:
    _write(tmp_path, "a", b"sound")
    _write(tmp_path, "strange", b"sound")
    told: list[float] = []
    with pytest.raises(InvalidConversation, match="strange was heard"):
        _with_recordings(tmp_path, _training_data("a"), told)
    assert not told


def test_two_recordings_of_one_conversation_are_refused(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        _write(folder, "call", b"sound")
    with pytest.raises(InvalidConversation, match="call is there in 2 recordings"):
        read_calls(folders)
