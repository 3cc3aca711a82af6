"""Reads conversations out of the stages' tables into the plain values that coaching works with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from huaxiang.core.types import Evidence, FindingKind
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.nlp.tables import FindingRow, InsightsRow, ScorecardItemRow, ScorecardRow
from huaxiang.profile.coaching.calls import Call, CallOutcome, ItemResult, Outcome, numbers_of
from huaxiang.profile.coaching.figures import Period
from huaxiang.profile.coaching.objections import Course, answer_kind
from huaxiang.profile.coaching.outcomes import DEFAULT_WINDOW_DAYS, outcomes
from huaxiang.profile.tables import ConversationRow

AGREED = frozenset({"agree_next_step", "purchase_intent"})
NEXT_WORDS_TURNS = 2
_UNKNOWN = CallOutcome(Outcome.UNKNOWN, "no_customer")


@dataclass(frozen=True, slots=True)
class FinalItem:
    """One item as it stands; ``possible`` None where the scorecard's own is to be taken."""

    passed: bool | None
    points: float
    possible: float | None


@dataclass(frozen=True, slots=True)
class FinalScore:
    """A call's score as it stands after review or correction, with its items by id."""

    score: float
    possible: float
    items: Mapping[str, FinalItem]
    reviewed: bool = True


class FinalScores(Protocol):
    """Knows the scores that people have the last word on."""

    def final(self, session: Session, recording_ids: Sequence[str]) -> Mapping[str, FinalScore]:
        """Return the final score of those recordings that were reviewed or corrected."""


class NoReviews:
    """Knows of no review: every score stays the automatic one."""

    def final(self, session: Session, recording_ids: Sequence[str]) -> Mapping[str, FinalScore]:
        """Return nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which conversations: held in a period, of some sellers, one recording; None is no bound."""

    period: Period | None
    sellers: frozenset[str] | None = None
    recording_id: str | None = None


class CoachingReader:
    """Reads conversations and objections of a scope. ``zone`` is whose days are meant."""

    def __init__(self, zone: tzinfo, finals: FinalScores, window_days: int = DEFAULT_WINDOW_DAYS) -> None:
        self._zone = zone
        self._finals = finals
        self._window_days = window_days

    def calls(self, session: Session, scope: Scope, as_of: datetime) -> list[Call]:
        """Return the analysed conversations of a scope, oldest first."""
        within = self.within(scope)
        rows = session.execute(
            select(
                RecordingRow.id,
                RecordingRow.seller,
                HELD_AT.label("held_at"),
                RecordingRow.metadata_["title"].as_string().label("title"),
                ConversationRow.customer_id,
                InsightsRow.metrics,
            )
            .join(InsightsRow, InsightsRow.recording_id == RecordingRow.id)
            .outerjoin(ConversationRow, ConversationRow.recording_id == RecordingRow.id)
            .where(*within)
            .order_by(HELD_AT, RecordingRow.id)
        ).all()
        items = self._items(session, within)
        scores = self._scores(session, within)
        acts = self._acts(session, within)
        finals = self._finals.final(session, [row.id for row in rows])
        ends = self._outcomes(session, {row.id: (row.customer_id, row.held_at) for row in rows}, as_of)
        return [
            _call(
                row,
                scores.get(row.id),
                items.get(row.id, {}),
                finals.get(row.id),
                acts.get(row.id, {}),
                ends.get(row.id, _UNKNOWN),
            )
            for row in rows
        ]

    def courses(self, session: Session, scope: Scope, as_of: datetime) -> list[Course]:
        """Return what became of every objection of a scope, newest first; doubtful ones left out."""
        within = self.within(scope)
        found = session.execute(
            _findings(within, FindingKind.OBJECTION_COURSE)
            .with_only_columns(
                FindingRow.recording_id,
                FindingRow.label,
                FindingRow.value,
                FindingRow.confidence,
                FindingRow.evidence,
                RecordingRow.seller,
                HELD_AT.label("held_at"),
                ConversationRow.customer_id,
            )
            .outerjoin(ConversationRow, ConversationRow.recording_id == RecordingRow.id)
            .order_by(HELD_AT.desc(), FindingRow.recording_id, FindingRow.turn_index, FindingRow.id)
        ).all()
        acts = self._turns_of(session, within, FindingKind.ACT)
        agreed = self._turns_of(session, within, FindingKind.INTENT, AGREED)
        ends = self._outcomes(
            session, {row.recording_id: (row.customer_id, row.held_at) for row in found}, as_of
        )
        return [
            _course(row, acts[row.recording_id], agreed[row.recording_id], ends[row.recording_id].outcome)
            for row in found
        ]

    def within(self, scope: Scope) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of a scope, over the table of recordings."""
        conditions: list[ColumnElement[bool]] = []
        if scope.period is not None:
            first, after = self.bounds(scope.period)
            conditions += [first <= HELD_AT, after > HELD_AT]
        if scope.recording_id is not None:
            conditions.append(RecordingRow.id == scope.recording_id)
        if scope.sellers is not None:
            conditions.append(RecordingRow.seller.in_(scope.sellers))
        return tuple(conditions)

    def bounds(self, period: Period) -> tuple[datetime, datetime]:
        """Return when a period begins, and when it is over."""
        first = datetime.combine(period.first, time(), self._zone)
        after = datetime.combine(period.last + timedelta(days=1), time(), self._zone)
        return first.astimezone(UTC), after.astimezone(UTC)

    def _outcomes(
        self, session: Session, held: Mapping[str, tuple[str | None, datetime]], as_of: datetime
    ) -> Mapping[str, CallOutcome]:
        return outcomes(session, held, as_of, self._window_days, self._zone)

    def _scores(
        self, session: Session, within: Iterable[ColumnElement[bool]]
    ) -> dict[str, tuple[str, float, float]]:
        """Return each recording's main scorecard: its definition, score and possible points."""
        rows = session.execute(
            select(
                ScorecardRow.recording_id, ScorecardRow.definition, ScorecardRow.score, ScorecardRow.possible
            )
            .join(RecordingRow, RecordingRow.id == ScorecardRow.recording_id)
            .where(ScorecardRow.is_current, *within)
            .order_by(ScorecardRow.position.desc(), ScorecardRow.created_at, ScorecardRow.definition.desc())
        )
        return {row.recording_id: (row.definition, row.score, row.possible) for row in rows}

    def _items(
        self, session: Session, within: Iterable[ColumnElement[bool]]
    ) -> dict[str, dict[str, dict[str, FinalItem]]]:
        """Return the items of each present scorecard by recording and definition.

        Those of earlier versions, which every scoring of the history adds to, are not read.
        """
        row = ScorecardItemRow
        rows = session.execute(
            select(row.recording_id, row.definition, row.item_id, row.passed, row.points, row.possible)
            .join(RecordingRow, RecordingRow.id == row.recording_id)
            .join(
                ScorecardRow,
                (ScorecardRow.recording_id == row.recording_id) & (ScorecardRow.definition == row.definition),
            )
            .where(ScorecardRow.is_current, *within)
        )
        found: dict[str, dict[str, dict[str, FinalItem]]] = defaultdict(lambda: defaultdict(dict))
        for item in rows:
            found[item.recording_id][item.definition][item.item_id] = FinalItem(
                item.passed, item.points, item.possible
            )
        return found

    def _acts(self, session: Session, within: Iterable[ColumnElement[bool]]) -> dict[str, dict[str, int]]:
        rows = session.execute(
            _findings(within, FindingKind.ACT)
            .with_only_columns(FindingRow.recording_id, FindingRow.label, func.count())
            .group_by(FindingRow.recording_id, FindingRow.label)
        )
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for recording_id, label, count in rows:
            found[recording_id][label] = count
        return found

    def _turns_of(
        self,
        session: Session,
        within: Iterable[ColumnElement[bool]],
        kind: FindingKind,
        labels: Iterable[str] = (),
    ) -> dict[str, list[tuple[int, str]]]:
        wanted = list(labels)
        rows = session.execute(
            _findings(within, kind)
            .with_only_columns(FindingRow.recording_id, FindingRow.turn_index, FindingRow.label)
            .where(*([FindingRow.label.in_(wanted)] if wanted else []))
        )
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for recording_id, turn, label in rows:
            found[recording_id].append((turn, label))
        return found


