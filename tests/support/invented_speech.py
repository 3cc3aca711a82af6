"""Audio and words invented for tests of the speech stage."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.types import CallMetadata, Recording, Word


class MemoryAudio:
    """Decoded audio in memory: samples of shape ``(frames, channels)`` at 16 kHz."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self.samples = samples
        self.channels = int(samples.shape[1])
        self.duration_ms = samples.shape[0] // 16

    def read(self, channel: int, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        return self.samples[start_ms * 16 : end_ms * 16, channel]


def hum(duration_ms: int, channels: int = 1, level: float = 0.1) -> MemoryAudio:
    """Audio that is loud throughout, for pipelines whose models are scripted."""
    return MemoryAudio(np.full((duration_ms * 16, channels), level, np.float32))


def invented_recording(agent_channel: int | None = None) -> Recording:
    return Recording(
        id="0190-speech",
        sha256="0" * 64,
        size_bytes=1,
        filename="a.wav",
        blob_key="recordings/a",
        source="cli",
        received_at=datetime(2026, 1, 2, tzinfo=UTC),
        metadata=CallMetadata(agent_channel=agent_channel),
    )


def words_of(text: str, start_ms: int = 0, step_ms: int = 200) -> tuple[Word, ...]:
    """One word a character, ``step_ms`` each."""
    return tuple(
        Word(start_ms + place * step_ms, start_ms + (place + 1) * step_ms, char, 0.9)
        for place, char in enumerate(text)
    )
