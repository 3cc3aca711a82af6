"""Slows down guessing of passwords. Counts in the database, so it holds over all processes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.access.secret_values import keyed_hash
from huaxiang.api.tables import LoginFailureRow
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import TooManyRequests
from huaxiang.core.types import new_id


@dataclass(frozen=True, slots=True)
class ThrottleLimits:
    """How many failures within ``window`` are too many.

    The pair of name and address is limited closely; an address alone against trying many names;
    a name alone loosely, so that a stranger cannot lock its owner out at once.
    """

    window: timedelta = timedelta(minutes=15)
    per_name_and_address: int = 5
    per_address: int = 30
    per_name: int = 100


class Throttle:
    """Counts sign-in attempts by name and address; only keyed hashes of both are stored."""

    def __init__(
        self, sessions: sessionmaker[Session], key: bytes, limits: ThrottleLimits = ThrottleLimits()
    ) -> None:
        self._sessions = sessions
        self._key = key
        self._limits = limits

    def begin(self, name: str, address: str) -> tuple[str, ...]:
        """Count one attempt before the password is looked at; return it for ``succeed``.

        Counting first keeps a burst of simultaneous guesses within the limit. Raises
        TooManyRequests with ``retry_after_s``; such an attempt does not prolong the wait.
        """
        attempt = tuple(new_id() for _ in range(3))
        limits = self._subjects(name, address)
        started_at = now()
        with transaction(self._sessions) as session:
            session.execute(
                delete(LoginFailureRow).where(LoginFailureRow.failed_at <= started_at - self._limits.window)
            )
            session.add_all(
                LoginFailureRow(id=identifier, subject_hash=subject, failed_at=started_at)
                for identifier, (subject, _) in zip(attempt, limits, strict=True)
            )
        wait_s = self._wait_s(limits)
        if wait_s:
            self.succeed(attempt)
            raise TooManyRequests(
                f"too many failed sign-ins; try again in {math.ceil(wait_s / 60)} minutes",
                retry_after_s=wait_s,
            )
        return attempt

    def succeed(self, attempt: tuple[str, ...]) -> None:
        """Take an attempt back: it was no failure."""
        with transaction(self._sessions) as session:
            session.execute(delete(LoginFailureRow).where(LoginFailureRow.id.in_(attempt)))

    def _subjects(self, name: str, address: str) -> tuple[tuple[str, int], ...]:
        return (
            (keyed_hash(self._key, "sign-in pair", f"{name}\0{address}"), self._limits.per_name_and_address),
            (keyed_hash(self._key, "sign-in address", address), self._limits.per_address),
            (keyed_hash(self._key, "sign-in name", name), self._limits.per_name),
        )

    def _wait_s(self, limits: tuple[tuple[str, int], ...]) -> int:
        """Return for how many seconds any of the subjects is over its limit; 0 for none."""
        wait_s = 0
        with transaction(self._sessions) as session:
            for subject, limit in limits:
                count, oldest = session.execute(
                    select(func.count(), func.min(LoginFailureRow.failed_at)).where(
                        LoginFailureRow.subject_hash == subject
                    )
                ).one()
                if count > limit:
                    until = oldest + self._limits.window
                    wait_s = max(wait_s, math.ceil((until - now()).total_seconds()), 1)
        return wait_s
