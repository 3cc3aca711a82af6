"""What a rule file says: scorecards of items, and rules, that hold by conditions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from huaxiang.core.types import Json, Role
from huaxiang.quality.condition_types import (
    WHOLE,
    AllOf,
    Anchored,
    AnsweredCondition,
    AnyOf,
    Condition,
    FindingCondition,
    InterruptionCondition,
    KeywordCondition,
    MetadataCondition,
    MetricCondition,
    Not,
    OnlyWhere,
    PatternCondition,
    Place,
    RepetitionCondition,
    SilenceCondition,
    SimilarCondition,
    SpeechRateCondition,
    Where,
)
from huaxiang.quality.references import reference_to

__all__ = [
    "WHOLE",
    "AllOf",
    "Anchored",
    "AnsweredCondition",
    "AnyOf",
    "AppliesTo",
    "Condition",
    "Example",
    "ExampleTurn",
    "FindingCondition",
    "InterruptionCondition",
    "Item",
    "KeywordCondition",
    "MetadataCondition",
    "MetricCondition",
    "Not",
    "OnlyWhere",
    "PatternCondition",
    "Place",
    "RepetitionCondition",
    "Rule",
    "RuleSet",
    "ScorecardDefinition",
    "Scoring",
    "Section",
    "Severity",
    "SilenceCondition",
    "SimilarCondition",
    "SpeechRateCondition",
    "Threshold",
    "Where",
]


class Scoring(StrEnum):
    """What an item's points are: part of the possible score, on top of it (加分), or taken off (扣分)."""

    EARN = "earn"
    ADD = "add"
    TAKE = "take"


class Severity(StrEnum):
    """How bad a hit of a rule is."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class ExampleTurn:
    """One turn of an example; the times are in ms, and None where the author gave none."""

    role: Role
    text: str
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A small conversation that a rule's author gives with the result that it must have.

    ``holds`` None says that the rule must not apply. ``metadata`` is what would be told about such a
    recording, by the names of ``huaxiang.quality.heard.FACTS``.
    """

    turns: tuple[ExampleTurn, ...]
    holds: bool | None
    line: int
    metadata: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a scorecard.

    With ``forbidden`` the item fails where its condition holds; without, it passes there. Where
    ``applies`` is given and does not hold, the item is not applicable and leaves the possible score.
    ``scoring`` says what ``points`` do; as it comes, a forbidden item takes them and another earns
    them. ``auto_fail`` (一票否决) takes the score of section and scorecard where the item fails,
    ``fails_section`` that of its section alone. ``suggest_only`` items are shown and never counted.
    """

    id: str
    title_zh: str
    title_en: str
    points: float
    condition: Condition
    applies: Condition | None = None
    forbidden: bool = False
    auto_fail: bool = False
    section: str = ""
    examples: tuple[Example, ...] = ()
    scoring: Scoring | None = None
    fails_section: bool = False
    suggest_only: bool = False
    line: int = 0

    @property
    def counts_as(self) -> Scoring:
        """What the points do."""
        return self.scoring or (Scoring.TAKE if self.forbidden else Scoring.EARN)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a scorecard.

    ``weight`` is its percentage of the score, None where sections are not weighted. ``base`` are the
    points that it starts with, from which items take.
    """

    id: str
    title_zh: str
    title_en: str
    weight: float | None = None
    base: float = 0.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """A named grade (优秀, 合格, 不合格) from so many percent of the possible score on."""

    id: str
    at_least: float
    title_zh: str
    title_en: str


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Which recordings get a scorecard; what is empty or None leaves all.

    A recording that does not say what is asked for (no setting, no seller) is not meant.
    """

    settings: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    sellers: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    min_duration_s: float | None = None
    max_duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class ScorecardDefinition:
    """A scorecard as written, at one version; ``used_rules`` are those of other files that it refers to.

    ``base`` are the points that the whole starts with (基础分). ``priority`` orders the scorecards of
    a recording, the highest first. ``applies_when`` is a condition that the conversation has to meet.
    """

    id: str
    version: int
    title_zh: str
    title_en: str
    items: tuple[Item, ...]
    sections: tuple[Section, ...] = ()
    base: float = 0.0
    thresholds: tuple[Threshold, ...] = ()
    applies_to: AppliesTo = AppliesTo()
    applies_when: Condition | None = None
    priority: int = 50
    rules: tuple[Rule, ...] = ()
    used_rules: frozenset[str] = frozenset()

    @property
    def reference(self) -> str:
        """``id @ version``, written on every score."""
        return reference_to(self.id, self.version)

    @property
    def weighted(self) -> bool:
        """Whether sections have weights, so that the score is in percent."""
        return any(section.weight is not None for section in self.sections)

    def suggesting(self, items: Collection[str]) -> ScorecardDefinition:
        """Return the scorecard as if it were written so that these items only suggest."""
        return replace(
            self,
            items=tuple(
                replace(item, suggest_only=True) if item.id in items else item for item in self.items
            ),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of its own: what to look for, how bad a hit is, and what is said to people on one.

    With ``suggest_only`` (below its floor of precision) hits are shown for review and count nowhere.
    """

    id: str
    title_zh: str
    title_en: str
    severity: Severity
    says_zh: str
    says_en: str
    condition: Condition
    suggest_only: bool = False
    examples: tuple[Example, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A file of rules, at one version."""

    id: str
    version: int
    title_zh: str
    title_en: str
    rules: tuple[Rule, ...]
    used_rules: frozenset[str] = frozenset()

    @property
    def reference(self) -> str:
        """``id @ version``."""
        return reference_to(self.id, self.version)
