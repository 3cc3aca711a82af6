"""Judges stored features by scorecards: what is run in the processes that go over the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from huaxiang.core.types import Finding, FindingKind, Insights, Scorecard
from huaxiang.quality.applies import applies
from huaxiang.quality.definition import Condition, ScorecardDefinition
from huaxiang.quality.heard import Heard, Likeness, Told
from huaxiang.quality.history.features import Features
from huaxiang.quality.history.fingerprint import Fingerprints
from huaxiang.quality.history.store import Packed
from huaxiang.quality.history.vectors import SentenceMap, StoredLikeness, unpack_vectors
from huaxiang.quality.inspector import Inspector, needs_review, outcome_of, roles_in_doubt, verdict_of
from huaxiang.quality.totals import total


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
    ``sentences`` are the vectors of what conditions compare turns with; a recording without vectors of
    its turns, or a task without sentences, leaves such conditions untold.
    """

    definitions: tuple[ScorecardDefinition, ...]
    teams: Mapping[str, str] = field(default_factory=dict)
    sentences: SentenceMap = field(default_factory=dict)

    @classmethod
    def by(
        cls,
        definitions: Sequence[ScorecardDefinition],
        teams: Mapping[str, str],
        sentences: SentenceMap | None = None,
    ) -> Judging:
        """Return the task for these scorecards, with equal conditions made one."""
        prints, known = Fingerprints(), dict[str, Condition]()
        shared = tuple(_sharing(definition, prints, known) for definition in definitions)
        return cls(shared, dict(teams), dict(sentences or {}))

    def __call__(self, packed: Packed) -> Rescored:
        """Return what each scorecard comes to."""
        heard = self.heard(packed, cites=False)
        return Rescored(
            packed.recording_id,
            packed.seller,
            packed.started_at,
            tuple(
                _marks(definition, heard) if applies(definition, heard) else None
                for definition in self.definitions
            ),
        )

    def heard(self, packed: Packed, *, cites: bool = True) -> StoredHeard:
        """Return a stored conversation as the conditions of this task see it."""
        likeness = None
        if self.sentences and packed.vectors is not None:
            dimension = len(next(iter(self.sentences.values())))
            likeness = StoredLikeness(unpack_vectors(packed.vectors, dimension), self.sentences)
        return StoredHeard.of(packed.features(), self.teams, likeness, cites=cites)

    def scorecards(self, packed: Packed) -> tuple[Scorecard | None, ...]:
        """Return the scorecards of one conversation in full."""
        heard = self.heard(packed)
        return tuple(
            Inspector(definition).score(heard) if applies(definition, heard) else None
            for definition in self.definitions
        )


@dataclass(frozen=True)
class StoredHeard(Heard):
    """Stored features as conditions see them; findings are opened when their kind is asked for."""

    features: Features | None = field(default=None, compare=False, repr=False)
    opened: dict[FindingKind, tuple[Finding, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        features: Features,
        teams: Mapping[str, str],
        likeness: Likeness | None = None,
        *,
        cites: bool = True,
    ) -> StoredHeard:
        """Return the features with the seller's team as it is now.

        With ``cites`` false only outcomes are asked for, and no quotes are cut.
        """
        told = dict(features.told)
        told.pop("team", None)
        seller = told.get("seller")
        if isinstance(seller, str) and seller in teams:
            told["team"] = teams[seller]
        measured = Insights((), features.metrics, (), features.model)
        return cls(features.transcript, measured, Told(told), likeness, cites=cites, features=features)

    def findings(self, kind: FindingKind) -> Sequence[Finding]:
        """Return the findings of a kind, in the order of the conversation."""
        if self.features is None:
            return super().findings(kind)
        if kind not in self.opened:
            self.opened[kind] = self.features.findings(kind)
        return self.opened[kind]


def _marks(definition: ScorecardDefinition, heard: Heard) -> Marks:
    """Return what a scorecard comes to, as the Inspector would, without making the scorecard."""
    unsure = roles_in_doubt(heard.transcript)
    verdicts = [verdict_of(item, heard) for item in definition.items]
    passed = tuple(map(outcome_of, definition.items, verdicts))
    judged = zip(definition.items, verdicts, passed, strict=True)
    totals = total(definition, {item.id: outcome for item, _, outcome in judged})
    return Marks(
        totals.score,
        totals.possible,
        totals.auto_failed,
        totals.grade.id if totals.grade else "",
        passed,
        tuple(
            needs_review(item, verdict, outcome, unsure)
            for item, verdict, outcome in zip(definition.items, verdicts, passed, strict=True)
        ),
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
