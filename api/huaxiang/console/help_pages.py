"""The page that tells the keys."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from huaxiang.api.http.dependencies import AnyCaller
from huaxiang.api.services import Services
from huaxiang.console.views import Views

Keys = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys of one place: the text of its name, and pairs of keys and the text of what they do."""

    title: str
    path: str
    keys: tuple[Keys, ...]


GROUPS = (
    KeyGroup(
        "help.everywhere",
        "",
        (
            (("Tab",), "help.tab"),
            (("Enter",), "help.enter"),
            (("?",), "help.help"),
            (("Esc",), "help.escape"),
        ),
    ),
    KeyGroup(
        "help.conversation",
        "/recordings",
        (
            (("Space",), "help.play"),
            (("←", "→"), "help.seek"),
            (("↑", "↓"), "help.turns"),
            (("Esc",), "help.escape"),
        ),
    ),
    KeyGroup(
        "help.review",
        "/review",
        (
            (("j", "k"), "review.key.items"),
            (("1", "2", "3"), "review.key.verdict"),
            (("0",), "review.key.clear"),
            (("p",), "review.key.play"),
            (("r",), "review.key.reason"),
            (("a",), "review.key.rest"),
            (("Enter",), "review.key.submit"),
            (("n",), "review.key.next"),
        ),
    ),
)


def help_router(services: Services, views: Views) -> APIRouter:
    """Return the route of ``/help``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/help")
    def keys(request: Request, caller: AnyCaller) -> Response:
        groups = [group for group in GROUPS if not group.path or group.path in views.served]
        return views.render(request, "help.html", section="help", groups=groups)

    return router
