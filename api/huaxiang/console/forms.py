"""Reads the small forms of the pages and checks their tokens."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.secret_values import keyed_hash, make_secret, same
from huaxiang.api.http.authentication import CSRF_HEADER
from huaxiang.core.errors import Forbidden, InvalidInput

LOGIN_COOKIE = "huaxiang_login"
_MAX_FIELDS = 50


async def read_form(request: Request, max_fields: int = _MAX_FIELDS) -> dict[str, str]:
    """Return the fields of an urlencoded form. Raises InvalidInput for another content type.

    ``max_fields`` bounds them; a form with a field for every item of something needs more.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidInput("a form of the pages is application/x-www-form-urlencoded")
    body = await request.body()
    try:
        return dict(
            parse_qsl(
                body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=max_fields
            )
        )
    except ValueError as error:
        raise InvalidInput("the form cannot be read") from error


def check_session_form(request: Request, form: dict[str, str], caller: Caller) -> None:
    """Refuse a form that does not carry the token of its session, or comes from another site.

    HTMX sends the token in the header of every request of the page, so a lone button needs no field.
    """
    _check_origin(request)
    token = form.get("csrf") or request.headers.get(CSRF_HEADER, "")
    if caller.csrf is None or not same(token, caller.csrf):
        raise Forbidden("the form does not carry this session's token; open the page again")


def login_token(key: bytes, cookie: str) -> str:
    """Return the token that the sign-in form carries for the browser with this cookie."""
    return keyed_hash(key, "sign-in form", cookie)


def check_login_form(request: Request, form: dict[str, str], key: bytes) -> None:
    """Refuse a sign-in form that was not given to this browser, so that nobody is signed in as another."""
    _check_origin(request)
    cookie = request.cookies.get(LOGIN_COOKIE, "")
    if not cookie or not same(form.get("csrf", ""), login_token(key, cookie)):
        raise Forbidden("the sign-in form has expired; open the page again")


def new_login_cookie() -> str:
    """Return a fresh value for the cookie that the sign-in form's token is made from."""
    return make_secret()


def safe_target(target: str) -> str:
    """Return a path of this site to go to after signing in, or the list for anything else."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    plain = all(character.isprintable() and character != "\\" for character in target)
    return target if inside and plain and len(target) <= 500 else "/recordings"


def _check_origin(request: Request) -> None:
    """Refuse a form that a browser says comes from another site."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("this form was sent from another site")
