"""Dual mono: one signal on two channels is found, two people never are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from huaxiang.ingest.dual_mono import DualMonoDetector

SECOND = 16_000


def speech(seconds: int, seed: int, level: float = 3000.0) -> NDArray[np.float64]:
    """Noise in bursts, which is what matters of speech here."""
    random = np.random.default_rng(seed)
    envelope = np.repeat(random.random(seconds * 10) > 0.4, SECOND // 10)
    return random.normal(0, level, seconds * SECOND) * envelope


def detect(left: NDArray[np.float64], right: NDArray[np.float64]) -> DualMonoDetector:
    detector = DualMonoDetector()
    stereo = np.stack([left, right], axis=1).clip(-32768, 32767).astype(np.int16)
    for start in range(0, len(stereo), SECOND):
        detector.update(stereo[start : start + SECOND])
    return detector


@settings(deadline=None, max_examples=30)
@given(factor=st.floats(0.1, 1.5), inverted=st.booleans(), seed=st.integers(0, 1000))
def test_a_scaled_or_inverted_copy_is_the_same_signal(factor: float, inverted: bool, seed: int) -> None:
    voice = speech(6, seed)

    assert detect(voice, voice * (-factor if inverted else factor)).found


def test_noise_of_a_lossy_codec_does_not_hide_a_copy() -> None:
    voice, random = speech(30, 1), np.random.default_rng(2)
    noisy = [voice + 0.08 * np.abs(voice).mean() * random.normal(size=voice.size) for _ in range(2)]

    assert detect(*noisy).found


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), crosstalk=st.floats(0, 0.3))
def test_two_people_are_two_signals_even_with_crosstalk(seed: int, crosstalk: float) -> None:
    agent, customer = speech(6, seed), speech(6, seed + 5000)

    assert not detect(agent + crosstalk * customer, customer + crosstalk * agent).found


@pytest.mark.parametrize("delay", [1, 4, 16, 160, 480])
def test_a_delayed_copy_is_the_same_signal(delay: int) -> None:
    voice = speech(60, 8)

    assert detect(voice[delay:], voice[:-delay]).found


def test_a_filtered_copy_is_the_same_signal() -> None:
    voice = speech(60, 9)

    assert detect(voice, 0.5 * np.convolve(voice, np.ones(8) / 8, mode="same")).found


def test_a_delayed_copy_with_one_sentence_on_one_side_is_a_true_stereo_recording() -> None:
    voice = speech(60, 10)
    other = np.roll(voice, 160)
    other[20 * SECOND : 22 * SECOND] += 4 * speech(2, 11)

    assert not detect(voice, other).found


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), crosstalk=st.floats(0, 0.3), delay=st.integers(0, 400))
def test_long_calls_of_two_people_are_two_signals_even_with_late_crosstalk(
    seed: int, crosstalk: float, delay: int
) -> None:
    agent, customer = speech(30, seed), speech(30, seed + 5000)
    late = [crosstalk * np.roll(voice, delay) for voice in (agent, customer)]

    assert not detect(agent + late[1], customer + late[0]).found


def test_one_sentence_on_one_side_makes_a_true_stereo_recording() -> None:
    voice = speech(60, 3)
    other = voice.copy()
    other[20 * SECOND : 22 * SECOND] += speech(2, 4)

    assert not detect(voice, other).found


def test_one_side_in_silence_is_not_a_copy() -> None:
    assert not detect(speech(6, 5), np.zeros(6 * SECOND)).found


def test_a_recording_of_silence_says_nothing() -> None:
    hiss = [np.random.default_rng(seed).normal(0, 5, 6 * SECOND) for seed in (6, 7)]

    assert not detect(*hiss).found
    assert not detect(np.zeros(SECOND), np.zeros(SECOND)).found


@pytest.mark.parametrize(("left", "right", "louder"), [(1.0, 0.3, 0), (0.3, 1.0, 1), (1.0, 1.0, 0)])
def test_the_louder_channel_is_named(left: float, right: float, louder: int) -> None:
    voice = speech(3, 8)

    assert detect(left * voice, right * voice).louder == louder
