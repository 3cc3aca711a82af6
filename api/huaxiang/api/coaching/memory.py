"""Keeps what was read and counted for as long as what it was read from stays the same.

The mark of the data is a handful of counts and newest times over the tables that conversations are made
of: every write of a stage, a review, a correction, a re-scoring or the CRM moves one of them. It costs some
milliseconds, while reading ten thousand conversations costs seconds. Two transactions that end in another
order than they began may leave a mark as it was, so nothing is kept longer than ``MOST_S``.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.tables import InsightsRow, ScorecardRow
from huaxiang.profile.tables import ConversationRow, CustomerRow
from huaxiang.quality.review.tables import CorrectedScoreRow, CorrectionRow, ReviewActRow

MOST_KEPT = 24
MOST_S = 600.0
_T = TypeVar("_T")
Mark = tuple[Any, ...]


class Memory:
    """Remembers results by name until the data, or the day in ``zone``, is another. Safe for threads."""

    def __init__(
        self, zone: tzinfo, most: int = MOST_KEPT, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._zone = zone
        self._most = most
        self._clock_s = clock_s
        self._since_s = 0.0
        self._lock = threading.Lock()
        self._mark: tuple[Mark, date] | None = None
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def recall(self, session: Session, as_of: datetime, name: Hashable, make: Callable[[], _T]) -> _T:
        """Return what ``make`` gave under this name, made anew where anything has changed since.

        Whoever gets it must not change it. Two threads may make the same thing at the same time; neither
        waits for the other, as each may hold locks of the database.
        """
        mark = (mark_of(session), as_of.astimezone(self._zone).date())
        with self._lock:
            if self._is_fresh(mark) and name in self._kept:
                self._kept.move_to_end(name)
                return cast("_T", self._kept[name])
        made = make()
        with self._lock:
            if not self._is_fresh(mark):
                self._mark, self._since_s = mark, self._clock_s()
                self._kept.clear()
            self._kept[name] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def _is_fresh(self, mark: tuple[Mark, date]) -> bool:
        return mark == self._mark and self._clock_s() - self._since_s < MOST_S


def mark_of(session: Session) -> Mark:
    """Return what changes with every change of the data that conversations are read from."""
    wanted = (
        select(func.count()).select_from(RecordingRow),
        select(func.count()).select_from(ConversationRow),
        select(func.count(), func.max(InsightsRow.created_at)).select_from(InsightsRow),
        select(func.count(), func.max(ScorecardRow.created_at), func.sum(ScorecardRow.score)).where(
            ScorecardRow.is_current
        ),
        select(func.count(), func.max(CustomerRow.updated_at), func.sum(CustomerRow.version)),
        select(func.count(), func.max(ReviewActRow.at)),
        select(func.count(), func.max(CorrectionRow.at)),
        select(func.count(), func.max(CorrectedScoreRow.created_at)),
    )
    return tuple(tuple(session.execute(one).one()) for one in wanted)
