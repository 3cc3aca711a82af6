"""The week in one page: what changed, whom to coach on what, which answers were best."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from huaxiang.core.database import within_reach
from huaxiang.core.errors import InvalidInput
from huaxiang.profile.coaching.calls import Call, Outcome
from huaxiang.profile.coaching.figures import SCORE, Figure, Period, figure, figures
from huaxiang.profile.coaching.library import Candidate, Entry
from huaxiang.profile.coaching.practices import Practice
from huaxiang.profile.coaching.statistics import false_discovery
from huaxiang.profile.coaching.suggestions import Suggestion

CHANGE_RATE = 0.1
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


@dataclass(frozen=True, slots=True)
class TeamWeek:
    """A team's week: its conversations now and the week before, and its score; None is the whole company."""

    team: str | None
    conversations: int
    conversations_before: int
    score: Figure


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that moved beyond chance from one week to the next, in one team (None: the company)."""

    team: str | None
    figure: Figure
    q: float


@dataclass(frozen=True, slots=True)
class Coaching:
    """Whom to coach on what; ``calls_needed`` is not 0 where there is too little to say."""

    seller: str
    suggestions: tuple[Suggestion, ...]
    calls_needed: int


@dataclass(frozen=True, slots=True)
class Appeal:
    """A score that a seller appealed against: some items, or the whole where none is named."""

    recording_id: str
    seller: str | None
    items: tuple[str, ...]
    state: str
    appealed_at: datetime


@dataclass(frozen=True, slots=True)
class Digest:
    """All of a week. ``outcomes`` counts its conversations by what is known of them so far."""

    week: str
    period: Period
    team: str | None
    teams: tuple[TeamWeek, ...]
    changes: tuple[Change, ...]
    coaching: tuple[Coaching, ...]
    best_answers: tuple[Candidate, ...]
    adopted: tuple[Entry, ...]
    due: tuple[Practice, ...]
    appeals: tuple[Appeal, ...]
    outcomes: Mapping[str, int]


def week_of(day: date) -> str:
    """Return the ISO week of a day, as ``2026-W47``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def period_of_week(week: str) -> Period:
    """Return Monday to Sunday of an ISO week like ``2026-W47``. Raises InvalidInput."""
    match = _WEEK.fullmatch(week)
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
        if monday is not None:
            within_reach(datetime.combine(monday, time(), UTC))
    except (ValueError, InvalidInput):
        monday = None
    if monday is None:
        raise InvalidInput("a week is an ISO week like 2026-W47")
    return Period(monday, monday + timedelta(days=6))


def team_weeks(
    now: Mapping[str | None, Sequence[Call]], before: Mapping[str | None, Sequence[Call]]
) -> tuple[TeamWeek, ...]:
    """Return each team's week, the company (None) first, then by name."""
    teams = sorted({*now, *before} - {None}, key=str)
    return tuple(
        TeamWeek(
            team,
            len(now.get(team, ())),
            len(before.get(team, ())),
            figure(SCORE, now.get(team, ()), before.get(team, ()), ()),
        )
        for team in (None, *teams)
    )


def changes(
    now: Mapping[str | None, Sequence[Call]], before: Mapping[str | None, Sequence[Call]]
) -> tuple[Change, ...]:
    """Return what moved from the week before, the surest first.

    All figures of all teams are tested together, and the false discovery rate of the list is held at
    ``CHANGE_RATE``: among a hundred figures some always move.
    """
    found = [
        (team, one, one.change.p)
        for team in sorted({*now, *before}, key=str)
        for one in figures(now.get(team, ()), before.get(team, ()), ())
        if one.change is not None and one.change.p is not None
    ]
    adjusted = false_discovery([p for _, _, p in found])
    moved = [
        Change(team, one, q) for (team, one, _), q in zip(found, adjusted, strict=True) if q <= CHANGE_RATE
    ]
    return tuple(sorted(moved, key=lambda change: (change.q, str(change.team), change.figure.key)))


def outcome_counts(calls: Sequence[Call]) -> dict[str, int]:
    """Return how many conversations were won, lost, are open, or unknown."""
    return {kind.value: sum(call.outcome.outcome is kind for call in calls) for kind in Outcome}
