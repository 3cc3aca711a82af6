"""Precision, recall, F1 and calibration error, from counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

BINS = 10


@dataclass(slots=True)
class LabelCounts:
    """How often a label was right, wrongly given, and missed."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    def add(self, *, found: bool, true: bool) -> None:
        """Count one decision."""
        self.hits += found and true
        self.false_alarms += found and not true
        self.misses += true and not found

    def extend(self, other: LabelCounts) -> None:
        """Add the counts of another."""
        self.hits += other.hits
        self.false_alarms += other.false_alarms
        self.misses += other.misses

    @property
    def support(self) -> int:
        """How often the label is true."""
        return self.hits + self.misses

    @property
    def precision(self) -> float:
        """Share of the given that are right; 1 where none is given."""
        given = self.hits + self.false_alarms
        return self.hits / given if given else 1.0

    @property
    def recall(self) -> float:
        """Share of the true that are found; 1 where none is true."""
        return self.hits / self.support if self.support else 1.0

    @property
    def f1(self) -> float:
        """``2 TP / (2 TP + FP + FN)``; 0 where the label is neither given nor true."""
        total = 2 * self.hits + self.false_alarms + self.misses
        return 2 * self.hits / total if total else 0.0

    def document(self) -> dict[str, float | int]:
        """Return the figures as a JSON object."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "support": self.support,
        }


@dataclass(slots=True)
class TaskCounts:
    """Counts of every label of a task."""

    labels: dict[str, LabelCounts] = field(default_factory=dict)

    @classmethod
    def of(cls, inventory: Iterable[str]) -> TaskCounts:
        """Return empty counts for the labels of an inventory."""
        return cls({label: LabelCounts() for label in inventory})

    def add(self, found: Iterable[str], true: Iterable[str]) -> None:
        """Count the labels of one turn."""
        given, wanted = set(found), set(true)
        for label, counts in self.labels.items():
            counts.add(found=label in given, true=label in wanted)

    def extend(self, other: TaskCounts) -> None:
        """Add the counts of another with the same labels."""
        for label, counts in self.labels.items():
            counts.extend(other.labels[label])

    def total(self, labels: Iterable[str] | None = None) -> LabelCounts:
        """Return the counts of all labels, or of those named, together."""
        chosen = [self.labels[label] for label in (self.labels if labels is None else labels)]
        return LabelCounts(
            sum(counts.hits for counts in chosen),
            sum(counts.false_alarms for counts in chosen),
            sum(counts.misses for counts in chosen),
        )

    @property
    def micro_f1(self) -> float:
        """F1 of all decisions together."""
        return self.total().f1

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the labels that occur; labels without a single example say nothing."""
        occurring = [counts.f1 for counts in self.labels.values() if counts.support]
        return sum(occurring) / len(occurring) if occurring else 0.0

    def document(self) -> dict[str, dict[str, float | int]]:
        """Return the figures of every label."""
        return {label: counts.document() for label, counts in self.labels.items()}


def calibration_error(claims: Sequence[tuple[float, bool]], bins: int = BINS) -> float:
    """Return the expected calibration error of ``(confidence, right)`` pairs.

    The mean, over bins of equal width weighted by their size, of the gap between mean confidence and
    the share that is right (Naeini et al. 2015). 0 for no claims.
    """
    grouped: Mapping[int, list[tuple[float, bool]]] = {place: [] for place in range(bins)}
    for confidence, right in claims:
        grouped[min(int(confidence * bins), bins - 1)].append((confidence, right))
    gap = 0.0
    for group in grouped.values():
        if group:
            confident = sum(confidence for confidence, _ in group) / len(group)
            correct = sum(right for _, right in group) / len(group)
            gap += abs(confident - correct) * len(group)
    return gap / len(claims) if claims else 0.0
