"""What a scorecard is made of: items that pass or fail by conditions over turns, findings and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from huaxiang.core.types import FindingKind, Role


@dataclass(frozen=True, slots=True)
class Place:
    """The part of a conversation that a condition searches; without a bound it is the whole.

    ``end`` is ``first`` or ``last``, ``unit`` is ``seconds``, ``percent`` or ``turns``.
    """

    end: str = "first"
    amount: float = 100.0
    unit: str = "percent"


WHOLE = Place()


@dataclass(frozen=True, slots=True)
class FindingCondition:
    """Holds where findings of a kind (and one of the labels) stand in the place, ``at_least`` times.

    With ``followed_by`` only those count that such a finding follows ``within_turns`` turns.
    """

    kind: FindingKind
    labels: frozenset[str]
    role: Role | None = None
    place: Place = WHOLE
    min_confidence: float = 0.0
    at_least: int = 1
    followed_by: FindingCondition | None = None
    within_turns: int = 2


@dataclass(frozen=True, slots=True)
class KeywordCondition:
    """Holds where any (``at_least`` 1), several, or all of the words are said."""

    words: tuple[str, ...]
    at_least: int = 1
    role: Role | None = None
    place: Place = WHOLE


@dataclass(frozen=True, slots=True)
class PatternCondition:
    """Holds where a regular expression matches a turn that ``unless`` does not match."""

    pattern: str
    unless: str | None = None
    role: Role | None = None
    place: Place = WHOLE


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """Holds where a metric (by its dotted name, as ``sentiment.customer.overall``) lies within bounds."""

    name: str
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class AnsweredCondition:
    """Holds where at least ``share`` of the objections got the act ``by`` within so many turns.

    A conversation without an objection has no answer: the condition then does not apply.
    """

    by: frozenset[str]
    within_turns: int = 2
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where some part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where its part does not."""

    part: Condition


Condition: TypeAlias = (
    FindingCondition
    | KeywordCondition
    | PatternCondition
    | MetricCondition
    | AnsweredCondition
    | AllOf
    | AnyOf
    | Not
)


@dataclass(frozen=True, slots=True)
class Example:
    """A small conversation that a rule's author gives with the result that it must have."""

    turns: tuple[tuple[Role, str], ...]
    holds: bool
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a scorecard.

    With ``forbidden`` the condition is a fault and costs ``points``; without, it earns them. Where
    ``applies`` is given and does not hold, the item is not applicable and leaves the possible score.
    ``auto_fail`` (一票否决) takes the whole score where the item fails.
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


@dataclass(frozen=True, slots=True)
class ScorecardDefinition:
    """A scorecard as written, at one version."""

    id: str
    version: int
    title_zh: str
    title_en: str
    items: tuple[Item, ...]

    @property
    def reference(self) -> str:
        """``id @ version``, written on every score."""
        return f"{self.id} @ {self.version}"
