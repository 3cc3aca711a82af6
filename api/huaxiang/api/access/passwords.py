"""Passwords: what is accepted as one, and argon2id hashing (pwdlib)."""

from __future__ import annotations

import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from huaxiang.core.errors import InvalidInput

MIN_LENGTH = 10
MAX_LENGTH = 200


def check_password(password: str) -> None:
    """Refuse a password that is too short to be safe or too long to be one (InvalidInput)."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InvalidInput(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    if len(set(password)) < MIN_LENGTH // 2:
        raise InvalidInput("the password repeats too few characters; choose another")


def make_password() -> str:
    """Return a random password of 120 bits."""
    return secrets.token_urlsafe(15)


class Passwords:
    """Hashes and checks passwords with argon2id.

    A check takes about 0.3 s of one core and 64 MiB on purpose: call it in a thread.
    ``memory_cost`` (KiB) and ``time_cost`` (rounds) as they come are those of RFC 9106's second
    recommendation; a hash made with others is renewed at the next sign-in.
    """

    def __init__(self, *, memory_cost: int = 65_536, time_cost: int = 3) -> None:
        self._hash = PasswordHash((Argon2Hasher(memory_cost=memory_cost, time_cost=time_cost),))
        self._nobody = self._hash.hash(make_password())

    def hash(self, password: str) -> str:
        """Return the hash to store. Raises InvalidInput for a password that is not accepted."""
        check_password(password)
        return self._hash.hash(password)

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Return whether ``password`` is the stored one, and a renewed hash where that is due.

        With ``stored=None`` (no such user) the same work is done, so that time tells nothing.
        """
        if len(password) > MAX_LENGTH:
            return False, None
        if stored is None:
            self._hash.verify(password, self._nobody)
            return False, None
        return self._hash.verify_and_update(password, stored)
