"""All routes of coaching, for the application."""

from __future__ import annotations

from huaxiang.api.http import digests, heard_clips, library, objections, practices, sellers

ROUTERS = (
    sellers.router,
    practices.router,
    objections.router,
    library.router,
    digests.router,
    heard_clips.router,
)
