"""What all of coaching stands on: conversations, sellers, teams and days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.coaching.memory import Memory
from huaxiang.api.coaching.reading import CoachingReader, Scope
from huaxiang.core.errors import NotFound
from huaxiang.ingest.tables import RecordingRow
from huaxiang.profile.coaching.behaviours import Behaviours, behaviours
from huaxiang.profile.coaching.calls import Call
from huaxiang.profile.coaching.figures import DEFAULT_PERIOD_DAYS, Period
from huaxiang.profile.coaching.library import Library
from huaxiang.profile.coaching.objections import Course
from huaxiang.profile.coaching.practices import PracticeStore
from huaxiang.profile.coaching.registration import write_seller
from huaxiang.profile.coaching.sellers import Seller, SellerStore, SellerValues

BEHAVIOUR_DAYS = 182
"""How far back won and lost conversations are compared, in days."""
USUAL_REACH_DAYS = 200
"""How far back conversations are read at least, so that all usual pages stand on one reading."""


class Records:
    """Conversations of some days and the stores of coaching. ``zone`` is whose days are meant."""

    def __init__(self, reader: CoachingReader, zone: tzinfo) -> None:
        self.reader = reader
        self.zone = zone
        self.memory = Memory(zone)
        self.sellers = SellerStore()
        self.library = Library()
        self.practices = PracticeStore()

    def period(self, as_of: datetime, days: int = DEFAULT_PERIOD_DAYS) -> Period:
        """Return the days up to and with that of ``as_of``."""
        last = as_of.astimezone(self.zone).date()
        return Period(last - timedelta(days=days - 1), last)

    def calls(self, session: Session, period: Period, as_of: datetime) -> list[Call]:
        """Return the conversations of a period, oldest first."""
        today = as_of.astimezone(self.zone).date()
        reach = Period(min(period.first, today - timedelta(days=USUAL_REACH_DAYS)), max(period.last, today))
        known = self.memory.recall(
            session, as_of, ("calls", reach), lambda: self.reader.calls(session, Scope(reach), as_of)
        )
        first, after = self.reader.bounds(period)
        return [call for call in known if first <= call.held_at < after]

    def courses(self, session: Session, scope: Scope, as_of: datetime) -> Sequence[Course]:
        """Return what became of every objection of a scope, newest first."""
        return self.memory.recall(
            session, as_of, ("courses", scope), lambda: self.reader.courses(session, scope, as_of)
        )

    def behaviours(self, session: Session, period: Period, as_of: datetime) -> Behaviours:
        """Return which behaviours go with won conversations of a period."""
        return self.memory.recall(
            session, as_of, ("behaviours", period), lambda: behaviours(self.calls(session, period, as_of))
        )

    def within(self, calls: Iterable[Call], period: Period) -> list[Call]:
        """Return those of ``calls`` that were held in a period."""
        return [call for call in calls if period.has(call, self.zone)]

    def all_sellers(self, session: Session) -> Sequence[Seller]:
        """Return all sellers, those known from recordings only among them."""
        seen = session.scalars(select(RecordingRow.seller).where(RecordingRow.seller.is_not(None)).distinct())
        return self.sellers.list(session, seen=[key for key in seen if key is not None])

    def of_team(self, session: Session, team: str | None) -> frozenset[str] | None:
        """Return the sellers of a team, None for no team. Raises NotFound for a team without any."""
        if team is None:
            return None
        found = frozenset(key for key, name in self.sellers.team_of(session).items() if name == team)
        if not found:
            raise NotFound("there is no such team")
        return found

    def consent(self, session: Session, key: str, *, consents: bool, by: str) -> Seller:
        """Note whether others may learn from a seller's words; one known from recordings only is registered.

        Raises NotFound for one whom neither a row nor a recording knows.
        """
        if key not in {seller.key for seller in self.all_sellers(session)}:
            raise NotFound("there is no such seller")
        return write_seller(session, key, SellerValues(library_consent=consents), by=by)


def split_by_seller(
    calls: Iterable[Call], key: str, teams: Mapping[str, str | None]
) -> tuple[list[Call], list[Call]]:
    """Return a seller's conversations and those of the colleagues: the team's, or all where there is none."""
    own, others, team = [], [], teams.get(key)
    for call in calls:
        if call.seller == key:
            own.append(call)
        elif call.seller is not None and (team is None or teams.get(call.seller) == team):
            others.append(call)
    return own, others
