"""What coaching knows of a conversation: plain values that the other stages' results are read into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huaxiang.core.types import Evidence, Provenance

NUMBERS: Mapping[str, str] = {
    "talk_ratio": "talk_ratio",
    "questions": "question_count.agent",
    "question_rate": "question_rate.agent",
    "monologue_s": "longest_monologue_ms",
    "customer_story_s": "longest_customer_story_ms",
    "response_s": "patience_ms.median",
    "speech_rate": "speech_rate.agent",
    "filler_rate": "filler_rate.agent",
    "interactivity": "interactivity",
    "silence_share": "non_talk.share",
    "customer_mood": "sentiment.customer.change",
    "duration_min": "duration_ms",
}
"""The numbers that are compared, and where each stands among the metrics of ``docs/metrics.md``."""

SCALE: Mapping[str, float] = {
    "monologue_s": 1e-3,
    "customer_story_s": 1e-3,
    "response_s": 1e-3,
    "duration_min": 1 / 60_000,
}
INTERRUPTIONS = "interruptions"


class Outcome(StrEnum):
    """How the customer's case went after the conversation; ``unknown`` where nobody can tell."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """An outcome with the reason's code and where it comes from."""

    outcome: Outcome
    reason: str
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One judged item: ``passed`` is None where it does not apply; ``lost`` is the points it cost."""

    passed: bool | None
    lost: float
    possible: float


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation with what it is measured by.

    ``score`` is in percent of the possible points, after review where there was one (``reviewed``).
    ``possible`` is the possible points. ``acts`` counts the seller's acts by label, doubtful ones left
    out. ``numbers`` are those of ``NUMBERS`` that were measured.
    """

    recording_id: str
    seller: str | None
    held_at: datetime
    customer_id: str | None = None
    title: str = ""
    score: float | None = None
    possible: float = 0.0
    reviewed: bool = False
    items: Mapping[str, ItemResult] = field(default_factory=dict)
    acts: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    outcome: CallOutcome = CallOutcome(Outcome.UNKNOWN, "no_customer")


@dataclass(frozen=True, slots=True)
class Clip:
    """Words to hear: whose call, when it was held, and the quotes with what each is."""

    recording_id: str
    seller: str | None
    held_at: datetime
    quotes: tuple[tuple[str, Evidence], ...]
    score: float | None = None


def numbers_of(metrics: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers that are compared out of a conversation's metrics; what is not there is left out."""
    found: dict[str, float] = {}
    for name, path in NUMBERS.items():
        value: object = metrics
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = value * SCALE.get(name, 1.0)
    cuts = metrics.get("interruption")
    if isinstance(cuts, Sequence) and not isinstance(cuts, str):
        by_seller = [cut for cut in cuts if isinstance(cut, Mapping) and cut.get("by") == "agent"]
        found[INTERRUPTIONS] = float(len(by_seller))
    return found
