"""The documents of scores."""

from __future__ import annotations

from huaxiang.api.http.schemas import Document, Evidence, Skipped


class Window(Document):
    """The part of a recording that was searched."""

    start_ms: int | None
    end_ms: int | None
    first_turn: int
    last_turn: int


class ScorecardItem(Document):
    """One judged item; ``passed`` is null where it does not apply."""

    id: str
    title: str
    title_en: str
    section: str
    passed: bool | None
    points: float
    possible: float
    confidence: float
    auto_fail: bool
    for_review: bool
    suggest_only: bool
    reason: str
    reason_code: str
    reason_detail: str
    evidence: list[Evidence]
    window: Window | None


class ScorecardSection(Document):
    """What one section came to; ``weight`` is its percentage of the whole, if it has one."""

    id: str
    title: str
    title_en: str
    score: float
    possible: float
    auto_failed: bool
    weight: float | None


class Grade(Document):
    """The named threshold that a score has reached."""

    id: str
    title: str
    title_en: str


class Scorecard(Document):
    """One automatic score of a recording; ``definition`` is the scorecard's id and version."""

    definition: str
    title: str
    title_en: str
    score: float
    possible: float
    auto_failed: bool
    grade: Grade | None
    sections: list[ScorecardSection]
    items: list[ScorecardItem]
    skipped: list[Skipped]


class Scorecards(Document):
    """All scorecards that a recording has now, the main one first."""

    recording_id: str
    items: list[Scorecard]
