"""Sellers and their teams: who they are, whose sign-in it is, and whether others may learn from them.

A seller of a recording who has no row is known by the recording's own key, has no team, and has not
consented to anything. Every change is kept with its time and who made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, NotFound
from huaxiang.core.types import Json, new_id
from huaxiang.profile.coaching.tables import SellerChangeRow, SellerRow

MAX_KEY_CHARS = 200
MAX_NAME_CHARS = 200
MAX_TEAM_CHARS = 100
CONSENT = "library_consent"


class Keep:
    """Stands for "leave it as it is", where None already means "none"."""


KEEP: Final = Keep()


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller as at present; ``registered`` is false for one who is known from recordings only."""

    key: str
    name: str
    team: str | None = None
    active: bool = True
    user_name: str | None = None
    library_consent: bool = False
    library_consent_at: datetime | None = None
    registered: bool = True


@dataclass(frozen=True, slots=True)
class SellerChange:
    """One change: which field, its new value, when, and by whom."""

    field: str
    value: Json
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class SellerValues:
    """What is to be written of a seller; fields left at ``KEEP`` stay as they are."""

    name: str | Keep = KEEP
    team: str | Keep | None = KEEP
    active: bool | Keep = KEEP
    user_name: str | Keep | None = KEEP
    library_consent: bool | Keep = KEEP


class SellerStore:
    """Keeps sellers; flushes, and leaves the commit to the caller."""

    def add(self, session: Session, key: str, values: SellerValues, *, by: str) -> Seller:
        """Register a seller under the key that recordings use. Raises InvalidInput and Conflict."""
        identifier = clean_key(key)
        if session.get(SellerRow, identifier) is not None:
            raise Conflict("there is a seller of this key already; update it instead")
        moment = now()
        row = SellerRow(
            key=identifier,
            name=identifier,
            team=None,
            active=True,
            user_name=None,
            library_consent=False,
            library_consent_at=None,
            created_at=moment,
            updated_at=moment,
        )
        session.add(row)
        session.flush()
        _note(session, row, "key", identifier, moment, by)
        self._write(session, row, values, by)
        return _seller(row)

    def update(self, session: Session, key: str, values: SellerValues, *, by: str) -> Seller:
        """Change a seller; what is the same already is not noted. Raises NotFound, InvalidInput, Conflict.

        Consent to the library is the caller's to follow up, as ``write_seller`` does.
        """
        row = _row(session, key)
        self._write(session, row, values, by)
        return _seller(row)

    def get(self, session: Session, key: str) -> Seller:
        """Return a seller; one without a row has the key as name. Raises InvalidInput for no key."""
        row = session.get(SellerRow, clean_key(key))
        return unregistered(clean_key(key)) if row is None else _seller(row)

    def list(self, session: Session, *, seen: Iterable[str] = ()) -> Sequence[Seller]:
        """Return all sellers by key, those known from recordings only (``seen``) among them."""
        known = {row.key: _seller(row) for row in session.scalars(select(SellerRow))}
        strangers = {key: unregistered(key) for key in seen if key not in known}
        return sorted((known | strangers).values(), key=lambda seller: seller.key)

    def names(self, session: Session) -> Mapping[str, str]:
        """Return the name of every seller with a row, by key."""
        rows = session.execute(select(SellerRow.key, SellerRow.name))
        return {row.key: row.name for row in rows}

    def team_of(self, session: Session) -> Mapping[str, str]:
        """Return the team of every seller who has one."""
        rows = session.execute(select(SellerRow.key, SellerRow.team).where(SellerRow.team.is_not(None)))
        return {key: team for key, team in rows if team is not None}

    def consenting(self, session: Session) -> frozenset[str]:
        """Return the keys of the sellers whose words the library may hold."""
        return frozenset(session.scalars(select(SellerRow.key).where(SellerRow.library_consent)))

    def key_of_user(self, session: Session, user_name: str) -> str | None:
        """Return the seller that a sign-in stands for: the one linked to it, else that of its own name.

        None where the seller of its own name is linked to another sign-in: those calls are not theirs.
        """
        rows = session.execute(
            select(SellerRow.key, SellerRow.user_name).where(
                or_(SellerRow.user_name == user_name, SellerRow.key == user_name)
            )
        ).all()
        by_user = {row.user_name: str(row.key) for row in rows if row.user_name is not None}
        return by_user.get(user_name, None if by_user else user_name)

    def changes(self, session: Session, key: str) -> Sequence[SellerChange]:
        """Return everything that was ever changed about a seller, oldest first."""
        rows = session.scalars(
            select(SellerChangeRow).where(SellerChangeRow.seller_key == key).order_by(SellerChangeRow.id)
        )
        return [SellerChange(row.field, row.value, row.changed_at, row.changed_by) for row in rows]

    def _write(self, session: Session, row: SellerRow, values: SellerValues, by: str) -> None:
        moment = now()
        changed: dict[str, Json] = {}
        if not isinstance(values.name, Keep):
            changed["name"] = _text("name", values.name, MAX_NAME_CHARS)
        if not isinstance(values.team, Keep):
            changed["team"] = _text("team", values.team, MAX_TEAM_CHARS) if values.team else None
        if not isinstance(values.active, Keep):
            changed["active"] = values.active
        if not isinstance(values.user_name, Keep):
            changed["user_name"] = self._free_user(session, row, values.user_name)
        if not isinstance(values.library_consent, Keep):
            changed[CONSENT] = values.library_consent
        for name, value in changed.items():
            if getattr(row, name) == value:
                continue
            setattr(row, name, value)
            if name == CONSENT:
                row.library_consent_at = moment
            row.updated_at = moment
            _note(session, row, name, value, moment, by)
        session.flush()

    def _free_user(self, session: Session, row: SellerRow, user_name: str | None) -> str | None:
        if not user_name:
            return None
        wanted = _text("user", user_name, MAX_TEAM_CHARS)
        holder = session.scalar(select(SellerRow.key).where(SellerRow.user_name == wanted))
        if holder not in (None, row.key):
            raise Conflict("this sign-in is linked to another seller already")
        return wanted


def unregistered(key: str) -> Seller:
    """Return what is known of a seller who has no row."""
    return Seller(key=key, name=key, registered=False)


def clean_key(key: str) -> str:
    """Return a seller's key without the white space around it; raises InvalidInput for an unusable one."""
    return _text("key", key, MAX_KEY_CHARS)


def _text(name: str, value: str, most: int) -> str:
    text = value.strip()
    if not text or len(text) > most or not text.isprintable():
        raise InvalidInput(f"a seller's {name} has 1 to {most} printable characters")
    return text


def _row(session: Session, key: str) -> SellerRow:
    row = session.get(SellerRow, clean_key(key), with_for_update=True)
    if row is None:
        raise NotFound("there is no seller of this key; add it first")
    return row


def _seller(row: SellerRow) -> Seller:
    return Seller(
        key=row.key,
        name=row.name,
        team=row.team,
        active=row.active,
        user_name=row.user_name,
        library_consent=row.library_consent,
        library_consent_at=row.library_consent_at,
    )


def _note(session: Session, row: SellerRow, field: str, value: Json, moment: datetime, by: str) -> None:
    session.add(
        SellerChangeRow(
            id=new_id(), seller_key=row.key, field=field, value=value, changed_at=moment, changed_by=by
        )
    )
