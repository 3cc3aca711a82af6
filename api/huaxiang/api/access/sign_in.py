"""Signing in with name and password."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.access.passwords import Passwords
from huaxiang.api.access.sessions import SignedIn, start_session
from huaxiang.api.access.throttle import Throttle
from huaxiang.api.access.users import renew_hash, stored_hash
from huaxiang.core.database import transaction
from huaxiang.core.errors import Unauthenticated


class SignIn:
    """Checks a password, slowly and not too often, and starts a session."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        passwords: Passwords,
        throttle: Throttle,
        lifetime: timedelta,
    ) -> None:
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._lifetime = lifetime

    def sign_in(self, name: str, password: str, address: str) -> tuple[SignedIn, str]:
        """Return the new session and the value of its cookie.

        Takes about 0.3 s of one core: call it in a thread. No transaction is open while hashing.
        Raises Unauthenticated for a wrong pair, the same for name and password, and
        TooManyRequests after too many failures.
        """
        attempt = self._throttle.begin(name, address)
        with transaction(self._sessions) as session:
            found = stored_hash(session, name)
        good, renewed = self._passwords.verify(password, found[1] if found else None)
        if found is None or not good:
            raise Unauthenticated("name or password is wrong")
        self._throttle.succeed(attempt)
        user, old_hash = found
        with transaction(self._sessions) as session:
            if renewed is not None:
                renew_hash(session, user.id, old_hash, renewed)
            return start_session(session, user.id, self._lifetime)
