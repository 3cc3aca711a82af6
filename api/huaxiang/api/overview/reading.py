"""Reads an overview out of the store: counts that are those of lists, scores by day, failures by item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from huaxiang.api.overview.period import Since, last_days, start_of
from huaxiang.api.search.choices import Item, items_in_use
from huaxiang.api.search.listing import ListFilters, RecordingList, main_scorecards
from huaxiang.core.types import Evidence, RecordingStatus
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.nlp.tables import ScorecardItemRow
from huaxiang.profile.coaching.statistics import Estimate, mean, rate
from huaxiang.profile.coaching.tables import SellerRow
from huaxiang.quality.review.outcomes import CaseState

TREND_DAYS = 28
WINDOW_DAYS = 7
VETOES_SHOWN = 6
SHARE = (0.0, 1.0)
"""The least and the most that a score can be."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many recordings: those inspected since with what was found, and those that wait for somebody."""

    inspected: int
    vetoed: int
    doubtful: int
    failed: int
    received: int
    processing: int
    to_review: int
    appealed: int


@dataclass(frozen=True, slots=True)
class Veto:
    """One broken item that fails a call as a whole, with where it is heard."""

    recording_id: str
    title: str
    item: Item
    seller: str | None
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Group:
    """A seller or a team over the last weeks: scores, and by item how often it failed where it applied."""

    key: str
    name: str
    team: str | None
    score: Estimate | None
    failed: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview shows. Scores are automatic ones, 0 to 1 of what was possible.

    ``by_day`` and ``by_team`` are means of the week that ends with each of ``days``.
    """

    since: Since
    start: datetime
    counts: Counts
    score: Estimate | None
    vetoes: tuple[Veto, ...]
    days: tuple[date, ...]
    by_day: tuple[Estimate | None, ...]
    by_team: Mapping[str, tuple[Estimate | None, ...]]
    sellers: tuple[Group, ...]
    teams: tuple[Group, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Scored:
    """One inspected call; ``seller`` is empty where nobody told, ``share`` None where nothing applied."""

    seller: str
    day: date
    share: float | None
    vetoed: bool
    inspected_at: datetime


@dataclass(frozen=True, slots=True)
class _Failures:
    """How often an item applied to a seller's conversations, and how often it failed."""

    seller: str
    item: str
    applied: int
    failed: int


_OfSeller = TypeVar("_OfSeller", _Scored, _Failures)


def read_overview(
    session: Session, recordings: RecordingList, since: Since, as_of: datetime, zone: ZoneInfo
) -> Overview:
    """Return the overview as of a moment; days are those of ``zone``."""
    start = start_of(since, as_of, zone)
    days = last_days(as_of, zone, TREND_DAYS)
    first = datetime.combine(days[0], time(), zone)
    reach = first - timedelta(days=WINDOW_DAYS - 1)
    sellers = {row.key: row for row in session.scalars(select(SellerRow))}
    team_of = {key: row.team for key, row in sellers.items() if row.team}
    scored = _scored(session, reach, start, zone)
    lately = _by_seller(one for one in scored if one.day >= days[0])
    since_then = [one for one in scored if one.inspected_at >= start]
    failures = _by_seller(_failures(session, first))
    teams = sorted(set(team_of.values()))
    return Overview(
        since=since,
        start=start,
        counts=_counts(session, recordings, start, since_then),
        score=mean([one.share for one in since_then if one.share is not None], SHARE),
        vetoes=_vetoes(session, start),
        days=days,
        by_day=_by_day(scored, days),
        by_team={
            team: _by_day([one for one in scored if team_of.get(one.seller) == team], days) for team in teams
        },
        sellers=tuple(
            _group(
                key, sellers[key].name if key in sellers else key, team_of.get(key), {key}, lately, failures
            )
            for key in sorted(key for key in lately if key)
        ),
        teams=tuple(
            _group(team, team, None, {key for key in team_of if team_of[key] == team}, lately, failures)
            for team in teams
        ),
        items=tuple(items_in_use(session)),
    )


def _counts(session: Session, recordings: RecordingList, start: datetime, since: Sequence[_Scored]) -> Counts:
    """Count as the lists do; ``since`` are the conversations that were inspected from ``start`` on."""

    def count(**filters: Any) -> int:
        return recordings.count(session, ListFilters(**filters))

    return Counts(
        inspected=len(since),
        vetoed=sum(one.vetoed for one in since),
        doubtful=count(inspected_from=start, doubtful=True),
        failed=count(status=RecordingStatus.FAILED),
        received=count(status=RecordingStatus.RECEIVED),
        processing=count(status=RecordingStatus.PROCESSING),
        to_review=count(review=CaseState.TO_REVIEW),
        appealed=count(review=CaseState.APPEALED),
    )


