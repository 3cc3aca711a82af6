"""Views of the list of recordings that people keep: private ones, and ones that all managers see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.console_tables import SavedViewRow
from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.core.types import new_id

MAX_OF_ONE = 50
MAX_NAME_CHARS = 60
MAX_QUERY_CHARS = 2000


@dataclass(frozen=True, slots=True)
class SavedView:
    """A kept view; ``query`` is that of the list's address, without a place in it."""

    id: str
    name: str
    query: str
    shared: bool
    own: bool
    owner_name: str
    created_at: datetime


def keep_view(session: Session, caller: Caller, name: str, query: str, *, shared: bool) -> SavedView:
    """Keep a view. Sharing is for managers.

    Raises InvalidInput for an unfit name or query, Conflict where the caller has too many, Forbidden.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise InvalidInput(f"a view has a name of 1 to {MAX_NAME_CHARS} printable characters")
    if len(query) > MAX_QUERY_CHARS:
        raise InvalidInput("the filters of this view are too long to keep")
    if shared:
        caller.need(Scope.MANAGER)
    owned = session.scalar(select(func.count()).where(SavedViewRow.owner == caller.key)) or 0
    if owned >= MAX_OF_ONE:
        raise Conflict(f"there are {MAX_OF_ONE} views of yours already; remove one first")
    row = SavedViewRow(
        id=new_id(),
        owner=caller.key,
        owner_name=caller.name[:100],
        name=name,
        query=query,
        shared=shared,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return _view(row, caller)


def views_of(session: Session, caller: Caller) -> Sequence[SavedView]:
    """Return the caller's own views and, for a manager, the shared ones, by name."""
    mine = SavedViewRow.owner == caller.key
    seen = or_(mine, SavedViewRow.shared.is_(True)) if caller.may(Scope.MANAGER) else mine
    rows = session.scalars(select(SavedViewRow).where(seen).order_by(SavedViewRow.name, SavedViewRow.id))
    return [_view(row, caller) for row in rows]


def remove_view(session: Session, caller: Caller, view_id: str) -> None:
    """Remove a view of the caller's own; an admin may remove any. Raises NotFound."""
    row = session.get(SavedViewRow, view_id)
    if row is None or not (row.owner == caller.key or caller.may(Scope.ADMIN)):
        raise NotFound("there is no such view of yours")
    session.delete(row)
    session.flush()


def _view(row: SavedViewRow, caller: Caller) -> SavedView:
    own = row.owner == caller.key
    return SavedView(row.id, row.name, row.query, row.shared, own, row.owner_name, row.created_at)
