"""From a transcript to insights: labels of turns, entities, the conversation level and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from huaxiang.core.errors import ConfigurationError, ModelError
from huaxiang.core.types import Finding, Insights, Json, Recording, Skipped, Transcript
from huaxiang.nlp.call_story import call_story
from huaxiang.nlp.classifier import Classifier, TurnLabels
from huaxiang.nlp.conversation_level import conversation_findings
from huaxiang.nlp.objection_course import objection_courses
from huaxiang.nlp.reader import Reader, supported
from huaxiang.nlp.turn_findings import turn_findings


class EntityFinder(Protocol):
    """Finds entities with their values."""

    def find(
        self, transcript: Transcript, started_at: datetime | None = None, zone: str = "Asia/Shanghai"
    ) -> tuple[Finding, ...]:
        """Return the entities said; ``started_at`` (aware) and ``zone`` anchor relative times."""
        ...


class MetricsOf(Protocol):
    """Measures a conversation."""

    def __call__(
        self, transcript: Transcript, findings: tuple[Finding, ...]
    ) -> tuple[Mapping[str, Json], tuple[Skipped, ...]]:
        """Return metrics by name, and what could not be measured with its reason."""
        ...


@dataclass(frozen=True)
class Understanding:
    """Everything that is understood of a conversation, in one call.

    A ``reader`` adds what it claims and can quote, for review; where it fails, that is told as skipped.
    """

    classifier: Classifier
    entities: EntityFinder
    metrics: MetricsOf
    reader: Reader | None = None

    def run(self, transcript: Transcript, recording: Recording | None = None) -> Insights:
        """Return the insights of ``transcript``.

        ``recording`` gives the time that relative dates count from; without it they stay relative.
        Raises ModelError where the classifier's model fails.
        """
        labels = self.classifier.classify(transcript.turns) if transcript.turns else ()
        insights = self.from_labels(transcript, labels, recording)
        return insights if self.reader is None else _read_beside(self.reader, transcript, insights)

    def from_labels(
        self, transcript: Transcript, labels: Sequence[TurnLabels], recording: Recording | None = None
    ) -> Insights:
        """Return the insights of a transcript whose turns have been labelled, in order."""
        if not transcript.turns:
            nothing = Skipped("insights", "no_turns", "the conversation has no turns")
            return Insights(findings=(), metrics={}, skipped=(nothing,), model=self.classifier.source)
        of_turns = turn_findings(transcript, labels, self.classifier.source)
        entities = self._entities(transcript, recording)
        findings = of_turns + entities
        findings += conversation_findings(transcript, findings)
        findings += (*objection_courses(transcript, findings), *call_story(transcript, findings))
        metrics, skipped = self.metrics(transcript, findings)
        return Insights(
            findings=tuple(sorted(findings, key=lambda finding: finding.turn)),
            metrics=metrics,
            skipped=skipped,
            model=self.classifier.source,
        )

    def _entities(self, transcript: Transcript, recording: Recording | None) -> tuple[Finding, ...]:
        if recording is None:
            return self.entities.find(transcript)
        metadata = recording.metadata
        if metadata.zone is None:
            return self.entities.find(transcript, metadata.started_at)
        return self.entities.find(transcript, metadata.started_at, metadata.zone)


def _read_beside(reader: Reader, transcript: Transcript, insights: Insights) -> Insights:
    """Add what the reader claims with support and what nothing else found in that turn."""
    try:
        claims = reader.read(transcript)
    except (ModelError, ConfigurationError) as error:
        skipped = Skipped("language_model", error.code, error.message)
        return replace(insights, skipped=(*insights.skipped, skipped))
    known = {(finding.kind, finding.label, finding.turn) for finding in insights.findings}
    added = [
        finding
        for finding in supported(claims, transcript, reader.source)
        if (finding.kind, finding.label, finding.turn) not in known
    ]
    return replace(
        insights, findings=tuple(sorted((*insights.findings, *added), key=lambda finding: finding.turn))
    )
