"""What Whisper writes for Mandarin: simplified script, and the words that people say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from invented_speech import invented_recording
from opencc import OpenCC

from huaxiang.asr.error_rate import CharacterErrors, count_errors, joined
from huaxiang.asr.hotwords import JiebaWords
from huaxiang.asr.language_model import SHIPPED_SENTENCES, WordTrigrams, read_sentences
from huaxiang.asr.normalise import MandarinNormaliser
from huaxiang.asr.rescoring import Rescorer
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.asr.voice_activity import SileroVoiceActivity
from huaxiang.asr.whisper import WhisperOptions, WhisperTranscriber
from huaxiang.core.audio import WavAudio
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import Transcript
from huaxiang.ingest.decode import decode

pytestmark = pytest.mark.model
CALLS = Path(__file__).parents[1] / "data" / "calls"
NAME = "ins-009"


@cache
def rescorer(*names: str) -> Rescorer:
    ordinary = JiebaWords().frequencies()
    sentences = [*read_sentences(SHIPPED_SENTENCES), *[(name,) for name in names] * 10]
    return Rescorer(WordTrigrams(sentences, ordinary), ordinary)


def transcribed(models_dir: Path, audio: Path, with_words: Rescorer | None, threads: int = 2) -> Transcript:
    folder = ModelLock.load().ensure("whisper-base", models_dir)
    whisper = WhisperTranscriber(folder, "whisper-base@test", WhisperOptions(threads=threads), with_words)
    pipeline = SpeechPipeline(whisper, SileroVoiceActivity(), MandarinNormaliser())
    return pipeline.run(invented_recording(), WavAudio(audio))


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("decoded") / f"{NAME}.wav"
    decode(CALLS / f"{NAME}.mp3", target, AudioLimits())
    return target


def errors(transcript: Transcript) -> CharacterErrors:
    turns = json.loads((CALLS / f"{NAME}.json").read_text(encoding="utf-8"))["turns"]
    said = joined([turn["text"] for turn in sorted(turns, key=lambda turn: turn["start_ms"])])
    return count_errors(said, joined([turn.text for turn in transcript.turns]))


def test_rescoring_writes_fewer_wrong_characters_and_leaves_their_number(
    models_dir: Path, audio: Path
) -> None:
    plain, rescored = transcribed(models_dir, audio, None), transcribed(models_dir, audio, rescorer())
    before, after = errors(plain), errors(rescored)
    assert after.substitutions <= 0.85 * before.substitutions
    assert abs(after.deletions - before.deletions) <= 3
    assert abs(after.insertions - before.insertions) <= 3


def test_a_name_that_it_was_told_is_written_where_it_was_said(models_dir: Path, audio: Path) -> None:
    product, stranger = "福满金", "云帆通"
    untold = transcribed(models_dir, audio, rescorer())
    told = transcribed(models_dir, audio, rescorer(product, stranger))
    assert sum(turn.text.count(product) for turn in untold.turns) == 0
    assert 1 <= sum(turn.text.count(product) for turn in told.turns) <= 2
    assert sum(turn.text.count(stranger) for turn in told.turns) == 0


def test_words_are_simplified_whatever_the_model_emits(models_dir: Path, audio: Path) -> None:
    simplifier = OpenCC("t2s")
    words = [word.text for turn in transcribed(models_dir, audio, rescorer()).turns for word in turn.words]
    assert [word for word in words if simplifier.convert(word) != word] == []


def test_one_thread_and_two_hear_nearly_the_same(models_dir: Path, audio: Path) -> None:
    # Batches are cut for the threads; padding to another length moves single characters.
    one = errors(transcribed(models_dir, audio, rescorer(), threads=1))
    two = errors(transcribed(models_dir, audio, rescorer(), threads=2))
    assert abs(one.errors - two.errors) <= 0.05 * one.reference_characters
