"""Dual mono in real files: recorders that write one microphone to two channels."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from audio_files import MONO_CALL, STEREO_CALL, Encoding, encode
from numpy.typing import NDArray

from huaxiang.core.audio import WavAudio
from huaxiang.core.settings import AudioLimits
from huaxiang.ingest.decode import decode

LIMITS = AudioLimits()
LOSSY = (
    Encoding("a.mp3", "mp3", "libmp3lame", 16000, 2, bit_rate=32_000),
    Encoding("a.m4a", "ipod", "aac", 16000, 2, bit_rate=32_000),
    Encoding("a.wma", "asf", "wmav2", 16000, 2, bit_rate=48_000),
    Encoding("a.wav", "wav", "pcm_mulaw", 16000, 2),
)


def call_samples(seconds: int) -> NDArray[np.float64]:
    """The beginning of the mono demo call at 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
    with av.open(str(MONO_CALL)) as container:
        parts = [
            np.asarray(part.to_ndarray()[0])
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    return np.concatenate(parts)[: seconds * 16000] / 32768


@pytest.mark.parametrize("how", LOSSY, ids=lambda how: how.codec)
@pytest.mark.parametrize("factor", [1.0, -1.0, 0.4, 2.0])
def test_one_call_on_two_channels_is_reduced_to_the_louder(
    how: Encoding, factor: float, tmp_path: Path
) -> None:
    call = call_samples(20) * 0.4
    source = encode(tmp_path / how.name, how, np.stack([call, factor * call]))

    info = decode(source, tmp_path / "decoded.wav", LIMITS)

    assert (info.channels, info.dual_mono) == (1, True)
    audio = WavAudio(tmp_path / "decoded.wav")
    assert audio.channels == 1
    assert audio.duration_ms == info.duration_ms
    loudness = np.sqrt(np.mean(audio.read(0, 0, audio.duration_ms) ** 2))
    expected = np.sqrt(np.mean(call**2)) * max(1.0, abs(factor))
    assert 0.85 < loudness / expected < 1.15


def test_a_true_stereo_call_keeps_both_channels(tmp_path: Path) -> None:
    info = decode(STEREO_CALL, tmp_path / "decoded.wav", LIMITS)

    assert (info.channels, info.dual_mono) == (2, False)
