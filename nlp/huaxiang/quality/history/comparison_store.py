"""Keeps scorecards that were tried on the history: their text, how far it came, what would change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, defer

from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import new_id
from huaxiang.quality.history.compare import UNKNOWN, Change, Comparison, Flip
from huaxiang.quality.history.comparison_json import comparison_json, comparison_of, marks_json
from huaxiang.quality.history.tables import ComparisonChangeRow, ComparisonRow
from huaxiang.quality.references import id_of, refers_to

RUNNING, DONE, FAILED = "running", "done", "failed"
BROKEN_OFF = "broken_off"
STANDS_STILL_S = 60
"""A comparison that did not go on for so long is taken for broken off: its process has ended."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A scorecard that was tried: ``definition`` and ``against`` are ``id @ version``.

    ``state`` is running, done or failed (``error`` then is a code); ``comparison`` is there when it is done,
    without its conversations.
    """

    id: str
    definition: str
    against: str
    text: str
    created_by: str
    created_at: datetime
    state: str
    done_share: float
    error: str | None
    comparison: Comparison | None

    @property
    def scorecard(self) -> str:
        """The id of the scorecard."""
        return id_of(self.definition)


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A conversation whose score would change; ``before`` and ``after`` are as ``marks_json`` has them."""

    position: int
    recording_id: str
    seller: str | None
    started_at: datetime
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    items: tuple[Flip, ...]


class ComparisonStore:
    """Writes and reads comparisons; flushes, and leaves the commit to the caller."""

    def begin(self, session: Session, definition: str, against: str, text: str, by: str) -> str:
        """Store a scorecard that is to be tried, and return the id of its comparison."""
        moment = now()
        row = ComparisonRow(
            id=new_id(),
            definition=definition,
            against=against,
            text=text,
            created_by=by,
            created_at=moment,
            updated_at=moment,
            state=RUNNING,
            done_share=0.0,
            error=None,
            result=None,
        )
        session.add(row)
        session.flush()
        return row.id

    def advance(self, session: Session, comparison_id: str, share: float) -> None:
        """Note how far it has come (0–1)."""
        self._write(session, comparison_id, done_share=share)

    def fail(self, session: Session, comparison_id: str, code: str) -> None:
        """Note that it came to no end, and why."""
        self._write(session, comparison_id, state=FAILED, error=code)

    def finish(self, session: Session, comparison_id: str, comparison: Comparison) -> None:
        """Store what it came to, and the conversations that change."""
        self._write(
            session, comparison_id, state=DONE, done_share=1.0, result=comparison_json(comparison), error=None
        )
        session.execute(delete(ComparisonChangeRow).where(ComparisonChangeRow.comparison_id == comparison_id))
        session.add_all(
            _change_row(comparison_id, position, change) for position, change in enumerate(comparison.changes)
        )
        session.flush()

    def get(self, session: Session, comparison_id: str) -> Tried:
        """Return a comparison. Raises NotFound."""
        row = session.get(ComparisonRow, comparison_id)
        if row is None:
            raise NotFound("there is no such comparison")
        return _tried(row, row.result)

    def newest(
        self, session: Session, scorecard: str | None = None, cursor: str | None = None, limit: int = 20
    ) -> Sequence[Tried]:
        """Return comparisons without their figures, the newest first; ``cursor`` is the last id read."""
        query = select(ComparisonRow).options(defer(ComparisonRow.result, raiseload=True))
        if scorecard is not None:
            query = query.where(refers_to(ComparisonRow.definition, scorecard))
        if cursor is not None:
            query = query.where(ComparisonRow.id < cursor)
        rows = session.scalars(query.order_by(ComparisonRow.id.desc()).limit(limit))
        return [_tried(row, None) for row in rows]

    def changes(
        self,
        session: Session,
        comparison_id: str,
        *,
        sellers: Collection[str] | None = None,
        item: str | None = None,
        after: int = -1,
        limit: int = 50,
    ) -> Sequence[StoredChange]:
        """Return conversations that change, those that change most first.

        ``sellers`` narrows to theirs (``UNKNOWN`` among them means those of nobody known), ``item`` to
        those in which it comes to something else; ``after`` is the position of the last one read.
        """
        query = select(ComparisonChangeRow).where(
            ComparisonChangeRow.comparison_id == comparison_id, ComparisonChangeRow.position > after
        )
        if sellers is not None:
            known = ComparisonChangeRow.seller.in_([key for key in sellers if key != UNKNOWN])
            nobody = ComparisonChangeRow.seller.is_(None)
            query = query.where(or_(known, nobody) if UNKNOWN in sellers else known)
        query = query.order_by(ComparisonChangeRow.position)
        if item is None:
            return [_change(row) for row in session.scalars(query.limit(limit))]
        moved = (_change(row) for row in session.scalars(query))
        return list(islice((one for one in moved if any(flip.item == item for flip in one.items)), limit))

    def _write(self, session: Session, comparison_id: str, **values: object) -> None:
        session.execute(
            update(ComparisonRow)
            .where(ComparisonRow.id == comparison_id)
            .values(updated_at=now(), **values)
            .execution_options(synchronize_session="fetch")
        )


def _tried(row: ComparisonRow, result: Mapping[str, Any] | None) -> Tried:
    stands_still = row.state == RUNNING and now() - row.updated_at > timedelta(seconds=STANDS_STILL_S)
    return Tried(
        id=row.id,
        definition=row.definition,
        against=row.against,
        text=row.text,
        created_by=row.created_by,
        created_at=row.created_at,
        state=FAILED if stands_still else row.state,
        done_share=row.done_share,
        error=BROKEN_OFF if stands_still else row.error,
        comparison=None if result is None else comparison_of(result),
    )


def _change_row(comparison_id: str, position: int, change: Change) -> ComparisonChangeRow:
    return ComparisonChangeRow(
        comparison_id=comparison_id,
        recording_id=change.recording_id,
        position=position,
        seller=change.seller,
        started_at=change.started_at,
        before=marks_json(change.before),
        after=marks_json(change.after),
        items=[[flip.item, flip.before, flip.after] for flip in change.items],
    )


def _change(row: ComparisonChangeRow) -> StoredChange:
    return StoredChange(
        position=row.position,
        recording_id=row.recording_id,
        seller=row.seller,
        started_at=row.started_at,
        before=row.before,
        after=row.after,
        items=tuple(Flip(*flip) for flip in row.items),
    )
