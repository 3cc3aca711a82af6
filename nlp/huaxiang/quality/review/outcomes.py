"""What an item may come to, who judges, and what is done to a case: the words of the log of reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from huaxiang.core.types import Json, ScorecardItem


class Outcome(StrEnum):
    """What an item of a scorecard came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"

    @property
    def passed(self) -> bool | None:
        """The outcome as ``ScorecardItem.passed`` has it."""
        return {"passed": True, "failed": False}.get(self.value)


def outcome_of(passed: bool | None) -> Outcome:
    """Return the outcome of ``ScorecardItem.passed``."""
    if passed is None:
        return Outcome.NOT_APPLICABLE
    return Outcome.PASSED if passed else Outcome.FAILED


class ActKind(StrEnum):
    """What somebody did to a case."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    JUDGED = "judged"
    REVIEWED = "reviewed"
    REOPENED = "reopened"
    APPEALED = "appealed"
    SETTLED = "settled"


class CaseState(StrEnum):
    """How far a case has come: 待复核, 已复核, 申诉中, 已终审."""

    TO_REVIEW = "to_review"
    REVIEWED = "reviewed"
    APPEALED = "appealed"
    FINAL = "final"


class Origin(StrEnum):
    """Why a call is looked at: drawn by a plan, chosen by a manager, or asked for by its seller."""

    SAMPLED = "sampled"
    CHOSEN = "chosen"
    SELLER = "seller"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: ``key`` tells all callers apart, ``name`` is for the screen and for assignments."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody says of one item, with the reason; a reason is needed where it changes something."""

    item: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the log of a case. ``sequence`` counts from 1 within it; rows never change."""

    sequence: int
    kind: ActKind
    actor: Actor
    at: datetime
    item: str | None = None
    outcome: Outcome | None = None
    reason: str = ""
    payload: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Automatic:
    """An item as the rules judged it when the case was opened: kept, whatever is scored later."""

    id: str
    title: str
    outcome: Outcome
    points: float
    possible: float
    confidence: float
    auto_fail: bool
    for_review: bool


def automatic_of(item: ScorecardItem) -> Automatic:
    """Return what is kept of an automatic judgement."""
    return Automatic(
        id=item.id,
        title=item.title,
        outcome=outcome_of(item.passed),
        points=item.points,
        possible=item.possible,
        confidence=item.confidence,
        auto_fail=item.auto_fail,
        for_review=item.for_review,
    )
