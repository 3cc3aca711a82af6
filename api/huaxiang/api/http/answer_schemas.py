"""The documents of the objection map, the library and the digest, read off the values of the same names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field

from huaxiang.api.http.coaching_schemas import Estimate, Figure, Period, Practice, Quote, Suggestion, Topic
from huaxiang.api.http.schemas import Document, Evidence


class Cell(Document):
    """All courses with one objection and one kind of answer."""

    objection: str = Field(examples=["price"])
    answer: str = Field(examples=["empathy+objection_handling"])
    n: int
    recordings: int
    settled: Estimate
    next_step: Estimate
    won: Estimate | None
    mood_change: Estimate | None
    rank: int


class ObjectionMap(Document):
    """Objections and how they were answered, ranked by the lower bound of the measure."""

    measure: Literal["next_step", "settled", "won"]
    cells: list[Cell]
    n: int
    recordings: int


class Course(Document):
    """One objection with what became of it, and the quotes to hear."""

    recording_id: str
    seller: str | None
    held_at: datetime
    objection: str
    turn: int
    answer: str
    mood_change: float | None
    settled: bool
    next_step: bool
    outcome: Literal["won", "lost", "open", "unknown"]
    confidence: float
    quotes: list[Quote]
    score: float | None


class CoursePage(Document):
    """Courses, newest first."""

    items: list[Course]
    next_cursor: str | None


class Passage(Document):
    """Whose words, on which topic."""

    recording_id: str
    seller: str
    topic: str = Topic
    turn: int
    evidence: list[Evidence]
    answer: str | None


class LibraryEvent(Document):
    """One thing that happened to an entry."""

    kind: Literal["adopted", "edited", "withdrawn"]
    title: str | None
    tags: list[str]
    reason: str
    happened_at: datetime
    done_by: str


class Entry(Document):
    """An entry of the library with its whole history, oldest first."""

    id: str
    passage: Passage
    title: str
    tags: list[str]
    adopted_at: datetime
    adopted_by: str
    withdrawn: bool
    history: list[LibraryEvent]


class EntryPage(Document):
    """Entries, newest first."""

    items: list[Entry]
    next_cursor: str | None


class EntryIn(Document):
    """The course of an objection that is to be adopted, named by its recording, kind and turn."""

    recording_id: str = Field(max_length=36)
    objection: str = Field(max_length=64, examples=["price"])
    turn: int = Field(ge=0)
    title: str = Field(max_length=200)
    tags: list[str] = Field([], max_length=10)


class EntryEdit(Document):
    """Another title and tags."""

    title: str = Field(max_length=200)
    tags: list[str] = Field([], max_length=10)


class ReasonIn(Document):
    """Why something is withdrawn."""

    reason: str = Field(max_length=500)


class Candidate(Document):
    """A course that the map suggests for the library; ``consents`` says whether it may be adopted."""

    course: Course
    cell: Cell
    consents: bool


class Candidates(Document):
    """The best that is not in the library, best first."""

    items: list[Candidate]


class TeamWeek(Document):
    """A team's week; ``team`` null is the whole company."""

    team: str | None
    conversations: int
    conversations_before: int
    score: Figure


class Change(Document):
    """A figure that moved beyond chance from one week to the next."""

    team: str | None
    figure: Figure
    q: float


class Coaching(Document):
    """Whom to coach on what."""

    seller: str
    suggestions: list[Suggestion]
    calls_needed: int


class Appeal(Document):
    """A score that a seller appealed against."""

    recording_id: str
    seller: str | None
    items: list[str]
    state: str
    appealed_at: datetime


class Digest(Document):
    """The digest of a week."""

    week: str = Field(examples=["2026-W47"])
    period: Period
    team: str | None
    teams: list[TeamWeek]
    changes: list[Change]
    coaching: list[Coaching]
    best_answers: list[Candidate]
    adopted: list[Entry]
    due: list[Practice]
    appeals: list[Appeal]
    outcomes: Mapping[str, int]
