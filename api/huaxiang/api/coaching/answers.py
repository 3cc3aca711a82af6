"""The objection map, what it suggests for the library, and the digest of a week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.coaching.reading import Scope
from huaxiang.api.coaching.records import BEHAVIOUR_DAYS, Records, split_by_seller
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.profile.coaching import digest as weekly
from huaxiang.profile.coaching.behaviours import Behaviours
from huaxiang.profile.coaching.calls import Call, Clip
from huaxiang.profile.coaching.figures import Period
from huaxiang.profile.coaching.library import Candidate, Entry, Passage
from huaxiang.profile.coaching.objections import NO_ANSWER, Course, Measure, ObjectionMap, objection_map
from huaxiang.profile.coaching.suggestions import suggest

DEFAULT_MAP_DAYS = 91
BEST_ANSWERS = 5


class Appeals(Protocol):
    """Knows the appeals against scores."""

    def of_period(self, session: Session, first: datetime, after: datetime) -> Sequence[weekly.Appeal]:
        """Return the appeals that were made from ``first`` until before ``after``."""


class NoAppeals:
    """Knows of no appeal."""

    def of_period(self, session: Session, first: datetime, after: datetime) -> Sequence[weekly.Appeal]:
        """Return nothing."""
        return ()


class AnswerDesk:
    """The objection map and what it suggests. Takes the caller's session, never commits."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def objections(
        self,
        session: Session,
        as_of: datetime,
        days: int = DEFAULT_MAP_DAYS,
        measure: Measure = Measure.NEXT_STEP,
        team: str | None = None,
    ) -> tuple[ObjectionMap, Sequence[Course]]:
        """Return the map of the last ``days`` with the courses that it counts, newest first."""
        scope = Scope(self._records.period(as_of, days), self._records.of_team(session, team))
        courses = self._records.courses(session, scope, as_of)
        return objection_map(courses, measure), courses

    def candidates(
        self, session: Session, as_of: datetime, days: int = DEFAULT_MAP_DAYS
    ) -> Sequence[Candidate]:
        """Return what the map suggests for the library, best first."""
        found, courses = self.objections(session, as_of, days)
        consenting = self._records.sellers.consenting(session)
        return self._records.library.suggested(session, found, courses, consenting)

    def course(
        self, session: Session, recording_id: str, objection: str, turn: int, as_of: datetime
    ) -> Course:
        """Return one objection by its recording, kind and turn. Raises NotFound."""
        for course in self._records.reader.courses(session, Scope(None, None, recording_id), as_of):
            if (course.objection, course.turn) == (objection, turn):
                return course
        raise NotFound("there is no such objection")

    def clips(self, session: Session, entries: Sequence[Entry]) -> Mapping[str, Clip]:
        """Return what is to be heard of each entry of the library, by its id."""
        wanted = {entry.passage.recording_id for entry in entries}
        held = {
            row.id: row.held_at
            for row in session.execute(
                select(RecordingRow.id, HELD_AT.label("held_at")).where(RecordingRow.id.in_(wanted))
            )
        }
        return {
            entry.id: Clip(
                entry.passage.recording_id,
                entry.passage.seller,
                held[entry.passage.recording_id],
                tuple(zip(_parts(entry.passage), entry.passage.evidence, strict=False)),
            )
            for entry in entries
        }


@dataclass(frozen=True, slots=True)
class _Judged:
    """What takes long to tell of a week, and is remembered: what moved, and whom to coach."""

    changes: tuple[weekly.Change, ...]
    coaching: tuple[weekly.Coaching, ...]


class DigestDesk:
    """The digest of a week. Takes the caller's session, never commits."""

    def __init__(self, records: Records, appeals: Appeals) -> None:
        self._records = records
        self._appeals = appeals

    def digest(self, session: Session, week: str, team: str | None, as_of: datetime) -> weekly.Digest:
        """Return the digest of an ISO week, of one team or of all. Raises InvalidInput, NotFound."""
        records, period = self._records, weekly.period_of_week(week)
        if period.first > as_of.astimezone(records.zone).date():
            raise InvalidInput("this week has not begun")
        wanted, teams = records.of_team(session, team), records.sellers.team_of(session)
        reach = Period(period.last - timedelta(days=BEHAVIOUR_DAYS - 1), period.last)
        history = records.calls(session, reach, as_of)
        mine = _only(history, wanted)
        now = _by_team(records.within(mine, period), teams, split=team is None)
        before = _by_team(records.within(mine, period.before), teams, split=team is None)
        known = records.behaviours(session, reach, as_of)
        judged = records.memory.recall(
            session,
            as_of,
            ("week", period, wanted, frozenset(teams.items())),
            lambda: _Judged(
                weekly.changes(now, before), self._coaching(known, history, wanted, period, teams)
            ),
        )
        courses = records.courses(session, Scope(period, wanted), as_of)
        candidates = records.library.suggested(
            session, objection_map(courses), courses, records.sellers.consenting(session)
        )
        start, end = records.reader.bounds(period)
        adopted = (entry for entry in records.library.list(session) if start <= entry.adopted_at < end)
        due = records.practices.due(session, period.last)
        appeals = self._appeals.of_period(session, start, end)
        return weekly.Digest(
            week=week,
            period=period,
            team=team,
            teams=weekly.team_weeks(now, before),
            changes=judged.changes,
            coaching=judged.coaching,
            best_answers=tuple(candidates[:BEST_ANSWERS]),
            adopted=tuple(one for one in adopted if wanted is None or one.passage.seller in wanted),
            due=tuple(one for one in due if wanted is None or one.seller in wanted),
            appeals=tuple(one for one in appeals if wanted is None or one.seller in wanted),
            outcomes=weekly.outcome_counts(now[None]),
        )

    def _coaching(
        self,
        known: Behaviours,
        history: Sequence[Call],
        wanted: frozenset[str] | None,
        period: Period,
        teams: Mapping[str, str],
    ) -> tuple[weekly.Coaching, ...]:
        """Return what each seller of the week should practise, judged by the four weeks up to its end."""
        recent = self._records.within(history, Period(period.last - timedelta(days=27), period.last))
        spoke = {call.seller for call in self._records.within(history, period) if call.seller is not None}
        found = []
        for seller in sorted(spoke if wanted is None else spoke & wanted):
            own, others = split_by_seller(recent, seller, dict(teams))
            advised = suggest(own, others, known)
            found.append(weekly.Coaching(seller, advised.found, advised.calls_needed))
        return tuple(found)


def _parts(passage: Passage) -> Iterable[str]:
    """Return what each quote of a passage is, in their order (``passage_of``)."""
    if not passage.topic.startswith("objection."):
        return repeat("example")
    return ("objection", "reaction") if passage.answer == NO_ANSWER else ("objection", "answer", "reaction")


def _only(calls: Iterable[Call], sellers: frozenset[str] | None) -> list[Call]:
    return [call for call in calls if sellers is None or call.seller in sellers]


def _by_team(calls: Sequence[Call], teams: Mapping[str, str], *, split: bool) -> dict[str | None, list[Call]]:
    """Return all conversations under None, and where ``split`` is asked for each team's under its name."""
    found: dict[str | None, list[Call]] = defaultdict(list)
    found[None] = list(calls)
    for call in calls if split else ():
        team = teams.get(call.seller or "")
        if team is not None:
            found[team].append(call)
    return found
