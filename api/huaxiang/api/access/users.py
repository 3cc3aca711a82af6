"""The people who sign in to the pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from huaxiang.api.access.passwords import Passwords
from huaxiang.api.access.scopes import ROLE_SCOPES
from huaxiang.api.tables import SessionRow, UserRow
from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.core.types import new_id

_NAME = re.compile(r"[\w.@+-]{1,100}")


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in. A seller sees the recordings of the seller linked to their ``name``."""

    id: str
    name: str
    role: str
    created_at: datetime
    disabled_at: datetime | None


def _user(row: UserRow) -> User:
    return User(row.id, row.name, row.role, row.created_at, row.disabled_at)


def add_user(session: Session, passwords: Passwords, name: str, password: str, role: str) -> User:
    """Add a user with the role ``seller``, ``manager`` or ``admin``.

    Raises InvalidInput for a bad name, password or role and Conflict for a name that is taken.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput("a user name has 1 to 100 letters, digits or . @ + - _")
    if role not in ROLE_SCOPES:
        raise InvalidInput(f"a role is one of {', '.join(ROLE_SCOPES)}")
    if _find(session, name) is not None:
        raise Conflict("there is a user of this name already")
    row = UserRow(id=new_id(), name=name, password_hash=passwords.hash(password), role=role, created_at=now())
    session.add(row)
    session.flush()
    return _user(row)


def set_password(session: Session, passwords: Passwords, name: str, password: str) -> User:
    """Change a user's password and sign them out everywhere. Raises NotFound, InvalidInput."""
    row = _get(session, name)
    row.password_hash = passwords.hash(password)
    _sign_out_everywhere(session, row.id)
    return _user(row)


def disable_user(session: Session, name: str) -> User:
    """Keep a user from signing in, and sign them out everywhere. Raises NotFound."""
    row = _get(session, name)
    row.disabled_at = row.disabled_at or now()
    _sign_out_everywhere(session, row.id)
    return _user(row)


def list_users(session: Session) -> Sequence[User]:
    """Return all users by name, disabled ones too."""
    return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]


def stored_hash(session: Session, name: str) -> tuple[User, str] | None:
    """Return the user of this name and the hash of their password; None for nobody or a disabled one."""
    row = _find(session, name)
    return None if row is None or row.disabled_at is not None else (_user(row), row.password_hash)


def renew_hash(session: Session, user_id: str, old_hash: str, new_hash: str) -> None:
    """Store a stronger hash of the same password, unless the password was changed meanwhile."""
    row = session.get(UserRow, user_id)
    if row is not None and row.password_hash == old_hash:
        row.password_hash = new_hash
        session.flush()


def _find(session: Session, name: str) -> UserRow | None:
    return session.scalars(select(UserRow).where(UserRow.name == name)).one_or_none()


def _get(session: Session, name: str) -> UserRow:
    row = _find(session, name)
    if row is None:
        raise NotFound("there is no user of this name; `huaxiang user list` shows them")
    return row


def _sign_out_everywhere(session: Session, user_id: str) -> None:
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))
    session.flush()
