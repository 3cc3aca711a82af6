"""Decoded audio: what the decode step hands to the speech stage.

The decoded form of a recording is a 16 kHz 16-bit PCM WAV file with its own channels. It is made
once, read in place without loading it whole, and is what the pages play.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.errors import AudioError
from huaxiang.core.types import AudioInfo

SAMPLE_RATE = 16_000
_WAV_HEADER_BYTES = 44


class DecodedAudio(Protocol):
    """Random access to decoded audio in bounded memory."""

    channels: int
    duration_ms: int

    def read(self, channel: int, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        """Return the samples of one channel in [-1, 1) at 16 kHz, shape ``(samples,)``."""


class Decoder(Protocol):
    """Turns a recording's file into the decoded form and says what it found."""

    def __call__(self, source: Path, target: Path) -> AudioInfo:
        """Write decoded audio to ``target``; raises AudioError for what cannot be used."""


class WavAudio:
    """Decoded audio in a WAV file written by the decode step, read piece by piece.

    Nothing of it stays in memory: pages of a mapped file would count as the process's own.
    Raises AudioError where the file is not 16 kHz 16-bit PCM.
    """

    def __init__(self, path: Path) -> None:
        try:
            with wave.open(str(path), "rb") as header:
                rate, width = header.getframerate(), header.getsampwidth()
                self.channels = header.getnchannels()
                frames = header.getnframes()
        except (wave.Error, EOFError) as error:
            raise AudioError("the decoded audio cannot be read; decode the recording again") from error
        if rate != SAMPLE_RATE or width != 2:
            raise AudioError("decoded audio is 16 kHz, 16 bit")
        self._path, self._frames = path, frames
        self.duration_ms = frames * 1000 // SAMPLE_RATE

    def read(self, channel: int, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        """Return the samples of one channel in [-1, 1) at 16 kHz, shape ``(samples,)``."""
        first, last = start_ms * SAMPLE_RATE // 1000, end_ms * SAMPLE_RATE // 1000
        frame_bytes = 2 * self.channels
        samples = np.fromfile(
            self._path,
            dtype="<i2",
            count=max(min(last, self._frames) - first, 0) * self.channels,
            offset=_WAV_HEADER_BYTES + first * frame_bytes,
        )
        return np.asarray(samples.reshape(-1, self.channels)[:, channel], dtype=np.float32) / 32768.0
