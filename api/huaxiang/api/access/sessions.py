"""Signed-in browsers: a random value in a cookie, its hash and a form token in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from huaxiang.api.access.secret_values import hash_secret, make_secret
from huaxiang.api.tables import SessionRow, UserRow
from huaxiang.core.database import now
from huaxiang.core.errors import Unauthenticated

SESSION_COOKIE = "huaxiang_session"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session: whose it is, and ``csrf``, which every form of it has to send back."""

    user_id: str
    user_name: str
    role: str
    csrf: str
    expires_at: datetime


def start_session(session: Session, user_id: str, lifetime: timedelta) -> tuple[SignedIn, str]:
    """Begin a session; return it and the value of its cookie. Ended sessions are cleared away.

    Raises Unauthenticated where the user does not exist or is disabled.
    """
    user = session.get(UserRow, user_id)
    if user is None or user.disabled_at is not None:
        raise Unauthenticated("there is no such user")
    started_at = now()
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= started_at))
    value = make_secret()
    row = SessionRow(
        token_hash=hash_secret(value),
        user_id=user_id,
        csrf=make_secret(),
        created_at=started_at,
        expires_at=started_at + lifetime,
    )
    session.add(row)
    session.flush()
    return SignedIn(user.id, user.name, user.role, row.csrf, row.expires_at), value


def find_session(session: Session, value: str) -> SignedIn | None:
    """Return the session of this cookie unless it is unknown, over, or its user disabled."""
    row = session.get(SessionRow, hash_secret(value))
    if row is None or row.expires_at <= now():
        return None
    user = session.get(UserRow, row.user_id)
    if user is None or user.disabled_at is not None:
        return None
    return SignedIn(user.id, user.name, user.role, row.csrf, row.expires_at)


def end_session(session: Session, value: str) -> None:
    """End the session of this cookie; an unknown one is fine."""
    session.execute(delete(SessionRow).where(SessionRow.token_hash == hash_secret(value)))
