"""All pages of coaching, for the console."""

from __future__ import annotations

from huaxiang.console.answer_pages import library_router, objection_router
from huaxiang.console.digest_pages import digest_router
from huaxiang.console.seller_pages import practice_router, seller_router, team_router

COACHING = (
    team_router,
    seller_router,
    practice_router,
    objection_router,
    library_router,
    digest_router,
)
