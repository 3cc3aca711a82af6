"""Runs the lab over the stored history and the reviews, and keeps what it finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.meaning import Meaning, asked_by
from huaxiang.api.history.trying import counted, workers_for
from huaxiang.core.database import reading, transaction
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.judging import Judging
from huaxiang.quality.history.lab_run import Report, run_lab
from huaxiang.quality.history.lab_store import LabStore
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.history.sweep import Sweep
from huaxiang.quality.review.queue import judged_items

Advance = Callable[[float], None]


def run_stored_lab(
    sessions: sessionmaker[Session],
    definitions: Sequence[ScorecardDefinition],
    zone: tzinfo,
    advance: Advance = lambda share: None,
    meaning: Meaning | None = None,
    *,
    dry_run: bool = False,
) -> Report:
    """Return what the lab finds of every item of these scorecards, and keep it unless it is a ``dry_run``.

    Weeks begin on Monday in ``zone``.
    """
    with reading(sessions) as session:
        total = FeatureStore().count(session)
        teams = dict(SellerStore().team_of(session))
        floors = LabStore().floors(session)
        judged = {one.id: judged_items(session, one.id) for one in definitions}
    asked = asked_by(definitions, meaning)
    task = Judging.by(definitions, teams, asked.sentences)
    rescored = Sweep(sessions, workers_for(total), encoder=asked.encoder).results(task)
    report = run_lab(definitions, counted(rescored, total, advance), judged, floors, zone)
    if not dry_run:
        with transaction(sessions) as session:
            LabStore().save(session, report)
    return report
