"""The outline of audio has the loudest sample of each stretch."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from huaxiang.api.http.peaks import peaks_of, stored_peaks
from huaxiang.core.blobs import MemoryBlobs


class ArrayAudio:
    """Decoded audio in an array of shape (samples, channels)."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._samples = samples
        self.channels = samples.shape[1]
        self.duration_ms = samples.shape[0] * 1000 // 16_000

    def read(self, channel: int, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        return self._samples[start_ms * 16 : end_ms * 16, channel]


@given(
    duration_ms=st.integers(1, 3000),
    points=st.integers(1, 500),
    loud=st.lists(st.integers(0, 2999), max_size=5),
    channels=st.integers(1, 2),
)
@settings(deadline=None)
def test_each_peak_is_the_loudest_sample_of_its_stretch(
    duration_ms: int, points: int, loud: list[int], channels: int
) -> None:
    samples = np.zeros((duration_ms * 16, channels), dtype=np.float32)
    for position_ms in loud:
        samples[(position_ms % duration_ms) * 16, 0] = -0.5
    found = peaks_of(ArrayAudio(samples), points)
    assert len(found) == channels
    count = len(found[0])
    assert count == min(points, len(samples))
    expected = [0.0] * count
    for position in np.flatnonzero(samples[:, 0]):
        expected[int(position) * count // len(samples)] = 0.5
    assert found[0] == expected


def test_a_long_recording_is_read_in_blocks_that_join(tmp_path: Path) -> None:
    samples = np.zeros((16 * 130_000, 1), dtype=np.float32)
    samples[16 * 60_000 - 1], samples[16 * 60_000], samples[-1] = 0.25, 0.5, 1.0
    found = peaks_of(ArrayAudio(samples), 7)[0]
    assert max(found) == 1.0
    assert found[-1] == 1.0
    assert found[3] == 0.5
    assert sum(value > 0 for value in found) == 2


def test_peaks_are_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.array([[0, 16384]] * 1600, dtype="<i2").tobytes())
    blobs = MemoryBlobs()
    blobs.put("decoded/a.wav", [path.read_bytes()])
    first = stored_peaks(blobs, "decoded/a.wav")
    blobs.delete("decoded/a.wav")
    assert stored_peaks(blobs, "decoded/a.wav") == first
    assert first.startswith(b'{"duration_ms":100,"peaks":[[0.0,')


def test_audio_without_a_sample_has_one_flat_point() -> None:
    assert peaks_of(ArrayAudio(np.zeros((0, 1), dtype=np.float32))) == [[0.0]]
