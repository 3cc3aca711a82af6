"""Tries a scorecard on the whole stored history against the one in force, by seller and team of today."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.meaning import Meaning, asked_by
from huaxiang.core.database import reading
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.compare import Comparison, compare
from huaxiang.quality.history.judging import Judging, Rescored
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.history.sweep import SMALL, Sweep

Advance = Callable[[float], None]


def try_on_history(
    sessions: sessionmaker[Session],
    before: ScorecardDefinition | None,
    after: ScorecardDefinition,
    advance: Advance = lambda share: None,
    since: datetime | None = None,
    meaning: Meaning | None = None,
) -> Comparison:
    """Return what changes on all conversations from ``since`` (aware) on; nothing is stored.

    ``before`` is None for a scorecard that is new. Without ``meaning``, items that compare meanings
    cannot be told. A large history is judged by as many processes as
    there are cores. Raises StorageError where one of them is killed, and for features of another version.
    """
    with reading(sessions) as session:
        total = FeatureStore().count(session, since)
        teams = dict(SellerStore().team_of(session))
    both = [after] if before is None else [before, after]
    asked = asked_by(both, meaning)
    task = Judging.by(both, teams, asked.sentences)
    judged = Sweep(sessions, workers_for(total), since, asked.encoder).results(task)
    if before is None:
        judged = (replace(one, marks=(None, *one.marks)) for one in judged)
    return compare(before, after, counted(judged, total, advance), teams)


def workers_for(conversations: int) -> int:
    """Return how many processes should judge a history of that size."""
    return 1 if conversations <= SMALL else os.cpu_count() or 1


def counted(judged: Iterable[Rescored], total: int, advance: Advance) -> Iterator[Rescored]:
    """Pass conversations on, telling the share done after every hundredth part."""
    step = max(total // 100, 1)
    for number, one in enumerate(judged, start=1):
        yield one
        if number % step == 0:
            advance(min(number / total, 1.0))
