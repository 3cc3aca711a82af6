"""The manager's desk: sellers and teams with their figures, what to practise, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from huaxiang.api.coaching.clips import better_example, own_clips
from huaxiang.api.coaching.records import BEHAVIOUR_DAYS, Records, split_by_seller
from huaxiang.api.coaching.views import Advice, FollowUp, SellerLine, SellerView, TeamLine, TeamView
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Json
from huaxiang.profile.coaching.behaviours import Behaviours
from huaxiang.profile.coaching.calls import Call
from huaxiang.profile.coaching.figures import (
    DEFAULT_PERIOD_DAYS,
    DEFAULT_TREND_WEEKS,
    SCORE,
    Period,
    figure,
    figures,
    trend,
)
from huaxiang.profile.coaching.practices import Baseline, Practice, Step
from huaxiang.profile.coaching.sellers import Seller
from huaxiang.profile.coaching.suggestions import Suggestions, moved, suggest

Teams = Mapping[str, str | None]


class CoachingDesk:
    """Figures and advice of sellers and teams. Takes the caller's session, never commits."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def behaviours(self, session: Session, as_of: datetime, days: int = BEHAVIOUR_DAYS) -> Behaviours:
        """Return which behaviours go with won conversations of the last ``days``."""
        return self._records.behaviours(session, self._records.period(as_of, days), as_of)

    def lines(
        self, session: Session, as_of: datetime, days: int = DEFAULT_PERIOD_DAYS
    ) -> tuple[tuple[SellerLine, ...], tuple[TeamLine, ...]]:
        """Return all sellers and all teams with their figures of the last ``days``."""
        records = self._records
        period, sellers = records.period(as_of, days), records.all_sellers(session)
        both = records.calls(session, Period(period.before.first, period.last), as_of)
        now, before = records.within(both, period), records.within(both, period.before)
        teams = {seller.key: seller.team for seller in sellers}
        names = sorted({team for team in teams.values() if team})
        return (
            tuple(_line(seller, now, before, teams) for seller in sellers),
            tuple(_team_line(name, now, before, teams) for name in names),
        )

    def seller(
        self, session: Session, key: str, as_of: datetime, days: int = DEFAULT_PERIOD_DAYS
    ) -> SellerView:
        """Return a seller's page. Raises NotFound for one whom neither a row nor a recording knows."""
        records = self._records
        known = {seller.key: seller for seller in records.all_sellers(session)}
        if key not in known:
            raise NotFound("there is no such seller")
        period = records.period(as_of, days)
        reach = Period(_reach(period), period.last)
        history = records.calls(session, reach, as_of)
        own, others = split_by_seller(history, key, {one.key: one.team for one in known.values()})
        mine, theirs = records.within(own, period), records.within(others, period)
        advised = suggest(mine, theirs, records.behaviours(session, reach, as_of))
        practices = self._followed_up(records.practices.of(session, key), own)
        running = {one.practice.topic for one in practices if not one.practice.closed}
        advice = self._advice(session, key, advised, running, mine, [*others, *history])
        topics = dict.fromkeys((SCORE, *running, *(one.suggestion.topic for one in advice)))
        return SellerView(
            seller=known[key],
            period=period,
            conversations=len(mine),
            team_conversations=len(mine) + len(theirs),
            figures=figures(mine, records.within(own, period.before), theirs),
            trends={
                topic: trend(topic, own, [*own, *others], period.last, DEFAULT_TREND_WEEKS, records.zone)
                for topic in topics
            },
            advice=advice,
            calls_needed=advised.calls_needed,
            practices=practices,
        )

    def team(self, session: Session, name: str, as_of: datetime, days: int = DEFAULT_PERIOD_DAYS) -> TeamView:
        """Return a team's page; it is compared with the rest of the company. Raises NotFound."""
        records = self._records
        sellers = [seller for seller in records.all_sellers(session) if seller.team == name]
        if not sellers:
            raise NotFound("there is no such team")
        period = records.period(as_of, days)
        history = records.calls(session, Period(_reach(period), period.last), as_of)
        keys = {seller.key for seller in sellers}
        own = [call for call in history if call.seller in keys]
        others = [call for call in history if call.seller not in keys]
        now, before = records.within(own, period), records.within(own, period.before)
        teams: Teams = dict.fromkeys(keys, name)
        lines = [_line(seller, now, before, teams) for seller in sellers]
        lines.sort(key=lambda line: -(line.score.own.value if line.score.own else -1.0))
        return TeamView(
            team=name,
            period=period,
            conversations=len(now),
            figures=figures(now, before, records.within(others, period)),
            trend=trend(SCORE, own, history, period.last, DEFAULT_TREND_WEEKS, records.zone),
            sellers=tuple(lines),
        )

    def take_up(
        self,
        session: Session,
        key: str,
        topic: str,
        step: Step,
        note: str,
        *,
        by: str,
        as_of: datetime,
        follow_up_on: date | None = None,
    ) -> Practice:
        """Begin to practise what is advised now. Raises NotFound for what is not, Conflict, InvalidInput."""
        view = self.seller(session, key, as_of)
        advised = next((a.suggestion for a in view.advice if a.suggestion.topic == topic), None)
        if advised is None:
            raise NotFound("this is not advised to this seller at present")
        baseline = Baseline(view.period.first, view.period.last, advised.own, advised.others, advised.more)
        return self._records.practices.open(
            session, key, topic, baseline, step, note, by=by, follow_up_on=follow_up_on
        )

    def follow_up(
        self, session: Session, practice_id: str, note: str, *, by: str, as_of: datetime
    ) -> Practice:
        """Note how a practice stands now, with its figures. Raises NotFound and Conflict."""
        records = self._records
        practice = records.practices.get(session, practice_id)
        reach = Period(practice.baseline.first, as_of.astimezone(records.zone).date())
        own = [call for call in records.calls(session, reach, as_of) if call.seller == practice.seller]
        (found,) = self._followed_up([practice], own)
        stands: dict[str, Json] = {
            "since": None if found.since is None else asdict(found.since),
            "change": None if found.change is None else asdict(found.change),
            "moved": found.moved,
        }
        return records.practices.note(session, practice_id, Step.FOLLOWED_UP, note, by=by, figures=stands)

    def _followed_up(self, practices: Sequence[Practice], own: Sequence[Call]) -> tuple[FollowUp, ...]:
        """Compare the conversations since each practice was opened with those of its baseline."""
        zone, found = self._records.zone, []
        for practice in practices:
            days = Period(practice.baseline.first, practice.baseline.last)
            # The day on which it was opened belongs to the baseline.
            opened = datetime.combine(days.last + timedelta(days=1), time(), zone).astimezone(UTC)
            since = [call for call in own if call.held_at >= max(opened, practice.opened_at)]
            compared = figure(practice.topic, since, self._records.within(own, days), ())
            better = moved(compared, practice.baseline.more)
            found.append(FollowUp(practice, compared.own, compared.change, better))
        return tuple(found)

    def _advice(
        self,
        session: Session,
        key: str,
        advised: Suggestions,
        running: set[str],
        own: Sequence[Call],
        colleagues: Sequence[Call],
    ) -> tuple[Advice, ...]:
        records = self._records
        entries, consenting = records.library.list(session), records.sellers.consenting(session)
        return tuple(
            Advice(
                suggestion,
                own_clips(session, suggestion, own),
                better_example(session, suggestion, colleagues, entries, key, consenting),
            )
            for suggestion in advised.found
            if suggestion.topic not in running
        )


def _reach(period: Period) -> date:
    """Return the first day that a page needs: for behaviours, for the trend, for the period before."""
    weeks = timedelta(weeks=DEFAULT_TREND_WEEKS)
    return min(period.last - timedelta(days=BEHAVIOUR_DAYS - 1), period.last - weeks, period.before.first)


def _line(seller: Seller, now: Sequence[Call], before: Sequence[Call], teams: Teams) -> SellerLine:
    own, others = split_by_seller(now, seller.key, teams)
    past = [call for call in before if call.seller == seller.key]
    return SellerLine(seller, len(own), figure(SCORE, own, past, others))


def _team_line(name: str, now: Sequence[Call], before: Sequence[Call], teams: Teams) -> TeamLine:
    def of(calls: Sequence[Call], *, inside: bool) -> list[Call]:
        return [call for call in calls if (teams.get(call.seller or "") == name) is inside]

    own = of(now, inside=True)
    score = figure(SCORE, own, of(before, inside=True), of(now, inside=False))
    return TeamLine(name, sum(team == name for team in teams.values()), len(own), score)
