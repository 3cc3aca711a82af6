"""The recorders that may upload, each with a key of its own that is stored only as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from huaxiang.core.types import new_id
from huaxiang.ingest.tables import DeviceRow

KEY_PREFIX = "hxd_"
_KEY_BYTES = 32
_MAX_NAME_CHARS = 200
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Device:
    """A registered recorder. A revoked one keeps its recordings and may send no more."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_seen_at: datetime | None = None


class DeviceRegistry:
    """Devices in the database. Flushes and never commits."""

    def add(self, session: Session, name: str) -> tuple[Device, str]:
        """Register a device; return it with its key, which is shown this once.

        Raises InvalidInput for an empty or long name and Conflict for one that is taken.
        """
        name = name.strip()
        if not name or len(name) > _MAX_NAME_CHARS or not name.isprintable():
            raise InvalidInput(f"a device has a name of 1 to {_MAX_NAME_CHARS} printable characters")
        key = KEY_PREFIX + secrets.token_urlsafe(_KEY_BYTES)
        row = DeviceRow(id=new_id(), name=name, key_hash=_hash(key), created_at=now())
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError as error:
            raise Conflict("a device of this name is registered; choose another name") from error
        return _device(row), key

    def authenticate(self, session: Session, key: str) -> Device:
        """Return the device of this key and note that it was seen.

        Raises Unauthenticated for a key that is unknown or revoked; which of them is not told.
        """
        given = _hash(key)
        # The database compares hashes, whose order says nothing about the key.
        row = session.scalar(select(DeviceRow).filter_by(key_hash=given))
        if row is None or not hmac.compare_digest(row.key_hash, given) or row.revoked_at is not None:
            raise Unauthenticated("this device key is unknown or revoked; register the device")
        moment = now()
        if row.last_seen_at is None or moment - row.last_seen_at > _SEEN_EVERY:
            row.last_seen_at = moment
            session.flush()
        return _device(row)

    def revoke(self, session: Session, device: str) -> Device:
        """Revoke the key of the device with this id or name; once revoked is fine. Raises NotFound."""
        row = session.scalar(select(DeviceRow).where(or_(DeviceRow.id == device, DeviceRow.name == device)))
        if row is None:
            raise NotFound("there is no such device; `huaxiang device list` shows them")
        row.revoked_at = row.revoked_at or now()
        session.flush()
        return _device(row)

    def list(self, session: Session) -> list[Device]:
        """Return all devices by name, revoked ones too."""
        return [_device(row) for row in session.scalars(select(DeviceRow).order_by(DeviceRow.name))]


def _hash(key: str) -> str:
    """A key has 256 random bits, so one round of a fast hash is enough; see docs/ingest.md."""
    return hashlib.sha256(key.encode()).hexdigest()


def _device(row: DeviceRow) -> Device:
    return Device(row.id, row.name, row.created_at, row.revoked_at, row.last_seen_at)
