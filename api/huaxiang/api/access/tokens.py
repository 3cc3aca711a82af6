"""API tokens for programs: ``hxt_…``, with scopes, stored as hashes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from huaxiang.api.access.scopes import TOKEN_SCOPES, Scope
from huaxiang.api.access.secret_values import hash_secret, make_secret
from huaxiang.api.tables import TokenRow
from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.core.types import new_id

TOKEN_PREFIX = "hxt_"  # noqa: S105 - the mark by which a leaked token is recognised, no secret
_NOTE_USE_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it is stored: everything but its value."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


def _token(row: TokenRow) -> ApiToken:
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    return ApiToken(row.id, row.name, scopes, row.created_at, row.revoked_at, row.last_used_at)


def add_token(session: Session, name: str, scopes: Iterable[str]) -> tuple[ApiToken, str]:
    """Add a token with some of ``TOKEN_SCOPES``; return it and its value, which is shown only now.

    Raises InvalidInput for an unknown or missing scope or a bad name, Conflict for a taken name.
    """
    wanted = sorted({str(scope) for scope in scopes})
    if not wanted or not set(wanted) <= set(TOKEN_SCOPES):
        raise InvalidInput(f"a token has one or more of the scopes {', '.join(TOKEN_SCOPES)}")
    if not 1 <= len(name.strip()) <= 100:
        raise InvalidInput("a token's name has 1 to 100 characters")
    if session.scalars(select(TokenRow.id).where(TokenRow.name == name)).first() is not None:
        raise Conflict("there is a token of this name already; revoked ones keep theirs")
    value = make_secret(TOKEN_PREFIX)
    row = TokenRow(id=new_id(), name=name, token_hash=hash_secret(value), scopes=wanted, created_at=now())
    session.add(row)
    session.flush()
    return _token(row), value


def revoke_token(session: Session, name_or_id: str) -> ApiToken:
    """Revoke a token for good. Raises NotFound."""
    row = session.scalars(
        select(TokenRow).where(or_(TokenRow.id == name_or_id, TokenRow.name == name_or_id))
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such token; `huaxiang token list` shows them")
    row.revoked_at = row.revoked_at or now()
    session.flush()
    return _token(row)


def list_tokens(session: Session) -> Sequence[ApiToken]:
    """Return all tokens by name, revoked ones too."""
    return [_token(row) for row in session.scalars(select(TokenRow).order_by(TokenRow.name))]


def find_token(session: Session, value: str) -> ApiToken | None:
    """Return the token of this value unless it is unknown or revoked; its use is noted now and then."""
    row = session.scalars(select(TokenRow).where(TokenRow.token_hash == hash_secret(value))).one_or_none()
    if row is None or row.revoked_at is not None:
        return None
    used_at = now()
    if row.last_used_at is None or used_at - row.last_used_at > _NOTE_USE_EVERY:
        session.execute(update(TokenRow).where(TokenRow.id == row.id).values(last_used_at=used_at))
    return _token(row)
