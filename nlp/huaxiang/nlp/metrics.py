"""Measures a conversation: who talked how much, how they took turns, how they felt."""

from __future__ import annotations

from collections.abc import Sequence

from huaxiang.core.types import Finding, Json, Skipped, Transcript


def conversation_metrics(
    transcript: Transcript, findings: Sequence[Finding], non_talk_threshold_ms: int = 3000
) -> tuple[dict[str, Json], tuple[Skipped, ...]]:
    """Return the metrics of a conversation by name, and those that were not measured with the reason."""
    if not transcript.timed:
        return {}, (Skipped("duration_ms", "untimed", "a typed conversation has no audio positions"),)
    end_ms = max((turn.end_ms for turn in transcript.turns), default=0)
    return {"duration_ms": end_ms}, ()
