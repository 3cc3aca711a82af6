"""The sections of the console, and who is shown the way to which of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope


@dataclass(frozen=True, slots=True)
class Section:
    """One link of the navigation; ``scopes`` are those of which a caller needs one.

    ``key`` is the text of its name, and its last part the ``section`` that a page gives when it is
    rendered, by which the link is marked as the present one. ``icon`` is a symbol of ``_icons.html``.
    """

    key: str
    path: str
    icon: str
    scopes: tuple[Scope, ...]

    @property
    def name(self) -> str:
        """What pages of this section give as ``section``."""
        return self.key.removeprefix("nav.")


_MANAGER, _SELLER = (Scope.MANAGER,), (Scope.SELLER,)
SECTIONS = (
    Section("nav.overview", "/overview", "overview", _MANAGER),
    Section("nav.recordings", "/recordings", "recordings", (Scope.MANAGER, Scope.SELLER)),
    Section("nav.review", "/review", "review", _MANAGER),
    Section("nav.rules", "/rules", "rules", _MANAGER),
    Section("nav.objections", "/objections", "objections", _MANAGER),
    Section("nav.team", "/team", "team", _MANAGER),
    Section("nav.library", "/library", "library", (Scope.MANAGER, Scope.SELLER)),
    Section("nav.me", "/team/me", "team", _SELLER),
    Section("nav.appeals", "/appeals", "review", _SELLER),
    Section("nav.customers", "/customers", "customers", (Scope.CRM, Scope.MANAGER)),
    Section("nav.devices", "/devices", "devices", (Scope.ADMIN,)),
)


def sections_for(caller: object, served: Collection[str]) -> tuple[Section, ...]:
    """Return the links that a caller is shown: of what is served, what the caller may open.

    Those for sellers alone are not shown to an admin, who may do everything and has no calls.
    """
    if not isinstance(caller, Caller):
        return ()
    return tuple(
        section
        for section in SECTIONS
        if section.path in served
        and (
            not caller.scopes.isdisjoint(section.scopes)
            if section.scopes == _SELLER
            else caller.may(*section.scopes)
        )
    )
