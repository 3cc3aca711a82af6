"""Finds out who calls: a signed-in person, a program with a token, or a device with its key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.access.scopes import ROLE_SCOPES, Scope
from huaxiang.api.access.sessions import find_session
from huaxiang.api.access.tokens import TOKEN_PREFIX, find_token
from huaxiang.core.database import reading, transaction
from huaxiang.core.errors import Forbidden, Unauthenticated
from huaxiang.profile.coaching.sellers import SellerStore


class CallerKind(StrEnum):
    """What sort of caller it is."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind, no secret
    DEVICE = "device"
    LOOPBACK = "loopback"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what they may do.

    ``name`` is for the screen; with the scope ``seller``, ``seller`` is whose recordings they see, None
    where the sign-in stands for nobody. ``csrf`` is set for a signed-in browser only.
    """

    kind: CallerKind
    id: str
    scopes: frozenset[Scope]
    name: str = ""
    csrf: str | None = None
    seller: str | None = None

    @property
    def source(self) -> str:
        """Where recordings of this caller come from: the device's id, or ``api:`` and kind and id."""
        return self.id if self.kind is CallerKind.DEVICE else f"api:{self.kind.value}:{self.id}"

    @property
    def key(self) -> str:
        """A name of this caller that no caller of another kind has."""
        return f"{self.kind.value}:{self.id}"

    def may(self, *scopes: Scope) -> bool:
        """Return whether the caller has one of these scopes; ``admin`` has all."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(scopes)

    def need(self, *scopes: Scope) -> None:
        """Raise Forbidden unless the caller has one of these scopes."""
        if not self.may(*scopes):
            wanted = " or ".join(scope.value for scope in scopes)
            raise Forbidden(f"this needs the scope {wanted}")

    @property
    def only_seller(self) -> str | None:
        """The seller whose recordings alone this caller sees; None for one who sees all.

        Raises Forbidden for one who sees their own alone and has none, as None would show them all.
        """
        if self.may(Scope.MANAGER):
            return None
        if self.seller is None:
            raise Forbidden("this sign-in stands for no seller; a manager links it to one")
        return self.seller


class KnownDevice(Protocol):
    """What is needed of a device."""

    @property
    def id(self) -> str:
        """The device's id."""

    @property
    def name(self) -> str:
        """The device's name."""


class DeviceKeys(Protocol):
    """Knows devices by their keys (``huaxiang.ingest.devices.DeviceRegistry``)."""

    def authenticate(self, session: Session, key: str) -> KnownDevice:
        """Return the device of this key; raise Unauthenticated for an unknown or revoked one."""


class Authenticator:
    """Turns the credential of a request into a Caller."""

    def __init__(self, sessions: sessionmaker[Session], devices: DeviceKeys) -> None:
        self._sessions = sessions
        self._devices = devices

    def authenticate(self, authorization: str | None, cookie: str | None) -> Caller | None:
        """Return who calls; None where no credential was sent or the session is over.

        ``authorization`` is the header (``Bearer`` with a token or a device key), ``cookie`` the
        session's value; the header wins. Raises Unauthenticated for a header that is wrong.
        """
        if authorization is not None:
            scheme, _, value = authorization.partition(" ")
            if scheme.lower() != "bearer" or not value.strip():
                raise Unauthenticated("send the header `Authorization: Bearer …` with a token or device key")
            with transaction(self._sessions) as session:
                return self._by_key(session, value.strip())
        if cookie:
            with reading(self._sessions) as session:
                return _by_cookie(session, cookie)
        return None

    def _by_key(self, session: Session, value: str) -> Caller:
        if value.startswith(TOKEN_PREFIX):
            token = find_token(session, value)
            if token is None:
                raise Unauthenticated("this token is unknown or revoked")
            return Caller(CallerKind.TOKEN, token.id, token.scopes, token.name)
        device = self._devices.authenticate(session, value)
        return Caller(CallerKind.DEVICE, device.id, frozenset({Scope.UPLOAD}), device.name)


def _by_cookie(session: Session, cookie: str) -> Caller | None:
    signed_in = find_session(session, cookie)
    if signed_in is None:
        return None
    scopes, name = ROLE_SCOPES[signed_in.role], signed_in.user_name
    seller = SellerStore().key_of_user(session, name) if Scope.SELLER in scopes else None
    return Caller(CallerKind.USER, signed_in.user_id, scopes, name, signed_in.csrf, seller)
