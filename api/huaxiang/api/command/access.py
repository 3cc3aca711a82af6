"""``device``, ``user`` and ``token``: who may upload, sign in, and call the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from huaxiang.api import bootstrap
from huaxiang.api.access.passwords import Passwords, make_password
from huaxiang.api.access.scopes import TOKEN_SCOPES
from huaxiang.api.access.tokens import add_token, list_tokens, revoke_token
from huaxiang.api.access.users import add_user, disable_user, list_users, set_password
from huaxiang.api.command.console import emit_json, emit_text, people
from huaxiang.api.serialise import time_json
from huaxiang.core.database import transaction
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json

device_app = typer.Typer(help="Recorders that may upload.", no_args_is_help=True)
user_app = typer.Typer(help="People who sign in to the pages.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for programs that call the API.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
AsksPassword = Annotated[bool, typer.Option("--prompt", help="Ask for the password instead of making one.")]


@device_app.command("add")
def add_device(name: str, as_json: AsJson = False) -> None:
    """Register a device and show its key, once."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        device, key = bootstrap.devices().add(session, name)
    _shown_once({"id": device.id, "name": device.name, "key": key}, "key", as_json)


@device_app.command("list")
def list_devices(as_json: AsJson = False) -> None:
    """List the devices."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        found = list(bootstrap.devices().list(session))
    _list(
        (
            {
                "id": device.id,
                "name": device.name,
                "created_at": time_json(device.created_at),
                "last_seen_at": time_json(device.last_seen_at),
                "revoked_at": time_json(device.revoked_at),
            }
            for device in found
        ),
        as_json,
    )


@device_app.command("revoke")
def revoke_device(device_id: str) -> None:
    """Refuse a device from now on; its recordings stay."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        bootstrap.devices().revoke(session, device_id)
    people.print("revoked", markup=False)


@user_app.command("add")
def add_person(
    name: str,
    role: Annotated[str, typer.Option(help="seller, manager or admin")] = "manager",
    password_from_prompt: AsksPassword = False,
    as_json: AsJson = False,
) -> None:
    """Add a user; a random password is made and shown once unless --prompt asks for one."""
    storage = bootstrap.open_storage(load_settings())
    chosen = _password(password_from_prompt)
    with transaction(storage.sessions) as session:
        user = add_user(session, Passwords(), name, chosen, role)
    _person({"id": user.id, "name": user.name, "role": user.role}, chosen, password_from_prompt, as_json)


@user_app.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List the users."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        found = list(list_users(session))
    _list(
        (
            {
                "id": user.id,
                "name": user.name,
                "role": user.role,
                "disabled_at": time_json(user.disabled_at),
            }
            for user in found
        ),
        as_json,
    )


@user_app.command("password")
def change_password(
    name: str,
    password_from_prompt: AsksPassword = False,
    as_json: AsJson = False,
) -> None:
    """Give a user another password and sign them out everywhere; a made one is shown once."""
    storage = bootstrap.open_storage(load_settings())
    chosen = _password(password_from_prompt)
    with transaction(storage.sessions) as session:
        user = set_password(session, Passwords(), name, chosen)
    _person({"id": user.id, "name": user.name, "role": user.role}, chosen, password_from_prompt, as_json)


@user_app.command("disable")
def disable_person(name: str) -> None:
    """Keep a user from signing in, and sign them out everywhere; what they did stays."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        disable_user(session, name)
    people.print("disabled", markup=False)


@token_app.command("add")
def add_api_token(
    name: str,
    scopes: Annotated[list[str], typer.Option("--scope", help=f"{', '.join(TOKEN_SCOPES)}; may be repeated")],
    as_json: AsJson = False,
) -> None:
    """Make an API token and show it, once."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        token, value = add_token(session, name, scopes)
    _shown_once(
        {"id": token.id, "name": token.name, "scopes": sorted(token.scopes), "token": value}, "token", as_json
    )


@token_app.command("list")
def list_api_tokens(as_json: AsJson = False) -> None:
    """List the tokens, without their values."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        found = list(list_tokens(session))
    _list(
        (
            {
                "id": token.id,
                "name": token.name,
                "scopes": sorted(token.scopes),
                "revoked_at": time_json(token.revoked_at),
            }
            for token in found
        ),
        as_json,
    )


@token_app.command("revoke")
def revoke_api_token(name_or_id: str) -> None:
    """Refuse a token from now on."""
    storage = bootstrap.open_storage(load_settings())
    with transaction(storage.sessions) as session:
        revoke_token(session, name_or_id)
    people.print("revoked", markup=False)


def _password(from_prompt: bool) -> str:
    if not from_prompt:
        return make_password()
    asked: str = typer.prompt("password", hide_input=True, confirmation_prompt=True)
    return asked


def _person(shown: dict[str, Json], password: str, from_prompt: bool, as_json: bool) -> None:
    if from_prompt:
        _list([shown], as_json)
    else:
        _shown_once({**shown, "password": password}, "password", as_json)


def _shown_once(shown: dict[str, Json], secret: str, as_json: bool) -> None:
    if as_json:
        emit_json(shown)
        return
    people.print(f"shown only now; only a hash of the {secret} is kept", markup=False)
    for key, value in shown.items():
        emit_text(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")


def _list(rows: Iterable[dict[str, Json]], as_json: bool) -> None:
    for row in rows:
        if as_json:
            emit_json(row)
        else:
            emit_text("\t".join("-" if value is None else _cell(value) for value in row.values()))


def _cell(value: Json) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
