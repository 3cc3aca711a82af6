"""Judges stored features by scorecards: what is run in the processes that go over the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from huaxiang.core.types import Scorecard
from huaxiang.quality.definition import Condition, ScorecardDefinition
from huaxiang.quality.heard import Heard, Told
from huaxiang.quality.history.features import Features
from huaxiang.quality.history.fingerprint import Fingerprints
from huaxiang.quality.history.store import Packed
from huaxiang.quality.inspector import Inspector


@dataclass(frozen=True, slots=True)
class Marks:
    """What one scorecard came to in one conversation, without its evidence.

    ``passed`` and ``for_review`` are by item, in the order of the definition.
    """

    score: float
    possible: float
    auto_failed: bool
    grade: str
    passed: tuple[bool | None, ...]
    for_review: tuple[bool, ...]

    @property
    def percent(self) -> float | None:
        """The score in percent of what was possible; None where nothing applied."""
        return 100 * self.score / self.possible if self.possible > 0 else None


@dataclass(frozen=True, slots=True)
class Rescored:
    """One conversation judged by several scorecards; None where one does not apply to it."""

    recording_id: str
    seller: str | None
    started_at: datetime
    marks: tuple[Marks | None, ...]


@dataclass(frozen=True)
class Judging:
    """Judges a conversation by scorecards; what they share is judged once. May be pickled.

    ``teams`` has the team of each seller as it is now: told facts are as of the day of the recording.
    """

    definitions: tuple[ScorecardDefinition, ...]
    teams: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, definitions: Sequence[ScorecardDefinition], teams: Mapping[str, str]) -> Judging:
        """Return the task for these scorecards, with equal conditions made one."""
        prints, known = Fingerprints(), dict[str, Condition]()
        shared = tuple(_sharing(definition, prints, known) for definition in definitions)
        return cls(shared, dict(teams))

    def __call__(self, packed: Packed) -> Rescored:
        """Return what each scorecard comes to."""
        scorecards = self.scorecards(packed.features())
        return Rescored(
            packed.recording_id,
            packed.seller,
            packed.started_at,
            tuple(None if scorecard is None else marks_of(scorecard) for scorecard in scorecards),
        )

    def scorecards(self, features: Features) -> tuple[Scorecard | None, ...]:
        """Return the scorecards of one conversation in full."""
        heard = heard_of(features, self.teams)
        return tuple(
            Inspector(definition).score(heard) if applies(definition, heard) else None
            for definition in self.definitions
        )


def heard_of(features: Features, teams: Mapping[str, str]) -> Heard:
    """Return stored features as conditions see them, with the seller's team as it is now."""
    told = dict(features.told)
    seller = told.get("seller")
    team = teams.get(seller) if isinstance(seller, str) else None
    told.pop("team", None)
    return Heard(
        features.transcript, features.insights, Told(told if team is None else told | {"team": team})
    )


def marks_of(scorecard: Scorecard) -> Marks:
    """Return a scorecard without its evidence."""
    return Marks(
        scorecard.score,
        scorecard.possible,
        scorecard.auto_failed,
        scorecard.grade_id,
        tuple(item.passed for item in scorecard.items),
        tuple(item.for_review for item in scorecard.items),
    )


def _sharing(
    definition: ScorecardDefinition, prints: Fingerprints, known: dict[str, Condition]
) -> ScorecardDefinition:
    """Replace conditions by equal ones met before, and leave out what only authors need."""

    def one(condition: Condition) -> Condition:
        return known.setdefault(prints.of(condition), condition)

    items = tuple(
        replace(
            item,
            examples=(),
            condition=one(item.condition),
            applies=None if item.applies is None else one(item.applies),
        )
        for item in definition.items
    )
    return replace(definition, items=items)


def applies(definition: ScorecardDefinition, heard: Heard) -> bool:
    """Tell whether a scorecard is meant for a conversation."""
    return True
