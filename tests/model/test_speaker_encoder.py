"""What every speaker encoder keeps to, and what the real one does on recordings of people."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from invented_voices import CUSTOMER_HZ, SELLER_HZ, spoken

from huaxiang.asr.diarization import Diarizer
from huaxiang.asr.ge2e import Ge2eSpeakerEncoder, mel_bands
from huaxiang.asr.speaker_encoder import ScriptedSpeakerEncoder, SpeakerEncoder
from huaxiang.asr.speaker_scores import ErrorSeconds, diarization_error
from huaxiang.asr.speaker_truth import read_labelled_speakers
from huaxiang.asr.voice_activity import SileroVoiceActivity
from huaxiang.core.audio import WavAudio
from huaxiang.core.errors import ModelCorrupt
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest.decode import decode

pytestmark = pytest.mark.model
CALL = Path(__file__).parents[1] / "data" / "calls" / "ins-009.mp3"


@cache
def loaded(folder: Path) -> Ge2eSpeakerEncoder:
    return Ge2eSpeakerEncoder(folder / "pretrained.pt", "ge2e-speaker@test")


@pytest.fixture
def ge2e(models_dir: Path) -> Ge2eSpeakerEncoder:
    return loaded(ModelLock.load().ensure("ge2e-speaker", models_dir))


@pytest.fixture(params=["ge2e", "scripted"])
def encoder(request: pytest.FixtureRequest) -> SpeakerEncoder:
    return ScriptedSpeakerEncoder() if request.param == "scripted" else request.getfixturevalue("ge2e")


def tone(pitch: int, duration_ms: int = 1600, level: float = 0.2) -> np.ndarray:
    return spoken([(0, duration_ms, pitch)], duration_ms, level).read(0, 0, duration_ms)


def test_vectors_have_length_one_whatever_the_length_of_a_clip(encoder: SpeakerEncoder) -> None:
    vectors = encoder.embed([tone(SELLER_HZ, length) for length in (300, 700, 1600, 2500)])
    assert vectors.shape == (4, encoder.dimensions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)


def test_a_vector_does_not_depend_on_what_is_embedded_beside_it(encoder: SpeakerEncoder) -> None:
    clips = [tone(SELLER_HZ), tone(CUSTOMER_HZ, 700), tone(CUSTOMER_HZ, 2500)]
    together = encoder.embed(clips)
    alone = np.concatenate([encoder.embed([clip]) for clip in clips])
    assert float(np.min(np.sum(together * alone, axis=1))) > 0.999


def test_loudness_does_not_matter(encoder: SpeakerEncoder) -> None:
    quiet, loud = encoder.embed([tone(SELLER_HZ, level=0.002), tone(SELLER_HZ, level=0.8)])
    assert float(quiet @ loud) > 0.999


def test_silence_and_nothing_give_zeros(encoder: SpeakerEncoder) -> None:
    vectors = encoder.embed([np.zeros(16_000, np.float32), np.zeros(0, np.float32), tone(SELLER_HZ)])
    assert not vectors[:2].any()
    assert vectors[2].any()
    assert encoder.embed([]).shape == (0, encoder.dimensions)


def test_one_voice_is_nearer_to_itself_than_to_the_other(ge2e: Ge2eSpeakerEncoder, tmp_path: Path) -> None:
    decode(CALL, tmp_path / "call.wav", AudioLimits())
    audio = WavAudio(tmp_path / "call.wav")
    # Two stretches of the seller, two of the customer (see the call's truth).
    spans = ((15_900, 20_400), (47_100, 55_300), (27_500, 36_300), (76_400, 81_800))
    means = [
        ge2e.embed([audio.read(0, at, at + 1600) for at in range(start, end - 1600, 800)]).mean(axis=0)
        for start, end in spans
    ]
    voices = np.stack([mean / np.linalg.norm(mean) for mean in means])
    cosines = voices @ voices.T
    assert min(cosines[0, 1], cosines[2, 3]) > max(cosines[:2, 2:].flat)


def test_the_threads_of_torch_are_given_back(ge2e: Ge2eSpeakerEncoder) -> None:
    before = torch.get_num_threads()
    ge2e.embed([tone(SELLER_HZ)])
    assert torch.get_num_threads() == before


def test_a_file_of_other_weights_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"model_state": {}}, tmp_path / "pretrained.pt")
    with pytest.raises(ModelCorrupt, match=r"pretrained\.pt"):
        Ge2eSpeakerEncoder(tmp_path / "pretrained.pt", "x")
    (tmp_path / "pretrained.pt").write_bytes(b"no weights")
    with pytest.raises(ModelCorrupt):
        Ge2eSpeakerEncoder(tmp_path / "pretrained.pt", "x")


def test_the_mel_filters_have_the_area_of_slaneys(models_dir: Path) -> None:
    bands = mel_bands()
    assert bands.shape == (40, 201)
    assert np.all(bands >= 0)
    # Each filter is a triangle of area 1 over Hz, sampled every 40 Hz; the narrow ones coarsely.
    assert np.allclose(bands[20:].sum(axis=1) * 40.0, 1.0, atol=0.05)


def _pooled(folder: Path, encoder: Ge2eSpeakerEncoder, tmp_path: Path) -> ErrorSeconds:
    total = ErrorSeconds()
    for one in read_labelled_speakers(folder):
        decode(one.audio, tmp_path / "decoded.wav", AudioLimits())
        audio = WavAudio(tmp_path / "decoded.wav")
        if audio.channels == 1:
            heard = SileroVoiceActivity().probabilities(audio, 0)
            told = Diarizer(encoder).diarize(audio, 0, heard)
            total += diarization_error(one.spoken, told.segments, audio.duration_ms)
    return total


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "bar"), [("real/dialogue_en", 0.12), ("synth", 0.05)])
def test_the_error_of_one_channel_stays_under_its_bar(
    folder: str, bar: float, ge2e: Ge2eSpeakerEncoder, shared_dir: Path, tmp_path: Path
) -> None:
    assert _pooled(shared_dir / "audio" / folder, ge2e, tmp_path).rate <= bar
