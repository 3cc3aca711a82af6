"""One conversation as conditions see it: what was said, what was understood, what was told about it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from huaxiang.core.evidence import quote
from huaxiang.core.types import (
    Evidence,
    Finding,
    FindingKind,
    Insights,
    Json,
    Recording,
    Role,
    Transcript,
    Turn,
)
from huaxiang.core.zones import zone_of
from huaxiang.nlp.metrics.speech import Speech, speeches

if TYPE_CHECKING:
    from huaxiang.quality.verdicts import Verdict

PATTERN_BUDGET_S = 2.0
"""All regular expressions together get so long on one conversation; what is left over is not judged."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

FACTS: Mapping[str, str] = MappingProxyType(
    {
        "setting": "phone, onsite or meeting",
        "direction": "inbound or outbound",
        "seller": "text",
        "team": "text",
        "customer": "text",
        "title": "text",
        "device": "text",
        "source": "text",
        "consent": "true or false",
        "channels": "number",
        "duration": "number (seconds)",
        "hour": "number (0 to 23, where it took place)",
        "weekday": "monday to sunday",
        "tags": "list of text (key, and key=value)",
    }
)
"""What can be told about a recording, and what sort of value it is."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told about a recording, by the names of ``FACTS``; what was not told is not there."""

    values: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str) -> Json:
        """Return a fact, or None."""
        return self.values.get(name)


def told_of(
    recording: Recording,
    transcript: Transcript,
    zone: tzinfo,
    team: str | None = None,
    tags: Sequence[str] = (),
) -> Told:
    """Return what is known about a recording besides what was said.

    ``zone`` is where its time of day is reckoned if it does not tell, ``team`` the seller's, ``tags``
    those that the conversation gives its customer (``key`` and ``key=value``). The duration is that of
    the audio, or of the turns where there is none.
    """
    told = recording.metadata
    where = zone if told.zone is None else zone_of(told.zone)
    started = told.started_at.astimezone(where) if told.started_at else None
    duration_ms = recording.audio.duration_ms if recording.audio else transcript.duration_ms
    facts: dict[str, Json] = {
        "setting": told.setting.value if told.setting else None,
        "direction": told.direction.value if told.direction else None,
        "seller": told.seller,
        "team": team,
        "customer": told.customer_ref,
        "title": told.title,
        "device": told.device,
        "source": recording.source or None,
        "consent": told.consent,
        "channels": recording.audio.channels if recording.audio else None,
        "duration": duration_ms / 1000 if transcript.timed else None,
        "hour": started.hour if started else None,
        "weekday": WEEKDAYS[started.weekday()] if started else None,
        "tags": list(tags) if tags else None,
    }
    return Told({name: value for name, value in facts.items() if value is not None})


class Likeness(Protocol):
    """How alike turns and sentences are in meaning."""

    def of(self, turns: Sequence[Turn], sentences: Sequence[str]) -> Sequence[float]:
        """Return for each turn the highest cosine of its vector with one of the sentences' (−1 … 1)."""


@dataclass(slots=True)
class Patience:
    """How long regular expressions may still work on one conversation."""

    left_s: float = PATTERN_BUDGET_S

    def spend(self, since: float) -> None:
        """Take the time since ``since`` (of ``time.perf_counter``) off."""
        self.left_s -= time.perf_counter() - since


@dataclass(frozen=True)
class Heard:
    """One conversation as conditions see it.

    ``likeness`` is None where nobody can tell meanings apart (no encoder). What conditions came to is
    remembered, so that one that several items share is judged once. ``cites`` false asks for outcomes
    alone: no quotes are cut then, which takes longer than all the rest.
    """

    transcript: Transcript
    insights: Insights
    told: Told = Told()
    likeness: Likeness | None = None
    cites: bool = True
    patience: Patience = field(default_factory=Patience, compare=False)
    judged: dict[int, tuple[object, Verdict]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns, in their order."""
        return self.transcript.turns

    @property
    def timed(self) -> bool:
        """Whether the turns have places in audio."""
        return self.transcript.timed

    def findings(self, kind: FindingKind) -> Sequence[Finding]:
        """Return the findings of a kind, in the order they came in."""
        return self._by_kind.get(kind, ())

    def quote(self, turn: int, char_start: int, char_end: int) -> Evidence:
        """Return evidence for a span of a turn's text."""
        return quote(self.transcript, self._places[turn], char_start, char_end)

    def turn(self, index: int) -> Turn | None:
        """Return the turn of that index, or None."""
        place = self._places.get(index)
        return None if place is None else self.transcript.turns[place]

    def place_of(self, index: int) -> int | None:
        """Return where in the order of turns the turn of that index stands."""
        return self._places.get(index)

    @cached_property
    def duration_ms(self) -> int:
        """From the start of the recording to the end of the last turn."""
        return max((turn.end_ms for turn in self.transcript.turns), default=0)

    @cached_property
    def speech(self) -> Sequence[Speech]:
        """The turns as speech, in time order; empty for a typed conversation."""
        return speeches(self.transcript) if self.transcript.timed else ()

    @cached_property
    def _by_kind(self) -> Mapping[FindingKind, Sequence[Finding]]:
        found: dict[FindingKind, list[Finding]] = defaultdict(list)
        for finding in self.insights.findings:
            found[finding.kind].append(finding)
        return found

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {turn.index: place for place, turn in enumerate(self.transcript.turns)}


def spoken_by(turn: Turn, role: Role | None) -> bool:
    """Tell whether a turn may be that role's: one of unknown role may be anybody's."""
    return role is None or turn.role is role or turn.role is Role.UNKNOWN
