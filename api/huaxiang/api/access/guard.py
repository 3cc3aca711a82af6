"""``require(scope)``: the dependency by which an endpoint says who may call it."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.core.errors import Unauthenticated


class Require:
    """Gives the caller who has one of ``scopes``; no scopes means any known caller."""

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        self.scopes = scopes

    def __call__(self, request: Request) -> Caller:
        """Return the caller. Raises Unauthenticated and Forbidden."""
        caller = getattr(request.state, "caller", None)
        if not isinstance(caller, Caller):
            raise Unauthenticated("sign in, or send a token or device key")
        if self.scopes:
            caller.need(*self.scopes)
        return caller


def require(*scopes: Scope) -> Any:
    """Return the dependency that lets callers with one of ``scopes`` through."""
    return Depends(Require(scopes))
