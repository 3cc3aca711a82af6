"""Speech is cut into clips without losing any of it, in order, and never too long."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from huaxiang.asr.segmentation import SegmentationOptions, Span, clip_spans, speech_runs
from huaxiang.asr.voice_activity import FRAME_MS

Probabilities = NDArray[np.float32]
OPTIONS = SegmentationOptions(target_ms=2000, max_ms=3000)
# Runs of speech and silence of any length, as probabilities.
probabilities = st.lists(
    st.tuples(st.integers(1, 120), st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0])), max_size=12
).map(lambda runs: np.concatenate([np.full(n, p, np.float32) for n, p in runs] or [np.zeros(0, np.float32)]))


def duration_of(values: Probabilities) -> int:
    return len(values) * FRAME_MS


def clips(values: Probabilities, options: SegmentationOptions = OPTIONS) -> tuple[Span, ...]:
    return clip_spans(values, duration_of(values), 0, options)


def speech(*runs: tuple[int, float]) -> Probabilities:
    """Frames of speech and silence given as ``(ms, probability)``."""
    return np.concatenate([np.full(ms // FRAME_MS, p, np.float32) for ms, p in runs])


@settings(deadline=None)
@given(probabilities)
def test_every_frame_of_a_speech_run_is_inside_exactly_one_clip(values: Probabilities) -> None:
    spans = clips(values)
    for start, end in speech_runs(values, OPTIONS):
        for frame in range(start, end):
            at_ms = frame * FRAME_MS + FRAME_MS // 2
            assert sum(span.start_ms <= at_ms < span.end_ms for span in spans) == 1


@settings(deadline=None)
@given(probabilities)
def test_clips_are_in_order_apart_and_inside_the_recording(values: Probabilities) -> None:
    spans = clips(values)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(spans))
    assert all(0 <= span.start_ms < span.end_ms <= duration_of(values) for span in spans)


@settings(deadline=None)
@given(probabilities)
def test_no_clip_is_longer_than_the_longest_piece_with_its_padding(values: Probabilities) -> None:
    longest = max(OPTIONS.target_ms, OPTIONS.max_ms + 2 * OPTIONS.pad_ms)
    assert all(span.duration_ms <= longest for span in clips(values))


@settings(deadline=None)
@given(arrays(np.float32, st.integers(0, 400), elements=st.floats(0, 1, width=32)))
def test_any_probabilities_whatever_give_ordered_runs_that_begin_with_speech(values: Probabilities) -> None:
    runs = speech_runs(values, OPTIONS)
    assert all(values[start] >= OPTIONS.onset for start, _ in runs)
    assert all(before[1] < after[0] for before, after in pairwise(runs))


def test_silence_gives_no_clip() -> None:
    assert clips(speech((5000, 0.1))) == ()


def test_a_recording_of_no_samples_gives_no_clip() -> None:
    assert clips(np.zeros(0, np.float32)) == ()


def test_a_click_shorter_than_speech_is_ignored() -> None:
    assert clips(speech((960, 0.0), (64, 1.0), (960, 0.0))) == ()


def test_padding_stops_in_the_middle_of_a_short_pause() -> None:
    values = speech((320, 0.0), (960, 1.0), (192, 0.0), (2880, 1.0))
    first, second = clips(values)
    assert first.end_ms == second.start_ms == 1280 + 96


def test_short_pieces_are_joined_up_to_the_target() -> None:
    values = speech(*[(640, 1.0), (320, 0.0)] * 3)
    assert len(clips(values)) == 2
    assert len(clips(values, SegmentationOptions(target_ms=20_000))) == 1


def test_a_long_pause_is_not_joined_over() -> None:
    values = speech((640, 1.0), (4000, 0.0), (640, 1.0))
    assert len(clips(values, SegmentationOptions(target_ms=20_000, join_pause_ms=1000))) == 2


def test_a_long_run_is_cut_where_speech_is_least_likely() -> None:
    values = speech((2560, 1.0), (192, 0.5), (2560, 1.0))
    first, second = clips(values)
    assert 2560 <= first.end_ms <= 2752
    assert first.end_ms == second.start_ms
