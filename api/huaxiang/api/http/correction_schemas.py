"""The documents of corrections, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from huaxiang.api.http.schemas import Document, Finding, Skipped, Turn
from huaxiang.api.http.scorecard_schemas import Scorecard
from huaxiang.core.kinds import FindingKind
from huaxiang.quality.review.corrections import MAX_TEXT, CorrectionKind

Party = Literal["agent", "customer"]
State = Literal["in_force", "waiting", "undone", "declined"]


class FindingMeant(Document):
    """The finding that a correction is about, as it was read."""

    id: str = Field(max_length=36)
    kind: FindingKind
    label: str = Field(max_length=64, examples=["inquire_price"])
    turn: int = Field(ge=0)


class CorrectionIn(Document):
    """What is to be corrected; docs/corrections.md says which fields each kind needs.

    ``seen`` is the sequence of the last correction that was read: where there is a later one the answer
    is 409.
    """

    kind: CorrectionKind
    turn: int | None = Field(None, ge=0)
    text: str | None = Field(None, max_length=MAX_TEXT, examples=["太贵了吧，我们现在用的那家一年才三千。"])
    role: Party | None = None
    finding: FindingMeant | None = None
    finding_kind: FindingKind | None = None
    label: str | None = Field(None, max_length=64)
    char_start: int | None = Field(None, ge=0)
    char_end: int | None = Field(None, ge=0)
    heard: str | None = Field(
        None,
        max_length=MAX_TEXT,
        description="The text in which the words were marked, if not the automatic one.",
    )
    value: Any = None
    target: str | None = Field(None, max_length=36)
    reason: str = Field("", max_length=1000)
    seen: int | None = Field(None, ge=0)


class Correction(Document):
    """One row of a recording's log of corrections."""

    id: str
    sequence: int
    kind: CorrectionKind
    state: State | None = Field(description="Null for what is said of another correction.")
    turn: int | None
    text: str | None
    role: Party | None
    finding: FindingMeant | None
    finding_kind: FindingKind | None
    label: str | None
    char_start: int | None
    char_end: int | None
    value: Any
    target: str | None
    proposed: bool
    reason: str
    by: str
    at: datetime


class CorrectionPage(Document):
    """Corrections, newest first."""

    items: list[Correction]
    next_cursor: str | None


class CorrectedCall(Document):
    """A recording as people say it is, and what the rules say of that."""

    recording_id: str
    seen: int = Field(description="The sequence of the last correction; 0 where there is none.")
    turns: list[Turn]
    findings: list[Finding]
    metrics: dict[str, Any]
    scorecards: list[Scorecard]
    skipped: list[Skipped]
