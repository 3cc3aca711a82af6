"""What coaching keeps in memory is made anew as soon as anything that it stands on has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from coached import add_coached_history
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.coaching.memory import MOST_S, Memory
from huaxiang.api.coaching.suite import Coaching, build_coaching
from huaxiang.core.database import now, transaction
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.profile.coaching.calls import Call
from huaxiang.profile.crm import put_customer
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.scorecard_store import ScorecardStore


@pytest.fixture
def history(sessions: sessionmaker[Session]) -> list[InventedConversation]:
    return add_coached_history(sessions, 24)


def calls(coaching: Coaching, sessions: sessionmaker[Session]) -> list[Call]:
    with transaction(sessions) as session:
        moment = now()
        return coaching.records.calls(session, coaching.records.period(moment, 91), moment)


def erase(session: Session, one: InventedConversation) -> None:
    session.execute(delete(RecordingRow).where(RecordingRow.id == one.recording.id))


def rescore(session: Session, one: InventedConversation) -> None:
    store = ScorecardStore()
    stored = store.latest(session, one.recording.id)
    store.save(session, one.recording.id, replace(stored, score=1.0))


def understand_anew(session: Session, one: InventedConversation) -> None:
    insights = replace(one.insights, findings=one.insights.findings[:3])
    InsightsStore().save(session, one.recording.id, insights, "1" * 64)


def tell_outcome(session: Session, one: InventedConversation) -> None:
    reference = str(one.recording.metadata.customer_ref)
    day = now().date().isoformat()
    status = {"won": "lost", "lost": "won", "open": "won"}[one.outcome]
    fields = {
        "deal_status": status,
        "deal_closed_at": day,
        "last_purchase_at": None,
        "first_purchase_at": None,
    }
    put_customer(session, reference, {"fields": fields})


@pytest.mark.parametrize("change", [erase, rescore, understand_anew, tell_outcome])
def test_what_is_remembered_is_what_would_be_read(
    sessions: sessionmaker[Session],
    history: list[InventedConversation],
    change: Callable[[Session, InventedConversation], None],
) -> None:
    remembering = build_coaching(UTC)
    before = calls(remembering, sessions)
    with transaction(sessions) as session:
        change(session, history[-1])
    after = calls(remembering, sessions)
    assert after != before
    assert after == calls(build_coaching(UTC), sessions)


def test_nothing_is_read_again_while_nothing_changed_and_the_day_and_the_clock_allow(
    sessions: sessionmaker[Session], history: list[InventedConversation]
) -> None:
    clock, made = [0.0], [0]
    memory = Memory(UTC, clock_s=lambda: clock[0])

    def make() -> int:
        made[0] += 1
        return made[0]

    moment = now()
    with transaction(sessions) as session:
        assert memory.recall(session, moment, "a", make) == 1
        assert memory.recall(session, moment, "a", make) == 1
        assert memory.recall(session, moment, "b", make) == 2
        assert memory.recall(session, moment + timedelta(days=1), "a", make) == 3
        clock[0] = MOST_S
        assert memory.recall(session, moment + timedelta(days=1), "a", make) == 4


def test_it_holds_no_more_than_it_is_allowed(
    sessions: sessionmaker[Session], history: list[InventedConversation]
) -> None:
    memory, made = Memory(UTC, most=2), []
    with transaction(sessions) as session:
        for name in ("a", "b", "c", "c", "a"):
            memory.recall(session, now(), name, lambda name=name: made.append(name))  # type: ignore[misc]
    assert made == ["a", "b", "c", "a"]
