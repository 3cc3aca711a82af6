"""The documents of ``/v1/search``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from huaxiang.api.http.schemas import Document, Recording, Role


class SearchHit(Document):
    """A turn that holds what was looked for."""

    turn: int
    role: Role
    start_ms: int
    end_ms: int
    text: str


class FoundScore(Document):
    """The main automatic score."""

    score: float
    possible: float
    auto_failed: bool


class Found(Document):
    """A recording of the list with what is known of it at a glance."""

    recording: Recording
    when: datetime = Field(description="When the conversation began, or when it was received.")
    seller_name: str | None
    score: FoundScore | None
    review: Literal["to_review", "reviewed", "appealed", "final"] | None
    hits: list[SearchHit] = Field(description="The first turns that hold a term; empty without `q`.")


class FoundPage(Document):
    """Recordings in the order asked for."""

    items: list[Found]
    total: int = Field(description="How many recordings there are on all pages.")
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null at the end.")
