"""Users, sessions, tokens and the throttle, on both databases."""

from __future__ import annotations

import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.access.callers import Authenticator, CallerKind
from huaxiang.api.access.first_start import ensure_first_admin, server_key
from huaxiang.api.access.passwords import Passwords
from huaxiang.api.access.scopes import Scope
from huaxiang.api.access.sessions import end_session, find_session
from huaxiang.api.access.sign_in import SignIn
from huaxiang.api.access.throttle import Throttle, ThrottleLimits
from huaxiang.api.access.tokens import add_token, find_token, list_tokens, revoke_token
from huaxiang.api.access.users import add_user, disable_user, list_users, set_password
from huaxiang.api.tables import LoginFailureRow, SessionRow, TokenRow, UserRow
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import (
    ConfigurationError,
    Conflict,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from huaxiang.core.settings import load_settings

PASSWORD = "correct horse battery"
KEY = b"k" * 32
CHEAP = Passwords(memory_cost=64, time_cost=1)


class NoDevices:
    """A registry without a single device."""

    def authenticate(self, session: Session, key: str) -> object:
        raise Unauthenticated("this device key is unknown or revoked")


def sign_in_service(sessions: sessionmaker[Session], limits: ThrottleLimits | None = None) -> SignIn:
    throttle = Throttle(sessions, KEY, limits or ThrottleLimits())
    return SignIn(sessions, CHEAP, throttle, timedelta(hours=1))


@pytest.fixture
def manager(sessions: sessionmaker[Session]) -> str:
    with transaction(sessions) as session:
        return add_user(session, CHEAP, "mei", PASSWORD, "manager").id


def test_a_password_and_its_session_are_stored_as_hashes_only(
    sessions: sessionmaker[Session], manager: str
) -> None:
    _, cookie = sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        stored = session.scalars(select(UserRow.password_hash)).one()
        token_hash = session.scalars(select(SessionRow.token_hash)).one()
    assert stored.startswith("$argon2id$")
    assert cookie not in token_hash


def test_a_good_password_gives_a_session_that_ends_when_it_is_ended(
    sessions: sessionmaker[Session], manager: str
) -> None:
    signed_in, cookie = sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        found = find_session(session, cookie)
        assert found == signed_in
        end_session(session, cookie)
        assert find_session(session, cookie) is None


def test_a_session_is_over_after_its_lifetime(sessions: sessionmaker[Session], manager: str) -> None:
    _, cookie = sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        session.execute(update(SessionRow).values(expires_at=now() - timedelta(seconds=1)))
        assert find_session(session, cookie) is None


@pytest.mark.parametrize(("name", "password"), [("mei", "wrong password"), ("nobody", PASSWORD), ("mei", "")])
def test_a_wrong_pair_is_refused_in_one_way(
    sessions: sessionmaker[Session], manager: str, name: str, password: str
) -> None:
    with pytest.raises(Unauthenticated, match="name or password is wrong"):
        sign_in_service(sessions).sign_in(name, password, "10.0.0.1")


def test_a_disabled_user_is_signed_out_and_stays_out(sessions: sessionmaker[Session], manager: str) -> None:
    _, cookie = sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        disable_user(session, "mei")
        assert find_session(session, cookie) is None
    with pytest.raises(Unauthenticated):
        sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")


def test_a_new_password_ends_every_session_and_replaces_the_old_one(
    sessions: sessionmaker[Session], manager: str
) -> None:
    _, cookie = sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        set_password(session, CHEAP, "mei", "another good password")
        assert find_session(session, cookie) is None
    with pytest.raises(Unauthenticated):
        sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    sign_in_service(sessions).sign_in("mei", "another good password", "10.0.0.1")


def test_signing_in_renews_a_hash_that_was_made_with_weaker_parameters(
    sessions: sessionmaker[Session], manager: str
) -> None:
    stronger = Passwords(memory_cost=128, time_cost=1)
    service = SignIn(sessions, stronger, Throttle(sessions, KEY), timedelta(hours=1))
    service.sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        assert "m=128," in session.scalars(select(UserRow.password_hash)).one()
    service.sign_in("mei", PASSWORD, "10.0.0.1")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 201])
def test_a_poor_password_is_not_accepted(sessions: sessionmaker[Session], password: str) -> None:
    with transaction(sessions) as session, pytest.raises(InvalidInput):
        add_user(session, CHEAP, "mei", password, "manager")


def test_users_have_known_roles_and_names_of_their_own(sessions: sessionmaker[Session], manager: str) -> None:
    with transaction(sessions) as session:
        with pytest.raises(InvalidInput):
            add_user(session, CHEAP, "lin", PASSWORD, "owner")
        with pytest.raises(InvalidInput):
            add_user(session, CHEAP, "a b\n", PASSWORD, "manager")
        with pytest.raises(Conflict):
            add_user(session, CHEAP, "mei", PASSWORD, "admin")
        with pytest.raises(NotFound):
            disable_user(session, "lin")
        assert [(user.name, user.role) for user in list_users(session)] == [("mei", "manager")]


def test_guessing_is_stopped_and_the_right_password_does_not_help_then(
    sessions: sessionmaker[Session], manager: str
) -> None:
    service = sign_in_service(sessions, ThrottleLimits(per_name_and_address=3))
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            service.sign_in("mei", "wrong password", "10.0.0.1")
    with pytest.raises(TooManyRequests) as caught:
        service.sign_in("mei", PASSWORD, "10.0.0.1")
    assert 0 < int(caught.value.context["retry_after_s"]) <= 15 * 60
    service.sign_in("mei", PASSWORD, "10.0.0.2")


