"""From frame-wise speech probabilities to the spans that are decoded.

All functions are pure. Spans of one channel come in time order and do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.voice_activity import FRAME_MS


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one channel in ms of the recording."""

    start_ms: int
    end_ms: int
    channel: int = 0

    @property
    def duration_ms(self) -> int:
        """Its length."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class SegmentationOptions:
    """How speech is cut.

    Speech begins where the probability reaches ``onset`` and ends where it falls under ``offset`` for
    ``min_silence_ms``. What is shorter than ``min_speech_ms`` is no speech. Each span gets
    ``pad_ms`` on both sides, at most half of the pause. Spans are joined over pauses of up to
    ``join_pause_ms`` while they stay within ``target_ms``; one longer than ``max_ms`` is cut at its
    deepest pause.
    """

    onset: float = 0.5
    offset: float = 0.35
    min_speech_ms: int = 96
    min_silence_ms: int = 96
    pad_ms: int = 200
    join_pause_ms: int = 1000
    target_ms: int = 15_000
    max_ms: int = 28_000


def clip_spans(
    probabilities: NDArray[np.float32], duration_ms: int, channel: int, options: SegmentationOptions
) -> tuple[Span, ...]:
    """Return the spans of one channel to decode: found, split, joined and padded."""
    pieces: list[tuple[int, int]] = []
    for start, end in speech_runs(probabilities, options):
        pieces.extend(_split(probabilities, start, end, options.max_ms // FRAME_MS))
    padded = _padded(pieces, duration_ms, options)
    return tuple(Span(start, end, channel) for start, end in _joined(padded, options))


def speech_runs(probabilities: NDArray[np.float32], options: SegmentationOptions) -> list[tuple[int, int]]:
    """Return runs of speech as ``(first frame, frame after the last)``, by hysteresis."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    quiet_from: int | None = None
    silence_frames = max(options.min_silence_ms // FRAME_MS, 1)
    for frame, probability in enumerate(probabilities):
        if start is None:
            start = frame if probability >= options.onset else None
        elif probability >= options.offset:
            quiet_from = None
        else:
            quiet_from = frame if quiet_from is None else quiet_from
            if frame - quiet_from + 1 >= silence_frames:
                runs.append((start, quiet_from))
                start, quiet_from = None, None
    if start is not None:
        runs.append((start, len(probabilities) if quiet_from is None else quiet_from))
    shortest = options.min_speech_ms // FRAME_MS
    return [(first, last) for first, last in runs if last - first >= shortest]


def _split(probabilities: NDArray[np.float32], start: int, end: int, longest: int) -> list[tuple[int, int]]:
    """Cut a run into pieces of at most ``longest`` frames, each time at the least likely speech."""
    pieces = []
    while end - start > longest:
        window = probabilities[start + longest // 2 : start + longest]
        smooth = np.convolve(window, np.ones(5) / 5, mode="same")
        cut = start + longest // 2 + int(np.argmin(smooth))
        pieces.append((start, cut))
        start = cut
    pieces.append((start, end))
    return pieces


def _padded(
    pieces: Sequence[tuple[int, int]], duration_ms: int, options: SegmentationOptions
) -> list[tuple[int, int]]:
    """Turn frames into ms, with padding that never reaches beyond the middle of a pause."""
    padded = []
    for index, (start, end) in enumerate(pieces):
        start_ms, end_ms = start * FRAME_MS, min(end * FRAME_MS, duration_ms)
        before = pieces[index - 1][1] * FRAME_MS if index else -start_ms
        after = pieces[index + 1][0] * FRAME_MS if index + 1 < len(pieces) else 2 * duration_ms - end_ms
        padded.append(
            (
                start_ms - min(options.pad_ms, (start_ms - before) // 2),
                end_ms + min(options.pad_ms, (after - end_ms) // 2),
            )
        )
    return padded


def _joined(spans: Sequence[tuple[int, int]], options: SegmentationOptions) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start_ms, end_ms in spans:
        if (
            joined
            and start_ms - joined[-1][1] <= options.join_pause_ms
            and end_ms - joined[-1][0] <= options.target_ms
        ):
            joined[-1] = (joined[-1][0], end_ms)
        else:
            joined.append((start_ms, end_ms))
    return joined
