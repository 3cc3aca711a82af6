"""Recordings as people look for them: by what was said, told, found and scored, in one query a page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from huaxiang.api.search.index import Hit, Search, SearchIndex
from huaxiang.asr.tables import TranscriptRow
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import FindingKind, Recording, RecordingStatus, Setting
from huaxiang.ingest.recordings import recording_of_row
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.nlp.tables import FindingRow, ScorecardItemRow, ScorecardRow
from huaxiang.profile.coaching.tables import SellerRow
from huaxiang.profile.tables import ConversationRow
from huaxiang.quality.review.outcomes import CaseState
from huaxiang.quality.review.tables import ReviewActRow, ReviewCaseRow

ANY = "any"
DEFAULT_SORT = "-when"


@dataclass(frozen=True, slots=True)
class ListFilters:
    """Which recordings to list; what is None or empty does not narrow.

    ``score_from <= score < score_before`` in percent of what was possible (100 itself is in the last
    range). ``doubtful`` are scores of which the rules are not sure of an item, ``failed_item`` is an item
    of the main scorecard. ``label`` is ``kind.label`` of a finding, ``kind.any`` for any of its kind.
    ``started`` bounds are of the conversation, or of the arrival of a recording that does not tell its
    time.
    """

    search: Search | None = None
    status: RecordingStatus | None = None
    seller: str | None = None
    team: str | None = None
    customer_ref: str | None = None
    setting: Setting | None = None
    source: str | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None
    inspected_from: datetime | None = None
    score_from: float | None = None
    score_before: float | None = None
    auto_failed: bool | None = None
    doubtful: bool | None = None
    failed_item: str | None = None
    label: str | None = None
    review: CaseState | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One recording of a list with what is shown of it; ``hits`` are turns that hold what was looked for."""

    recording: Recording
    when: datetime
    duration_ms: int | None
    score: float | None
    possible: float | None
    auto_failed: bool
    customer_id: str | None
    seller_name: str | None
    review: CaseState | None
    hits: Sequence[Hit] = field(default=())


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some recordings in order; ``next_cursor`` asks for the ones after, None at the end."""

    items: tuple[Listed, ...]
    next_cursor: str | None


def main_scorecards(recording_ids: Collection[str] | None = None) -> Select[Any]:
    """Return a query of the main one of the scorecards that each recording, or some, have now."""
    some = [] if recording_ids is None else [ScorecardRow.recording_id.in_(recording_ids)]
    place = (
        func.row_number()
        .over(
            partition_by=ScorecardRow.recording_id,
            order_by=(ScorecardRow.position, ScorecardRow.created_at.desc(), ScorecardRow.definition),
        )
        .label("place")
    )
    ranked = (
        select(
            ScorecardRow.recording_id,
            ScorecardRow.definition,
            ScorecardRow.score,
            ScorecardRow.possible,
            ScorecardRow.auto_failed,
            ScorecardRow.created_at,
            place,
        )
        .where(ScorecardRow.is_current, *some)
        .subquery("ranked_scorecards")
    )
    return select(ranked).where(ranked.c.place == 1)


class RecordingList:
    """Lists recordings. ``index`` is the full text of the database."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._card = main_scorecards().subquery("main_scorecard")
        self._state = _case_states().subquery("case_state")
        self.when: ColumnElement[datetime] = HELD_AT
        share = cast(self._card.c.score, Float) / cast(self._card.c.possible, Float)
        self._share = case((self._card.c.possible > 0, share), else_=None)
        self._sorts: Mapping[str, Callable[[bool], ColumnElement[Any]]] = {
            "when": lambda descending: self.when,
            "score": lambda descending: func.coalesce(self._share, -1.0 if descending else 2.0),
            "duration": lambda descending: func.coalesce(TranscriptRow.duration_ms, 0),
            "seller": lambda descending: func.coalesce(RecordingRow.seller, ""),
        }

    @property
    def sorts(self) -> Mapping[str, object]:
        """The columns that a list may be ordered by."""
        return self._sorts

    def page(
        self,
        session: Session,
        filters: ListFilters,
        *,
        sort: str = DEFAULT_SORT,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ListPage:
        """Return up to ``limit`` recordings after ``cursor``; ``sort`` is a column, ``-`` before it turns it.

        Raises InvalidInput for a cursor that no page of this order gave, and for an unknown order.
        """
        descending, name = sort.startswith("-"), sort.removeprefix("-")
        if name not in self._sorts:
            raise InvalidInput(f"a list is ordered by one of {', '.join(self._sorts)}")
        key = self._sorts[name](descending)
        query = self._joined(select(RecordingRow.id, key.label("key")), filters, name)
        query = query.where(*self._conditions(filters)).limit(limit + 1)
        last_id = RecordingRow.id
        query = query.order_by(*((key.desc(), last_id.desc()) if descending else (key.asc(), last_id.asc())))
        if cursor is not None:
            query = query.where(_after(key, cursor, name, descending))
        found = session.execute(query).all()
        shown = [row.id for row in found[:limit]]
        hits: Mapping[str, Sequence[Hit]] = {}
        if filters.search is not None:
            hits = self._index.hits(session, filters.search, shown)
        more = len(found) > limit
        return ListPage(
            items=self._listed(session, shown, hits),
            next_cursor=_cursor(found[limit - 1].key, shown[-1]) if more else None,
        )

    def one(self, session: Session, recording_id: str) -> Listed:
        """Return one recording as the list shows it. Raises NotFound."""
        for listed in self._listed(session, [recording_id], {}):
            return listed
        raise NotFound("there is no such recording")

    def count(self, session: Session, filters: ListFilters) -> int:
        """Return how many recordings the filters leave."""
        query = self._joined(select(func.count()), filters).where(*self._conditions(filters))
        return session.scalar(query) or 0

    def _joined(self, query: Select[Any], filters: ListFilters, sort: str = "when") -> Select[Any]:
        """Join what the filters and the order ask for, and no more: each costs a look at all recordings."""
        query = query.select_from(RecordingRow)
        if sort == "duration":
            query = query.outerjoin(TranscriptRow, TranscriptRow.recording_id == RecordingRow.id)
        if sort == "score" or _asks_for_score(filters):
            query = query.outerjoin(self._card, self._card.c.recording_id == RecordingRow.id)
        if filters.team is not None:
            query = query.outerjoin(SellerRow, SellerRow.key == RecordingRow.seller)
        if filters.review is not None:
            query = query.outerjoin(self._state, self._state.c.recording_id == RecordingRow.id)
        return query

    def _listed(
        self, session: Session, recording_ids: Sequence[str], hits: Mapping[str, Sequence[Hit]]
    ) -> tuple[Listed, ...]:
        """Return what is shown of some recordings, in their order."""
        card = main_scorecards(recording_ids).subquery("main_scorecard")
        state = _case_states(recording_ids).subquery("case_state")
        rows = session.execute(
            select(
                RecordingRow,
                self.when.label("when"),
                TranscriptRow.duration_ms,
                card.c.score,
                card.c.possible,
                cast(card.c.auto_failed, Boolean).label("auto_failed"),
                ConversationRow.customer_id,
                SellerRow.name.label("seller_name"),
                state.c.state,
            )
            .outerjoin(TranscriptRow, TranscriptRow.recording_id == RecordingRow.id)
            .outerjoin(card, card.c.recording_id == RecordingRow.id)
            .outerjoin(ConversationRow, ConversationRow.recording_id == RecordingRow.id)
            .outerjoin(SellerRow, SellerRow.key == RecordingRow.seller)
            .outerjoin(state, state.c.recording_id == RecordingRow.id)
            .where(RecordingRow.id.in_(recording_ids))
        )
        by_id = {row.RecordingRow.id: _listed(row, hits) for row in rows}
        return tuple(by_id[key] for key in recording_ids if key in by_id)

    def _conditions(self, filters: ListFilters) -> Iterator[ColumnElement[bool]]:
        equal = {
            RecordingRow.status: filters.status,
            RecordingRow.seller: filters.seller,
            RecordingRow.customer_ref: filters.customer_ref,
            RecordingRow.source: filters.source,
            SellerRow.team: filters.team,
            self._state.c.state: filters.review,
            cast(self._card.c.auto_failed, Boolean): filters.auto_failed,
        }
        yield from (column == value for column, value in equal.items() if value is not None)
        if filters.setting is not None:
            yield RecordingRow.metadata_["setting"].as_string() == filters.setting.value
        if filters.started_from is not None:
            yield self.when >= filters.started_from
        if filters.started_before is not None:
            yield self.when < filters.started_before
        if filters.inspected_from is not None:
            yield self._card.c.created_at >= filters.inspected_from
        yield from self._scored(filters)
        if filters.search is not None:
            yield from (RecordingRow.id.in_(found) for found in self._index.matching(filters.search))

    def _scored(self, filters: ListFilters) -> Iterator[ColumnElement[bool]]:
        if filters.score_from is not None:
            yield self._share >= filters.score_from / 100 - 1e-9
        if filters.score_before is not None and filters.score_before < 100:
            yield self._share < filters.score_before / 100 - 1e-9
        if filters.failed_item is not None:
            item = aliased(ScorecardItemRow)
            yield self._has(item, item.item_id == filters.failed_item, item.passed.is_(False))
        if filters.doubtful is not None:
            item = aliased(ScorecardItemRow)
            doubt = self._has(item, item.for_review.is_(True))
            yield doubt if filters.doubtful else not_(doubt)
        if filters.label is not None:
            yield _labelled(filters.label)

    def _has(self, item: type[ScorecardItemRow], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Tell whether the main scorecard has an item of which the conditions hold."""
        return exists().where(
            item.recording_id == RecordingRow.id, item.definition == self._card.c.definition, *conditions
        )


def _labelled(label: str) -> ColumnElement[bool]:
    kind, _, name = label.partition(".")
    if kind not in set(FindingKind):
        raise InvalidInput("a label is given as kind.label, like objection.price or objection.any")
    wanted = [
        FindingRow.recording_id == RecordingRow.id,
        FindingRow.kind == FindingKind(kind),
        FindingRow.for_review.is_(False),
    ]
    if name != ANY:
        wanted.append(FindingRow.label == name)
    return exists().where(*wanted)


def _asks_for_score(filters: ListFilters) -> bool:
    asked = (
        filters.inspected_from,
        filters.score_from,
        filters.score_before,
        filters.auto_failed,
        filters.doubtful,
        filters.failed_item,
    )
    return any(value is not None for value in asked)


def _case_states(recording_ids: Collection[str] | None = None) -> Select[Any]:
    """Return a query of the state of the newest review of each recording, or of some, that has one."""
    some = [] if recording_ids is None else [ReviewCaseRow.recording_id.in_(recording_ids)]
    case_place = func.row_number().over(
        partition_by=ReviewCaseRow.recording_id,
        order_by=(ReviewCaseRow.id.desc(), ReviewActRow.sequence.desc()),
    )
    ranked = (
        select(ReviewCaseRow.recording_id, ReviewActRow.state, case_place.label("place"))
        .join(ReviewActRow, ReviewActRow.case_id == ReviewCaseRow.id)
        .where(*some)
        .subquery("ranked_cases")
    )
    return select(ranked.c.recording_id, ranked.c.state).where(ranked.c.place == 1)


def _listed(row: Any, hits: Mapping[str, Sequence[Hit]]) -> Listed:
    recording = recording_of_row(row.RecordingRow)
    duration_ms = recording.audio.duration_ms if recording.audio else row.duration_ms
    return Listed(
        recording=recording,
        when=row.when,
        duration_ms=duration_ms,
        score=row.score,
        possible=row.possible,
        auto_failed=bool(row.auto_failed),
        customer_id=row.customer_id,
        seller_name=row.seller_name,
        review=row.state,
        hits=hits.get(recording.id, ()),
    )


def _cursor(value: Any, recording_id: str) -> str:
    told = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([told, recording_id]).encode()).decode()


def _after(key: ColumnElement[Any], cursor: str, name: str, descending: bool) -> ColumnElement[bool]:
    value, last_id = _read_cursor(cursor, name)
    if descending:
        return or_(key < value, and_(key == value, RecordingRow.id < last_id))
    return or_(key > value, and_(key == value, RecordingRow.id > last_id))


def _read_cursor(cursor: str, name: str) -> tuple[datetime | float | str, str]:
    kinds: Mapping[str, type | tuple[type, ...]] = {"when": str, "seller": str}
    try:
        value, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if not isinstance(value, kinds.get(name, (int, float))) or not isinstance(last_id, str):
            raise ValueError(name)
        if name == "when":
            value = datetime.fromisoformat(str(value))
            if value.tzinfo is None:
                raise ValueError(name)
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput("cursor is not one that a page of this order gave; start without") from error
    return value, last_id
