"""Scores found entities against annotated ones: precision, recall and F1, with and without values.

A found entity matches an annotated one of the same turn and type whose words it shares; how many
words belong to a count (三家 or 三家店) is a matter of taste, so ``exact`` is counted beside it. For
the types that have values a match counts in ``value`` only where the value is right; an annotated
entity without a value (an open figure, a time) asks for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from huaxiang.core.types import Finding, FindingKind, Transcript
from huaxiang.nlp.conversation_file import EntityLabel

VALUED_TYPES = ("money", "number", "time", "phone")


@dataclass(slots=True)
class Counts:
    """How often an entity type was annotated, found, and found right."""

    annotated: int = 0
    found: int = 0
    matched: int = 0
    exact: int = 0
    right_value: int = 0

    def add(self, other: Counts) -> None:
        """Add another count to this one."""
        self.annotated += other.annotated
        self.found += other.found
        self.matched += other.matched
        self.exact += other.exact
        self.right_value += other.right_value

    def f1(self, hits: int | None = None) -> float:
        """Return F1 with ``hits`` true positives (the matched ones as it comes)."""
        total = self.annotated + self.found
        return 2 * (self.matched if hits is None else hits) / total if total else 1.0

    @property
    def precision(self) -> float:
        """Share of the found that match."""
        return self.matched / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the annotated that were found."""
        return self.matched / self.annotated if self.annotated else 1.0


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Counts by entity type over a set of conversations."""

    by_type: dict[str, Counts] = field(default_factory=dict)

    @property
    def f1(self) -> float:
        """F1 over all types, by shared words."""
        return self._total(self.by_type).f1()

    @property
    def exact_f1(self) -> float:
        """F1 over all types, by exactly the annotated words."""
        total = self._total(self.by_type)
        return total.f1(total.exact)

    @property
    def value_f1(self) -> float:
        """F1 over money, number, time and phone, where the value has to be right."""
        total = self._total(VALUED_TYPES)
        return total.f1(total.right_value)

    def _total(self, types: Iterable[str]) -> Counts:
        total = Counts()
        for name in types:
            total.add(self.by_type.get(name, Counts()))
        return total


Span = tuple[int, int]


def score_entities(
    conversations: Iterable[tuple[Transcript, Sequence[Sequence[EntityLabel]], Sequence[Finding]]],
) -> EntityScores:
    """Score the findings of conversations against the annotated entities of their turns."""
    scores = EntityScores()
    for transcript, annotated, findings in conversations:
        by_turn: dict[int, list[Finding]] = {}
        for finding in findings:
            if finding.kind is FindingKind.ENTITY:
                by_turn.setdefault(finding.turn, []).append(finding)
        for turn, labels in zip(transcript.turns, annotated, strict=True):
            for name, counts in _score_turn(turn.text, labels, by_turn.get(turn.index, ())).items():
                scores.by_type.setdefault(name, Counts()).add(counts)
    return scores


def located(text: str, labels: Sequence[EntityLabel]) -> list[Span]:
    """Return where each annotated entity stands: they are annotated in the order they are said."""
    spans = []
    position = 0
    for label in labels:
        start = text.find(label.text, position)
        start = text.find(label.text) if start < 0 else start
        spans.append((start, start + len(label.text)))
        position = max(position, start + len(label.text))
    return spans


def _score_turn(
    text: str, labels: Sequence[EntityLabel], findings: Sequence[Finding]
) -> Mapping[str, Counts]:
    counts: dict[str, Counts] = {}
    for finding in findings:
        counts.setdefault(finding.label, Counts()).found += 1
    left = list(findings)
    for label, span in zip(labels, located(text, labels), strict=True):
        count = counts.setdefault(label.type, Counts())
        count.annotated += 1
        match = _match(label, span, left)
        if match is None:
            continue
        left.remove(match)
        count.matched += 1
        count.exact += _span(match) == span
        count.right_value += label.value is None or match.value == label.value
    return counts


def _match(label: EntityLabel, span: Span, findings: Sequence[Finding]) -> Finding | None:
    sharing = [
        finding for finding in findings if finding.label == label.type and _shared(_span(finding), span) > 0
    ]
    return max(
        sharing, key=lambda finding: (_span(finding) == span, _shared(_span(finding), span)), default=None
    )


def _span(finding: Finding) -> Span:
    return finding.evidence[0].char_start, finding.evidence[0].char_end


def _shared(one: Span, other: Span) -> int:
    return min(one[1], other[1]) - max(one[0], other[0])
