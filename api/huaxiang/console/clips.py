"""Stretches of audio that a page offers to be heard. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.core.types import Evidence, Window


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of audio to hear, in ms; ``label`` is its start as a clock."""

    start_ms: int
    end_ms: int
    label: str


def clock(position_ms: int) -> str:
    """Return a position as ``m:ss``, from one hour on as ``h:mm:ss``."""
    seconds = position_ms // 1000
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def clip_of(evidence: Evidence) -> Clip | None:
    """Return the stretch of audio under a quote; None for a typed conversation."""
    if evidence.start_ms is None or evidence.end_ms is None:
        return None
    return Clip(evidence.start_ms, max(evidence.end_ms, evidence.start_ms + 1), clock(evidence.start_ms))


def searched_clip(window: Window | None) -> Clip | None:
    """Return the stretch that was searched, named from and to; None for a typed conversation."""
    if window is None or window.start_ms is None or window.end_ms is None:
        return None
    label = f"{clock(window.start_ms)}–{clock(window.end_ms)}"
    return Clip(window.start_ms, max(window.end_ms, window.start_ms + 1), label)
