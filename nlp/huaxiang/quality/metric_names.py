"""The metrics that rules can compare: every number of docs/metrics.md by its dotted name."""

from __future__ import annotations

_PARTIES = ("agent", "customer")


def _by_party(name: str) -> tuple[str, ...]:
    return tuple(f"{name}.{party}" for party in _PARTIES)


METRIC_NAMES: frozenset[str] = frozenset(
    (
        "duration_ms",
        "media_duration_ms",
        *(f"talk_time_ms.{part}" for part in (*_PARTIES, "sum", "union", "overlap")),
        "talk_ratio",
        "agent_talk_pct",
        *(f"non_talk.{part}" for part in ("threshold_ms", "count", "total_ms", "share")),
        *_by_party("back_channel"),
        "interruption.count",
        *_by_party("speech_rate"),
        "longest_monologue_ms",
        "longest_customer_story_ms",
        *(f"patience_ms.{part}" for part in ("median", "p25", "p90", "replies")),
        "interactivity",
        *_by_party("question_count"),
        *_by_party("question_rate"),
        *_by_party("filler_rate"),
        *(f"sentiment.{party}.{part}" for party in _PARTIES for part in ("overall", "change")),
        *(f"quality.{part}" for part in ("known_role_share", "mean_role_confidence", "mean_log_probability")),
    )
)
