"""Who reads for long holds up nobody who writes."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from tried import add_indexed_history

from huaxiang.api.history.features import missing_features
from huaxiang.api.history.trying import try_on_history
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.types import new_id
from huaxiang.quality import default_scorecard
from huaxiang.quality.history.tables import FloorRow


def write(session: Session) -> None:
    session.add(
        FloorRow(
            id=new_id(), scorecard="general-sales", item_id="greeting", floor=0.5, set_by="x", set_at=now()
        )
    )
    session.flush()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(FloorRow)) or 0


def test_others_write_while_somebody_reads(sessions: sessionmaker[Session]) -> None:
    with reading(sessions) as reader:
        assert count(reader) == 0
        with transaction(sessions) as writer:
            write(writer)
    with reading(sessions) as reader:
        assert count(reader) == 1


def test_others_read_what_was_there_while_somebody_writes(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as writer:
        write(writer)
        with reading(sessions) as reader:
            assert count(reader) == 0


def test_who_tries_rules_on_the_history_waits_for_nobody_who_writes(sessions: sessionmaker[Session]) -> None:
    add_indexed_history(sessions, 3)
    with transaction(sessions) as writer:
        write(writer)
        assert missing_features(sessions) == ()
        assert try_on_history(sessions, None, default_scorecard()).whole.conversations == 3
