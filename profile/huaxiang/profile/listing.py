"""Lists customers page by page, those that changed last first."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json
from huaxiang.profile.catalogue import load_catalogue
from huaxiang.profile.state import load_customers
from huaxiang.profile.tables import CustomerRow, TagRow
from huaxiang.profile.values import BadValue, Locale, read_time, time_text
from huaxiang.profile.view import as_of_day, summary

MAX_PAGE = 200
_TAG_KEY = re.compile(r"[a-z_]+(?:\.[a-z_]+)*")
_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``next_cursor`` asks for the next one, None at the end."""

    items: tuple[Mapping[str, Json], ...]
    next_cursor: str | None


def list_customers(
    session: Session,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
    updated_since: datetime | None = None,
    tag: str | None = None,
) -> Page:
    """Return up to ``limit`` (1–200) customers, those that changed last first.

    ``updated_since`` keeps customers that changed at or after a time, ``tag`` those with a tag of
    this key (``intent.purchase_intent``). A customer that changes while the pages are read moves to
    the front and is not missed by a new list. Raises InvalidInput for a cursor that is none of ours,
    a limit out of bounds and what cannot be a tag's key.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"limit lies between 1 and {MAX_PAGE}")
    if tag is not None and not _TAG_KEY.fullmatch(tag):
        raise InvalidInput("tag is the key of a tag, such as intent.purchase_intent")
    statement = select(CustomerRow.id, CustomerRow.updated_at).order_by(
        CustomerRow.updated_at.desc(), CustomerRow.id.desc()
    )
    if cursor is not None:
        before, customer_id = _read_cursor(cursor)
        statement = statement.where(
            (CustomerRow.updated_at < before)
            | ((CustomerRow.updated_at == before) & (CustomerRow.id < customer_id))
        )
    if updated_since is not None:
        statement = statement.where(CustomerRow.updated_at >= updated_since)
    if tag is not None:
        statement = statement.where(exists().where(TagRow.customer_id == CustomerRow.id, TagRow.key == tag))
    rows = session.execute(statement.limit(limit + 1)).all()
    shown = rows[:limit]
    catalogue = load_catalogue()
    known = load_customers(session, [row.id for row in shown], catalogue, as_of_day(now))
    return Page(
        items=tuple(summary(known[row.id], catalogue, now) for row in shown),
        next_cursor=_cursor(shown[-1].updated_at, shown[-1].id) if len(rows) > limit else None,
    )


def _cursor(updated_at: datetime, customer_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([time_text(updated_at), customer_id]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        updated_at, customer_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not isinstance(customer_id, str) or not _ID.fullmatch(customer_id):
            raise ValueError("no id")
        return read_time(updated_at, Locale()), customer_id
    except (binascii.Error, ValueError, TypeError, BadValue) as error:
        raise InvalidInput("the cursor is not one that a list of customers gave") from error
