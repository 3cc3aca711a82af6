"""What a seller practises: assigned or taken up, acknowledged with a note, and followed up with figures.

A practice keeps the figures that it began from; what happens to it later is added, never rewritten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.core.types import Json, new_id
from huaxiang.profile.coaching.statistics import Estimate
from huaxiang.profile.coaching.suggestions import AT_MOST
from huaxiang.profile.coaching.tables import PracticeEventRow, PracticeRow

FOLLOW_UP_AFTER = timedelta(days=28)
MAX_NOTE_CHARS = 1000


class Step(StrEnum):
    """What may happen to a practice."""

    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    FOLLOWED_UP = "followed_up"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a practice began from: of which days, own and the colleagues', and which way is better."""

    first: date
    last: date
    own: Estimate
    others: Estimate
    more: bool


@dataclass(frozen=True, slots=True)
class PracticeEvent:
    """One thing that happened to a practice; ``figures`` are those of a follow-up."""

    kind: Step
    note: str
    figures: Mapping[str, Json] | None
    happened_at: datetime
    done_by: str


@dataclass(frozen=True, slots=True)
class Practice:
    """Something that a seller practises, with its whole history, oldest first."""

    id: str
    seller: str
    topic: str
    baseline: Baseline
    follow_up_on: date
    opened_at: datetime
    opened_by: str
    history: tuple[PracticeEvent, ...]

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return any(event.kind is Step.CLOSED for event in self.history)

    @property
    def acknowledged_at(self) -> datetime | None:
        """When the seller first said that they had read it."""
        found = (event.happened_at for event in self.history if event.kind is Step.ACKNOWLEDGED)
        return next(found, None)


class PracticeStore:
    """Keeps practices; flushes, and leaves the commit to the caller."""

    def open(
        self,
        session: Session,
        seller: str,
        topic: str,
        baseline: Baseline,
        step: Step,
        note: str,
        *,
        by: str,
        follow_up_on: date | None = None,
    ) -> Practice:
        """Begin a practice, ``assigned`` by a manager or ``acknowledged`` by the seller.

        Raises Conflict where the seller practises it already, or three things already, and InvalidInput
        for a follow-up that lies in the past or a note that is too long.
        """
        running = [practice for practice in self.of(session, seller) if not practice.closed]
        if any(practice.topic == topic for practice in running):
            raise Conflict("this is being practised already")
        if len(running) >= AT_MOST:
            raise Conflict(f"nobody practises more than {AT_MOST} things at once; close one first")
        moment = now()
        due = follow_up_on or (moment + FOLLOW_UP_AFTER).date()
        if due < moment.date():
            raise InvalidInput("a follow-up lies ahead")
        row = PracticeRow(
            id=new_id(),
            seller_key=seller,
            topic=topic,
            baseline=_baseline_json(baseline),
            follow_up_on=due,
            opened_at=moment,
            opened_by=by,
        )
        session.add(row)
        session.flush()
        self._note(session, row.id, step, note, None, by)
        return self.get(session, row.id)

    def note(
        self,
        session: Session,
        practice_id: str,
        step: Step,
        note: str,
        *,
        by: str,
        figures: Mapping[str, Json] | None = None,
    ) -> Practice:
        """Add to a practice's history. Raises NotFound, Conflict for a closed one, InvalidInput."""
        practice = self.get(session, practice_id)
        if practice.closed:
            raise Conflict("this practice is closed; open a new one")
        if step is Step.ACKNOWLEDGED and practice.acknowledged_at is not None:
            raise Conflict("this was acknowledged already")
        self._note(session, practice_id, step, note, figures, by)
        return self.get(session, practice_id)

    def get(self, session: Session, practice_id: str) -> Practice:
        """Return a practice. Raises NotFound."""
        row = session.get(PracticeRow, practice_id)
        if row is None:
            raise NotFound("there is no such practice")
        return _practices(session, [row])[0]

    def of(self, session: Session, seller: str) -> Sequence[Practice]:
        """Return all practices of a seller, newest first."""
        rows = session.scalars(
            select(PracticeRow).where(PracticeRow.seller_key == seller).order_by(PracticeRow.id.desc())
        )
        return _practices(session, rows)

    def due(self, session: Session, day: date) -> Sequence[Practice]:
        """Return the practices that are to be followed up by ``day``, the earliest first."""
        rows = session.scalars(
            select(PracticeRow).where(PracticeRow.follow_up_on <= day).order_by(PracticeRow.follow_up_on)
        )
        return [practice for practice in _practices(session, rows) if not practice.closed]

    def _note(
        self,
        session: Session,
        practice_id: str,
        step: Step,
        note: str,
        figures: Mapping[str, Json] | None,
        by: str,
    ) -> None:
        text = note.strip()
        if len(text) > MAX_NOTE_CHARS:
            raise InvalidInput(f"a note has at most {MAX_NOTE_CHARS} characters")
        session.add(
            PracticeEventRow(
                id=new_id(),
                practice_id=practice_id,
                kind=step.value,
                note=text,
                figures=None if figures is None else dict(figures),
                happened_at=now(),
                done_by=by,
            )
        )
        session.flush()


def _practices(session: Session, rows: Iterable[PracticeRow]) -> Sequence[Practice]:
    found = list(rows)
    events: Mapping[str, list[PracticeEvent]] = defaultdict(list)
    for event in session.scalars(
        select(PracticeEventRow)
        .where(PracticeEventRow.practice_id.in_([row.id for row in found]))
        .order_by(PracticeEventRow.id)
    ):
        events[event.practice_id].append(
            PracticeEvent(Step(event.kind), event.note, event.figures, event.happened_at, event.done_by)
        )
    return [
        Practice(
            id=row.id,
            seller=row.seller_key,
            topic=row.topic,
            baseline=_baseline(row.baseline),
            follow_up_on=row.follow_up_on,
            opened_at=row.opened_at,
            opened_by=row.opened_by,
            history=tuple(events[row.id]),
        )
        for row in found
    ]


def _baseline_json(baseline: Baseline) -> dict[str, Json]:
    return {
        "first": baseline.first.isoformat(),
        "last": baseline.last.isoformat(),
        "own": asdict(baseline.own),
        "others": asdict(baseline.others),
        "more": baseline.more,
    }


def _baseline(stored: Mapping[str, Any]) -> Baseline:
    return Baseline(
        date.fromisoformat(stored["first"]),
        date.fromisoformat(stored["last"]),
        Estimate(**stored["own"]),
        Estimate(**stored["others"]),
        stored["more"],
    )