def _findings(within: Iterable[ColumnElement[bool]], kind: FindingKind) -> Select[Any]:
    return (
        select(FindingRow)
        .join(RecordingRow, RecordingRow.id == FindingRow.recording_id)
        .where(FindingRow.kind == kind, FindingRow.for_review.is_(False), *within)
    )


def _call(
    row: Row[Any],
    automatic: tuple[str, float, float] | None,
    items: Mapping[str, Mapping[str, FinalItem]],
    final: FinalScore | None,
    acts: Mapping[str, int],
    outcome: CallOutcome,
) -> Call:
    score, possible, judged = None, 0.0, {}
    if automatic is not None:
        definition, points, possible = automatic
        score, judged = _percent(points, possible), dict(items.get(definition, {}))
    usual = {item: result.possible for item, result in judged.items()}
    if final is not None:
        score, possible, judged = _percent(final.score, final.possible), final.possible, dict(final.items)
    return Call(
        recording_id=row.id,
        seller=row.seller,
        held_at=row.held_at,
        customer_id=row.customer_id,
        title=row.title or "",
        score=score,
        possible=possible,
        reviewed=final is not None and final.reviewed,
        items={item: _result(result, usual.get(item) or 0.0) for item, result in judged.items()},
        acts=acts,
        numbers=numbers_of(row.metrics),
        outcome=outcome,
    )


def _result(item: FinalItem, usual: float) -> ItemResult:
    possible = usual if item.possible is None else item.possible
    return ItemResult(item.passed, max(0.0, possible - item.points), possible)


def _percent(points: float, possible: float) -> float | None:
    return 100 * points / possible if possible > 0 else None


def _course(
    row: Row[Any], acts: Sequence[tuple[int, str]], agreed: Sequence[tuple[int, str]], outcome: Outcome
) -> Course:
    value: Mapping[str, Any] = row.value
    objection, answer, reaction = value["objection"], value["answer"], value["reaction"]
    # From the objection to the reaction; where nothing answered it, the very next words alone.
    end = objection + NEXT_WORDS_TURNS if answer is None else max(answer, (reaction or 0) - 1)
    said = {label for turn, label in acts if objection < turn <= end}
    evidence = {spot.turn: spot for spot in (Evidence(**stored) for stored in row.evidence)}
    parts = (("objection", objection), ("answer", answer), ("reaction", reaction))
    return Course(
        recording_id=row.recording_id,
        seller=row.seller,
        held_at=row.held_at,
        objection=row.label,
        turn=objection,
        answer=answer_kind(said),
        mood_change=value["sentiment_change"],
        settled=value["status"] == "answered",
        next_step=any(turn > objection for turn, _ in agreed),
        outcome=outcome,
        confidence=row.confidence,
        quotes=tuple((name, evidence[turn]) for name, turn in parts if turn in evidence),
    )