def test_an_address_that_tries_many_names_is_stopped(sessions: sessionmaker[Session]) -> None:
    service = sign_in_service(sessions, ThrottleLimits(per_address=4))
    for number in range(4):
        with pytest.raises(Unauthenticated):
            service.sign_in(f"user{number}", PASSWORD, "10.0.0.1")
    with pytest.raises(TooManyRequests):
        service.sign_in("user9", PASSWORD, "10.0.0.1")


def test_failures_are_forgotten_after_the_window(sessions: sessionmaker[Session], manager: str) -> None:
    service = sign_in_service(sessions, ThrottleLimits(per_name_and_address=1))
    with pytest.raises(Unauthenticated):
        service.sign_in("mei", "wrong password", "10.0.0.1")
    with transaction(sessions) as session:
        session.execute(update(LoginFailureRow).values(failed_at=now() - timedelta(minutes=16)))
    service.sign_in("mei", PASSWORD, "10.0.0.1")


def test_a_burst_of_simultaneous_guesses_stays_within_the_limit(
    sessions: sessionmaker[Session], manager: str
) -> None:
    throttle = Throttle(sessions, KEY, ThrottleLimits(per_name_and_address=3))
    let_through: list[int] = []

    def guess(number: int) -> None:
        try:
            throttle.begin("mei", "10.0.0.1")
        except TooManyRequests:
            return
        let_through.append(number)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) <= 3


def test_the_throttle_stores_neither_name_nor_address(sessions: sessionmaker[Session]) -> None:
    Throttle(sessions, KEY).begin("mei", "10.0.0.1")
    with transaction(sessions) as session:
        rows = session.scalars(select(LoginFailureRow.subject_hash)).all()
    assert len(rows) == 3
    assert all(len(row) == 64 and "mei" not in row for row in rows)


def test_a_token_works_until_it_is_revoked_and_only_its_hash_is_stored(
    sessions: sessionmaker[Session],
) -> None:
    with transaction(sessions) as session:
        token, value = add_token(session, "crm sync", ["crm"])
        assert value.startswith("hxt_")
        assert token.scopes == {Scope.CRM}
        stored = session.scalars(select(TokenRow.token_hash)).one()
        assert value not in stored
        found = find_token(session, value)
        assert found is not None
        assert found.id == token.id
        assert find_token(session, value + "x") is None
        revoke_token(session, "crm sync")
        assert find_token(session, value) is None
        assert [row.revoked_at is not None for row in list_tokens(session)] == [True]


@pytest.mark.parametrize("scopes", [[], ["root"], ["crm", "root"], ["upload"], ["seller"]])
def test_a_token_has_known_scopes_only(sessions: sessionmaker[Session], scopes: list[str]) -> None:
    with transaction(sessions) as session, pytest.raises(InvalidInput):
        add_token(session, "odd", scopes)


def test_a_revoked_tokens_name_is_not_given_again(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        add_token(session, "sync", ["crm"])
        revoke_token(session, "sync")
        with pytest.raises(Conflict):
            add_token(session, "sync", ["crm"])
        with pytest.raises(NotFound):
            revoke_token(session, "other")


def test_a_header_wins_over_a_cookie_and_a_wrong_one_is_refused(
    sessions: sessionmaker[Session], manager: str
) -> None:
    _, cookie = sign_in_service(sessions).sign_in("mei", PASSWORD, "10.0.0.1")
    with transaction(sessions) as session:
        _, value = add_token(session, "ops", ["admin"])
    authenticator = Authenticator(sessions, NoDevices())  # type: ignore[arg-type]  # it never returns one
    by_both = authenticator.authenticate(f"Bearer {value}", cookie)
    assert by_both is not None
    assert by_both.kind is CallerKind.TOKEN
    by_cookie = authenticator.authenticate(None, cookie)
    assert by_cookie is not None
    assert by_cookie.kind is CallerKind.USER
    assert by_cookie.scopes == {Scope.MANAGER}
    assert authenticator.authenticate(None, "made up") is None
    for wrong in ("Bearer hxt_nothing", "Bearer", f"Basic {value}", "Bearer device"):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(wrong, cookie)


def test_the_first_start_makes_a_key_that_only_its_owner_reads_and_keeps_it(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data", secret_key=None)
    first = server_key(settings)
    path = tmp_path / "data" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 32
    assert server_key(settings) == first


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="HUAXIANG_SECRET_KEY"):
        server_key(load_settings(data_dir=tmp_path, secret_key="changeme"))


def test_the_first_start_makes_an_admin_with_a_password_of_its_own_once(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = ensure_first_admin(sessions, CHEAP, tmp_path)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    password = path.read_text().split("password: ")[1].strip()
    signed_in, _ = sign_in_service(sessions).sign_in("admin", password, "10.0.0.1")
    assert signed_in.role == "admin"
    assert ensure_first_admin(sessions, CHEAP, tmp_path) is None


def test_the_database_refuses_an_unknown_role(sessions: sessionmaker[Session], manager: str) -> None:
    with pytest.raises(DBAPIError), transaction(sessions) as session:
        session.execute(text("UPDATE users SET role = 'owner'"))
