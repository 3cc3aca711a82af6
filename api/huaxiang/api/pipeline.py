"""The stages of one recording in the order of the design's table, without storage.

``process`` runs it as it stands; the durable workflow runs the same stages and stores each result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from huaxiang.core.audio import DecodedAudio, Decoder
from huaxiang.core.types import Insights, Recording, Scorecard, Tag, Transcript

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
    """Findings to a scorecard."""

    def inspect(self, transcript: Transcript, insights: Insights) -> Scorecard:
        """Return the automatic score."""


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
    scorecard: Scorecard
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The stages after recognition, each replaceable alone: all that typed conversations need."""

    language: Language
    inspection: Inspection
    tag: Tagging

    def analyse(self, recording: Recording, transcript: Transcript) -> Conversation:
        """Run everything after recognition: findings, metrics, scorecard and tags."""
        insights = self.language.run(transcript, recording)
        return Conversation(
            recording=recording,
            transcript=transcript,
            insights=insights,
            scorecard=self.inspection.inspect(transcript, insights),
            tags=self.tag(recording, transcript, insights),
        )


@dataclass(frozen=True, slots=True)
class Pipeline(Analysis):
    """All stages, each replaceable alone."""

    decode: Decoder
    speech: Speech
