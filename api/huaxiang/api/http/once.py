"""Idempotency-Key: a repeated POST or PUT is answered with the first answer and done only once.

A key is claimed in a transaction of its own, so that a second request at the same time is refused;
the answer is stored in the transaction that does the work, so that a crash leaves either both or
neither, and the claim runs out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.http.answers import Answer
from huaxiang.api.tables import IdempotencyRow
from huaxiang.core.database import now, reading, transaction
from huaxiang.core.errors import Conflict, InvalidInput

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_PENDING = 0


@dataclass(frozen=True, slots=True)
class _Claim:
    caller: str
    key: str
    claimed_at: datetime


class Idempotency:
    """Does work once for each caller and key; answers are kept for ``lifetime``.

    ``lease`` is how long a claim holds whose request never came to an end.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        lifetime: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=10),
    ) -> None:
        self._sessions = sessions
        self._lifetime = lifetime
        self._lease = lease

    def run(
        self, caller: str, key: str | None, fingerprint: str, work: Callable[[Session], Answer]
    ) -> tuple[Answer, bool]:
        """Run ``work`` in one transaction, or return the stored answer; true where it was stored.

        ``fingerprint`` tells one request from another. Raises InvalidInput for a key that is no
        printable ASCII of 1 to 200 characters, and Conflict where the key came with another
        request or its first request is still running.
        """
        if key is None:
            with transaction(self._sessions) as session:
                return work(session), False
        if not _KEY.fullmatch(key):
            raise InvalidInput("Idempotency-Key has 1 to 200 printable ASCII characters without spaces")
        claimed = self._claim(caller, key, fingerprint)
        if isinstance(claimed, Answer):
            return claimed, True
        finished = False
        try:
            with transaction(self._sessions) as session:
                answer = work(session)
                _store(session, claimed, answer)
            finished = True
        finally:
            if not finished:
                self._release(claimed)
        return answer, False

    def answered(self, caller: str, key: str | None, fingerprint: str) -> Answer | None:
        """Return the stored answer to this very request; None where it is to be done, or to be refused.

        For work that is prepared before its transaction: a repetition needs no preparing, which might fail
        by what has changed since.
        """
        if key is None:
            return None
        with reading(self._sessions) as session:
            row = session.get(IdempotencyRow, (caller, key))
            if row is None or row.request_hash != fingerprint or row.status == _PENDING:
                return None
            return Answer(row.body, row.status, row.headers)

    def _claim(self, caller: str, key: str, fingerprint: str) -> _Claim | Answer:
        claim = _Claim(caller, key, now())
        try:
            with transaction(self._sessions) as session:
                session.execute(
                    delete(IdempotencyRow).where(
                        IdempotencyRow.created_at <= claim.claimed_at - self._lifetime
                    )
                )
                row = session.get(IdempotencyRow, (caller, key), with_for_update=True)
                if row is not None:
                    return self._known(row, claim, fingerprint)
                session.add(_pending(claim, fingerprint))
        except IntegrityError as error:
            raise _running() from error
        return claim

    def _known(self, row: IdempotencyRow, claim: _Claim, fingerprint: str) -> _Claim | Answer:
        if row.request_hash != fingerprint:
            raise Conflict("this Idempotency-Key was used with another request; use a new key")
        if row.status != _PENDING:
            return Answer(row.body, row.status, row.headers)
        if row.created_at > claim.claimed_at - self._lease:
            raise _running()
        row.created_at = claim.claimed_at
        return claim

    def _release(self, claim: _Claim) -> None:
        with transaction(self._sessions) as session:
            session.execute(delete(IdempotencyRow).where(*_mine(claim)))


def _mine(claim: _Claim) -> tuple[ColumnElement[bool], ...]:
    """Match a claim that is still this request's: not taken over, not answered."""
    return (
        IdempotencyRow.caller == claim.caller,
        IdempotencyRow.key == claim.key,
        IdempotencyRow.created_at == claim.claimed_at,
        IdempotencyRow.status == _PENDING,
    )


def _pending(claim: _Claim, fingerprint: str) -> IdempotencyRow:
    return IdempotencyRow(
        caller=claim.caller,
        key=claim.key,
        request_hash=fingerprint,
        status=_PENDING,
        headers={},
        body=None,
        created_at=claim.claimed_at,
    )


def _store(session: Session, claim: _Claim, answer: Answer) -> None:
    stored = session.scalars(
        update(IdempotencyRow)
        .where(*_mine(claim))
        .values(status=answer.status, headers=dict(answer.headers), body=answer.document)
        .returning(IdempotencyRow.key)
    ).all()
    if not stored:
        raise Conflict("this request ran too long and was taken over by its repetition")


def _running() -> Conflict:
    return Conflict("the first request with this Idempotency-Key is still running", retry_after_s=1)
