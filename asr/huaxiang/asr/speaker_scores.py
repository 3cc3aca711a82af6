"""Diarization error, roles and boundaries of one recording, as counts that can be pooled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.diarization import SpeakerSegment
from huaxiang.asr.speaker_truth import Spoken
from huaxiang.core.types import Role, Turn

COLLAR_S = 0.25
_GRID_MS = 10
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class ErrorSeconds:
    """Seconds of each error of diarization, and of the reference speech they are held against."""

    missed: float = 0.0
    false_alarm: float = 0.0
    confused: float = 0.0
    total: float = 0.0

    def __add__(self, other: ErrorSeconds) -> ErrorSeconds:
        return ErrorSeconds(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def errors(self) -> float:
        """All errors together."""
        return self.missed + self.false_alarm + self.confused

    @property
    def rate(self) -> float:
        """Diarization error rate (NIST RT): errors over reference speech; it can pass 1."""
        return self.errors / self.total if self.total else 0.0


def diarization_error(
    reference: Iterable[Spoken],
    segments: Iterable[SpeakerSegment],
    duration_ms: int,
    *,
    overlap: bool = True,
    collar_s: float = COLLAR_S,
) -> ErrorSeconds:
    """Compare who spoke when by ``pyannote.metrics``, speakers mapped one to one for the best fit.

    ``collar_s`` seconds on each side of a reference boundary are not scored (the package counts both
    sides together); without ``overlap``, neither are the seconds in which several people speak.
    """
    from pyannote.core import Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    metric = DiarizationErrorRate(collar=2 * collar_s, skip_overlap=not overlap)
    truth = _annotation((one.start_ms, one.end_ms, one.speaker) for one in reference)
    found = _annotation((one.start_ms, one.end_ms, str(one.speaker)) for one in segments)
    scored = Timeline([_segment(0, duration_ms)])
    parts = metric(truth, found, uem=scored, detailed=True)
    return ErrorSeconds(
        float(parts["missed detection"]),
        float(parts["false alarm"]),
        float(parts["confusion"]),
        float(parts["total"]),
    )


def _annotation(stretches: Iterable[tuple[int, int, str]]) -> Any:
    from pyannote.core import Annotation

    annotation = Annotation()
    for track, (start_ms, end_ms, speaker) in enumerate(stretches):
        annotation[_segment(start_ms, end_ms), track] = speaker
    return annotation.support()


def _segment(start_ms: int, end_ms: int) -> Any:
    from pyannote.core import Segment

    return Segment(start_ms / 1000, end_ms / 1000)


@dataclass(frozen=True, slots=True)
class RoleSeconds:
    """Seconds of speech within turns: of the right role, of the wrong one, of none."""

    right: float = 0.0
    wrong: float = 0.0
    abstained: float = 0.0

    @property
    def decided(self) -> float:
        """Seconds with a role."""
        return self.right + self.wrong


def role_seconds(reference: Sequence[Spoken], turns: Sequence[Turn]) -> RoleSeconds:
    """Hold the role of each turn against who speaks while its words are said, by steps of 10 ms.

    Where both speak, either role is right. What nobody says counts nowhere, nor do pauses of a turn,
    in which others may speak.
    """
    steps = 1 + max([one.end_ms for one in reference] + [turn.end_ms for turn in turns]) // _GRID_MS
    spoken = {role: _grid(steps, [one for one in reference if one.role is role]) for role in Role}
    anybody = spoken[Role.AGENT] | spoken[Role.CUSTOMER]
    counts = {"right": 0, "wrong": 0, "abstained": 0}
    for turn in turns:
        words = np.zeros(steps, bool)
        for word in turn.words:
            words[word.start_ms // _GRID_MS : word.end_ms // _GRID_MS] = True
        said = int((anybody & words).sum())
        if turn.role is Role.UNKNOWN:
            counts["abstained"] += said
        else:
            right = int((spoken[turn.role] & words).sum())
            counts["right"] += right
            counts["wrong"] += said - right
    return RoleSeconds(**{name: count * _GRID_MS / 1000 for name, count in counts.items()})


def _grid(steps: int, stretches: Iterable[Spoken]) -> NDArray[np.bool_]:
    grid = np.zeros(steps, bool)
    for one in stretches:
        grid[one.start_ms // _GRID_MS : one.end_ms // _GRID_MS] = True
    return grid


def boundary_errors(reference: Sequence[Spoken], turns: Sequence[Turn]) -> tuple[list[int], list[int]]:
    """Return how far turns begin and end from the truth, in ms.

    A true turn and a recognised one belong together where each shares the most time with the other.
    """
    starts, ends = [], []
    for one in reference:
        turn = max(turns, key=lambda turn: _shared(one, turn), default=None)
        if turn is None or not _shared(one, turn):
            continue
        if max(reference, key=lambda other: _shared(other, turn)) is one:
            starts.append(abs(turn.start_ms - one.start_ms))
            ends.append(abs(turn.end_ms - one.end_ms))
    return starts, ends


def _shared(one: Spoken, turn: Turn) -> int:
    return max(0, min(one.end_ms, turn.end_ms) - max(one.start_ms, turn.start_ms))


def interval(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap over recordings of a pooled ratio; one part a recording."""
    values = np.array(parts, np.float64)
    picks = np.random.default_rng(0).integers(0, len(values), size=(_RESAMPLES, len(values)))
    sums = values[picks].sum(axis=1)
    ratios = sums[:, 0] / np.maximum(sums[:, 1], 1e-9)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def middle(values: Sequence[int]) -> float | None:
    """Return the median, None of nothing."""
    return float(median(values)) if values else None
