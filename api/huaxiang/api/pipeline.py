"""The stages of one recording in the order of the design's table, without storage.

``process`` runs it as it stands; the durable workflow runs the same stages and stores each result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from huaxiang.core.audio import DecodedAudio, Decoder
from huaxiang.core.types import Insights, Recording, Scorecard, Skipped, Tag, Transcript
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.heard import Heard, Told, told_of

Progress = Callable[[float], None]


class Speech(Protocol):
    """Speech to turns."""

    def run(self, recording: Recording, audio: DecodedAudio, progress: Progress | None = None) -> Transcript:
        """Return the turns of a recording, with normalised text and roles."""


class Language(Protocol):
    """Turns to findings and metrics."""

    def run(self, transcript: Transcript, recording: Recording | None = None) -> Insights:
        """Return what was understood of a conversation."""


class Inspection(Protocol):
    """Findings to scorecards."""

    def inspect(
        self,
        transcript: Transcript,
        insights: Insights,
        told: Told | None = None,
        definitions: Sequence[ScorecardDefinition] | None = None,
    ) -> tuple[Scorecard, ...]:
        """Return the automatic scores by all scorecards that apply, the main one first.

        ``told`` is what is known about the recording, ``definitions`` what to choose from: those that
        ship with the package if not given.
        """

    def heard(self, transcript: Transcript, insights: Insights, told: Told | None = None) -> Heard:
        """Return a conversation as the conditions of rules see it."""


class Tagging(Protocol):
    """Findings to the tags that a customer would get."""

    def __call__(self, recording: Recording, transcript: Transcript, insights: Insights) -> tuple[Tag, ...]:
        """Return the tags that one recording contributes."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that the stages made of one recording."""

    recording: Recording
    transcript: Transcript
    insights: Insights
    scorecards: tuple[Scorecard, ...]
    tags: tuple[Tag, ...]

    @property
    def scorecard(self) -> Scorecard | None:
        """The main scorecard; None where none applies."""
        return self.scorecards[0] if self.scorecards else None

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What inspection left out."""
        return skipped_inspection(self.scorecards)


@dataclass(frozen=True, slots=True)
class Analysis:
    """The stages after recognition, each replaceable alone: all that typed conversations need.

    ``zone`` is where the time of day of a recording is reckoned that does not tell its own.
    """

    language: Language
    inspection: Inspection
    tag: Tagging
    zone: tzinfo

    def analyse(self, recording: Recording, transcript: Transcript) -> Conversation:
        """Run everything after recognition: findings, metrics, scorecards and tags."""
        insights = self.language.run(transcript, recording)
        tags = self.tag(recording, transcript, insights)
        told = told_of(recording, transcript, self.zone, tags=tag_names(tags))
        return Conversation(
            recording=recording,
            transcript=transcript,
            insights=insights,
            scorecards=self.inspection.inspect(transcript, insights, told),
            tags=tags,
        )


@dataclass(frozen=True, slots=True)
class Pipeline(Analysis):
    """All stages, each replaceable alone."""

    decode: Decoder
    speech: Speech


def tag_names(tags: Sequence[Tag]) -> tuple[str, ...]:
    """Return tags as rules ask for them: each key, and ``key=value`` where the value is plain."""
    plain = {f"{tag.key}={tag.value}" for tag in tags if isinstance(tag.value, str | int | float)}
    return tuple(sorted({tag.key for tag in tags} | plain))


def skipped_inspection(scorecards: Sequence[Scorecard]) -> tuple[Skipped, ...]:
    """Return what inspection left out, each once; without any scorecard, that none applies."""
    if not scorecards:
        return (Skipped("scorecard", "none_applies", "no scorecard is meant for such a recording"),)
    return tuple(dict.fromkeys(part for scorecard in scorecards for part in scorecard.skipped))
