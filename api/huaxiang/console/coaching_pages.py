"""All pages of coaching, for the console."""

from __future__ import annotations

from huaxiang.console.answer_pages import answer_router
from huaxiang.console.digest_pages import digest_router
from huaxiang.console.seller_pages import seller_router

COACHING = (seller_router, answer_router, digest_router)
