"""Work under an Idempotency-Key is done once, whatever happens around it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.http.answers import Answer
from huaxiang.api.http.once import Idempotency
from huaxiang.api.tables import IdempotencyRow, LoginFailureRow
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.core.types import new_id


def write_row(session: Session) -> Answer:
    """Leave one row, so that doing it twice shows."""
    row = LoginFailureRow(id=new_id(), subject_hash="x", failed_at=now())
    session.add(row)
    session.flush()
    return Answer({"made": row.id}, 201, {"Location": f"/v1/x/{row.id}"})


def rows(sessions: sessionmaker[Session]) -> int:
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(LoginFailureRow)) or 0


def test_the_same_request_gets_the_first_answer_again(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)
    first, first_stored = once.run("token:1", "key", "print", write_row)
    again, again_stored = once.run("token:1", "key", "print", write_row)
    assert (first, first_stored) == (again, False)
    assert again_stored
    assert rows(sessions) == 1


def test_without_a_key_the_work_is_done_each_time(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)
    once.run("token:1", None, "print", write_row)
    once.run("token:1", None, "print", write_row)
    assert rows(sessions) == 2


def test_callers_do_not_share_keys(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)
    once.run("token:1", "key", "print", write_row)
    once.run("token:2", "key", "other", write_row)
    assert rows(sessions) == 2


def test_a_key_with_another_request_is_a_conflict(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)
    once.run("token:1", "key", "print", write_row)
    with pytest.raises(Conflict, match="another request"):
        once.run("token:1", "key", "other", write_row)


def test_a_request_during_the_first_one_is_a_conflict(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)
    working, may_end = threading.Event(), threading.Event()

    def slow(session: Session) -> Answer:
        # Nothing is read or written here, so SQLite's one writer's place is free for the second request.
        working.set()
        assert may_end.wait(10)
        return Answer({"done": True})

    def first() -> None:
        once.run("token:1", "key", "print", slow)

    thread = threading.Thread(target=first)
    thread.start()
    assert working.wait(10)
    with pytest.raises(Conflict, match="still running"):
        once.run("token:1", "key", "print", write_row)
    may_end.set()
    thread.join()
    assert once.run("token:1", "key", "print", write_row)[0] == Answer({"done": True})


def test_failed_work_leaves_nothing_and_may_be_tried_again(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)

    def fail(session: Session) -> Answer:
        write_row(session)
        raise NotFound("there is no such thing")

    with pytest.raises(NotFound):
        once.run("token:1", "key", "print", fail)
    assert rows(sessions) == 0
    once.run("token:1", "key", "print", write_row)
    assert rows(sessions) == 1


def test_a_claim_of_a_process_that_died_is_taken_over_after_its_lease(
    sessions: sessionmaker[Session],
) -> None:
    once = Idempotency(sessions)
    dead = IdempotencyRow(
        caller="token:1",
        key="key",
        request_hash="print",
        status=0,
        headers={},
        body=None,
        created_at=now() - timedelta(minutes=1),
    )
    with transaction(sessions) as session:
        session.add(dead)
    with pytest.raises(Conflict, match="still running"):
        once.run("token:1", "key", "print", write_row)
    with transaction(sessions) as session:
        session.execute(update(IdempotencyRow).values(created_at=now() - timedelta(minutes=11)))
    once.run("token:1", "key", "print", write_row)
    assert rows(sessions) == 1


def test_work_that_was_taken_over_is_rolled_back(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)

    def overtaken(session: Session) -> Answer:
        answer = write_row(session)
        session.execute(update(IdempotencyRow).values(created_at=now() + timedelta(seconds=1)))
        return answer

    with pytest.raises(Conflict, match="taken over"):
        once.run("token:1", "key", "print", overtaken)
    assert rows(sessions) == 0


def test_answers_are_forgotten_after_a_day(sessions: sessionmaker[Session]) -> None:
    once = Idempotency(sessions)
    once.run("token:1", "key", "print", write_row)
    with transaction(sessions) as session:
        session.execute(update(IdempotencyRow).values(created_at=now() - timedelta(hours=25)))
    once.run("token:1", "later", "print", write_row)
    with transaction(sessions) as session:
        assert session.scalars(select(IdempotencyRow.key)).all() == ["later"]


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "键"])
def test_an_odd_key_is_refused(sessions: sessionmaker[Session], key: str) -> None:
    with pytest.raises(InvalidInput):
        Idempotency(sessions).run("token:1", key, "print", write_row)
