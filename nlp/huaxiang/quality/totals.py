"""The arithmetic of a scorecard: from what each item came to, to sections, score and grade.

The automatic inspection and people's reviews add up by this one function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.quality.definition import Item, ScorecardDefinition, Scoring, Section, Threshold


@dataclass(frozen=True, slots=True)
class SectionTotal:
    """What one section came to, in its own points; ``weight`` is its percentage of the whole, if any."""

    id: str
    title_zh: str
    title_en: str
    score: float
    possible: float
    auto_failed: bool = False
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a scorecard came to: ``score`` of ``possible``, never under 0 and never above it."""

    score: float
    possible: float
    sections: tuple[SectionTotal, ...]
    grade: Threshold | None = None
    auto_failed: bool = False

    @property
    def percent(self) -> float | None:
        """The score in percent of what was possible; None where nothing applied."""
        return 100 * self.score / self.possible if self.possible > 0 else None


def points_of(item: Item, passed: bool | None) -> tuple[float, float]:
    """Return the points that an item gives or takes, and the points that it could have earned.

    ``passed`` None (not applicable) gives neither.
    """
    if passed is None or item.suggest_only:
        return 0.0, 0.0
    match item.counts_as:
        case Scoring.EARN:
            return (item.points if passed else 0.0), item.points
        case Scoring.ADD:
            return (item.points if passed else 0.0), 0.0
        case Scoring.TAKE:
            return (0.0 if passed else -item.points), 0.0


def total(definition: ScorecardDefinition, outcomes: Mapping[str, bool | None]) -> Totals:
    """Return the totals for outcomes by item id: true passed, false failed, None not applicable.

    An item without an outcome is not applicable; outcomes of items that the definition does not have
    are left out. Without weights the score is the base points and all points of items. With weights it
    is the weighted share of each section that something applied in, out of the weights of those
    sections; sections without a weight add to and take from the whole. A failed ``auto_fail`` item
    takes the score of its section and of the scorecard, a ``fails_section`` one that of its section.
    """
    sections = tuple(_section(definition, section, outcomes) for section in _sections(definition))
    auto_failed = any(item.auto_fail and _failed(item, outcomes) for item in definition.items)
    applied = any(outcomes.get(item.id) is not None for item in definition.items)
    score, possible = _weighted(sections) if definition.weighted else _added(sections)
    if applied and not definition.weighted:
        score, possible = score + definition.base, possible + definition.base
    score = 0.0 if auto_failed else min(max(score, 0.0), possible)
    score, possible = round(score, 2), round(possible, 2)
    totals = Totals(score, possible, sections, None, auto_failed)
    return Totals(score, possible, sections, grade_of(definition, totals.percent), auto_failed)


def grade_of(definition: ScorecardDefinition, percent: float | None) -> Threshold | None:
    """Return the highest threshold that a percentage reaches; None where there is none."""
    if percent is None:
        return None
    reached = [threshold for threshold in definition.thresholds if percent >= threshold.at_least - 1e-9]
    return max(reached, key=lambda threshold: threshold.at_least, default=None)


def _sections(definition: ScorecardDefinition) -> tuple[Section, ...]:
    """The sections as written; those of items alone where a definition was put together without any."""
    if definition.sections:
        return definition.sections
    return tuple(
        Section(name, name, name) for name in dict.fromkeys(item.section for item in definition.items)
    )


def _section(
    definition: ScorecardDefinition, section: Section, outcomes: Mapping[str, bool | None]
) -> SectionTotal:
    items = [item for item in definition.items if item.section == section.id]
    counted = [points_of(item, outcomes.get(item.id)) for item in items]
    failed = [item for item in items if _failed(item, outcomes)]
    zeroed = any(item.auto_fail or item.fails_section for item in failed)
    applied = any(outcomes.get(item.id) is not None for item in items)
    possible = (section.base if applied else 0.0) + sum(earnable for _, earnable in counted)
    points = (section.base if applied else 0.0) + sum(given for given, _ in counted)
    return SectionTotal(
        id=section.id,
        title_zh=section.title_zh,
        title_en=section.title_en,
        score=round(min(points, 0.0) if zeroed else points, 2),
        possible=round(possible, 2),
        auto_failed=zeroed,
        weight=section.weight,
    )


def _added(sections: tuple[SectionTotal, ...]) -> tuple[float, float]:
    return sum(section.score for section in sections), sum(section.possible for section in sections)


def _weighted(sections: tuple[SectionTotal, ...]) -> tuple[float, float]:
    weighing = [section for section in sections if section.weight is not None and section.possible > 0]
    shares = sum(
        (section.weight or 0.0) * min(max(section.score / section.possible, 0.0), 1.0) for section in weighing
    )
    loose = sum(section.score for section in sections if section.weight is None)
    return shares + loose, sum(section.weight or 0.0 for section in weighing)


def _failed(item: Item, outcomes: Mapping[str, bool | None]) -> bool:
    return outcomes.get(item.id) is False and not item.suggest_only
