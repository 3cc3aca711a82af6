"""Voices invented for tests: tones that the scripted encoder tells apart by pitch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from invented_speech import MemoryAudio
from numpy.typing import NDArray

from huaxiang.asr.voice_activity import ScriptedVoiceActivity

SELLER_HZ, CUSTOMER_HZ, COMPANION_HZ = 250, 650, 1050
Said = tuple[int, int, int]  # start_ms, end_ms, pitch in Hz


def spoken(said: Sequence[Said], duration_ms: int, level: float = 0.2) -> MemoryAudio:
    """One channel on which each stretch is a tone of its pitch."""
    samples = np.zeros(duration_ms * 16, np.float32)
    for start_ms, end_ms, pitch in said:
        time_s = np.arange((end_ms - start_ms) * 16) / 16_000
        samples[start_ms * 16 : end_ms * 16] += level * np.sin(2 * np.pi * pitch * time_s, dtype=np.float64)
    return MemoryAudio(samples[:, None])


def activity(said: Sequence[Said], audio: MemoryAudio) -> NDArray[np.float32]:
    """The probability of speech by frame: certain exactly where somebody speaks."""
    spans = tuple((0, start_ms, end_ms) for start_ms, end_ms, _ in said)
    return ScriptedVoiceActivity(spans).probabilities(audio, 0)


def alternating(turns: int, *pitches: int, turn_ms: int = 3200, pause_ms: int = 640) -> list[Said]:
    """Turns of like length that go round among the voices."""
    step = turn_ms + pause_ms
    return [(at * step, at * step + turn_ms, pitches[at % len(pitches)]) for at in range(turns)]