def _scored(session: Session, first: datetime, start: datetime, zone: ZoneInfo) -> list[_Scored]:
    """Return the conversations held from ``first`` on, and those inspected from ``start`` on."""
    card = main_scorecards().subquery()
    rows = session.execute(
        select(
            RecordingRow.seller,
            HELD_AT.label("at"),
            card.c.score,
            card.c.possible,
            card.c.auto_failed,
            card.c.created_at,
        )
        .join(card, card.c.recording_id == RecordingRow.id)
        .where(or_(first <= HELD_AT, card.c.created_at >= start))
    )
    return [
        _Scored(
            seller=row.seller or "",
            day=row.at.astimezone(zone).date(),
            share=row.score / row.possible if row.possible > 0 else None,
            vetoed=bool(row.auto_failed),
            inspected_at=row.created_at,
        )
        for row in rows
    ]


def _failures(session: Session, first: datetime) -> list[_Failures]:
    """Return by seller and item how often an item of the main scorecard applied, and how often it failed."""
    card, item = main_scorecards().subquery(), ScorecardItemRow
    failed = func.sum(case((item.passed.is_(False), 1), else_=0))
    rows = session.execute(
        select(RecordingRow.seller, item.item_id, func.count(), failed)
        .join(card, card.c.recording_id == RecordingRow.id)
        .join(item, and_(item.recording_id == RecordingRow.id, item.definition == card.c.definition))
        .where(first <= HELD_AT, item.passed.is_not(None), RecordingRow.seller.is_not(None))
        .group_by(RecordingRow.seller, item.item_id)
    )
    return [_Failures(str(seller), item_id, n, int(hits)) for seller, item_id, n, hits in rows]


def _vetoes(session: Session, start: datetime) -> tuple[Veto, ...]:
    """Return the newest items that failed a whole call, those of one call beside each other."""
    card, item = main_scorecards().subquery(), ScorecardItemRow
    rows = session.execute(
        select(RecordingRow, item, SellerRow.name)
        .join(card, card.c.recording_id == RecordingRow.id)
        .join(item, and_(item.recording_id == RecordingRow.id, item.definition == card.c.definition))
        .outerjoin(SellerRow, SellerRow.key == RecordingRow.seller)
        .where(card.c.created_at >= start, item.auto_fail.is_(True), item.passed.is_(False))
        .order_by(HELD_AT.desc(), RecordingRow.id, item.position)
        .limit(VETOES_SHOWN)
    )
    return tuple(
        Veto(
            recording_id=recording.id,
            title=str(recording.metadata_.get("title") or recording.filename),
            seller=name or recording.seller,
            item=Item(row.item_id, row.title, row.title_en),
            evidence=Evidence(**row.evidence[0]) if row.evidence else None,
        )
        for recording, row, name in rows
    )


def _by_seller(found: Iterable[_OfSeller]) -> Mapping[str, Sequence[_OfSeller]]:
    grouped: dict[str, list[_OfSeller]] = defaultdict(list)
    for one in found:
        grouped[one.seller].append(one)
    return grouped


def _by_day(scored: Iterable[_Scored], days: Sequence[date]) -> tuple[Estimate | None, ...]:
    """Return for each day the mean of the week that ends with it: of one day alone it would be chance."""
    shares: dict[date, list[float]] = defaultdict(list)
    for one in scored:
        if one.share is not None:
            shares[one.day].append(one.share)
    weeks = ([day - timedelta(days=back) for back in range(WINDOW_DAYS)] for day in days)
    return tuple(mean([share for day in week for share in shares[day]], SHARE) for week in weeks)


def _group(
    key: str,
    name: str,
    team: str | None,
    sellers: Collection[str],
    scored: Mapping[str, Sequence[_Scored]],
    failures: Mapping[str, Sequence[_Failures]],
) -> Group:
    applied: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for one in (one for seller in sellers for one in failures.get(seller, ())):
        applied[one.item] += one.applied
        failed[one.item] += one.failed
    rates = {item: rate(failed[item], n) for item, n in applied.items()}
    own = (one.share for seller in sellers for one in scored.get(seller, ()))
    return Group(
        key=key,
        name=name,
        team=team,
        score=mean([share for share in own if share is not None], SHARE),
        failed={item: found for item, found in rates.items() if found is not None},
    )
