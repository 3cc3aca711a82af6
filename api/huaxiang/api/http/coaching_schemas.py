"""The documents of coaching; each is read off the value of the same name in the code, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, Field, model_validator

from huaxiang.api.http.schemas import Document, Evidence
from huaxiang.core.types import Json

_D = TypeVar("_D", bound=Document)
Topic = Field(examples=["item.need_discovery"], description="`item.…`, `act.…`, `metric.…` or `objection.…`")


def document_of(form: type[_D], value: object) -> Json:
    """Return a value as the JSON of its form, times in UTC."""
    shown: Json = form.model_validate(value, from_attributes=True).model_dump(mode="json")
    return shown


class Estimate(Document):
    """A value with its number of observations and its interval (95 %), null where there are too few."""

    value: float
    n: int
    low: float | None
    high: float | None


class Difference(Document):
    """A difference with its interval, and the probability of one as large by chance."""

    value: float
    low: float | None
    high: float | None
    p: float | None


class Period(Document):
    """Whole days, both included."""

    first: date
    last: date


class Figure(Document):
    """One figure: of the period, of the period before, and of the whole group; a rate is a share, 0–1."""

    key: str = Topic
    yes_or_no: bool
    own: Estimate | None
    before: Estimate | None
    group: Estimate | None
    change: Difference | None
    against: Difference | None = Field(description="Own − the others of the group.")
    effect: Estimate | None = Field(description="Cliff's delta of own against the others.")


class Point(Document):
    """One week of a trend, by its Monday."""

    week: date
    own: Estimate | None
    group: Estimate | None


class Seller(Document):
    """A seller; ``registered`` is false for one who is known from recordings only."""

    key: str = Field(examples=["he.yun"])
    name: str
    team: str | None
    active: bool
    user_name: str | None = Field(description="Who signs in as this seller.")
    library_consent: bool
    library_consent_at: datetime | None
    registered: bool


class SellerIn(Document):
    """What is to be written of a seller; absent fields are left alone, null clears one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "示例销售", "team": "电话一组"}]})

    name: str | None = Field(None, max_length=200)
    team: str | None = Field(None, max_length=100)
    active: bool | None = None
    user_name: str | None = Field(None, max_length=100)


class ConsentIn(Document):
    """Whether others may learn from a seller's words."""

    library: bool


class SellerLine(Document):
    """A seller in the list, with the score of the period."""

    seller: Seller
    conversations: int
    score: Figure


class SellerPage(Document):
    """Sellers by key."""

    items: list[SellerLine]
    next_cursor: str | None


class TeamLine(Document):
    """A team with the score of the period, compared with the other teams."""

    team: str
    sellers: int
    conversations: int
    score: Figure


class Teams(Document):
    """All teams."""

    items: list[TeamLine]


class TeamView(Document):
    """A team: its figures against the rest of the company, and its sellers by score."""

    team: str
    period: Period
    conversations: int
    figures: list[Figure]
    trend: list[Point]
    sellers: list[SellerLine]


class Quote(Document):
    """Words to hear and what they are: ``objection``, ``answer``, ``reaction``, ``own``, ``example``."""

    part: str
    evidence: Evidence

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: object) -> object:
        return {"part": value[0], "evidence": value[1]} if isinstance(value, tuple) else value


class Clip(Document):
    """A conversation to hear, with its quotes."""

    recording_id: str
    seller: str | None
    held_at: datetime
    quotes: list[Quote]
    score: float | None


class Example(Document):
    """A better example: of the library (``entry_id``), or of a colleague who consents to it."""

    clip: Clip
    entry_id: str | None
    title: str


class Suggestion(Document):
    """One thing to practise, and why just this: gap × (share of points + association) × confidence."""

    topic: str = Topic
    more: bool
    own: Estimate
    others: Estimate
    gap: float
    points_share: float
    association: float
    confidence: float
    priority: float


class Advice(Document):
    """One thing to practise with own conversations to hear, and a better example if there is one."""

    suggestion: Suggestion
    clips: list[Clip]
    example: Example | None


class Baseline(Document):
    """What a practice began from."""

    first: date
    last: date
    own: Estimate
    others: Estimate
    more: bool


class PracticeEvent(Document):
    """One thing that happened to a practice; ``figures`` are those of a follow-up."""

    kind: Literal["assigned", "acknowledged", "followed_up", "closed"]
    note: str
    figures: dict[str, Any] | None
    happened_at: datetime
    done_by: str


class Practice(Document):
    """Something that a seller practises, with its whole history, oldest first."""

    id: str
    seller: str
    topic: str = Topic
    baseline: Baseline
    follow_up_on: date
    opened_at: datetime
    opened_by: str
    acknowledged_at: datetime | None
    closed: bool
    history: list[PracticeEvent]


class FollowUp(Document):
    """A practice and whether it moved beyond chance since it was taken up; null where nobody can tell."""

    practice: Practice
    since: Estimate | None
    change: Difference | None
    moved: bool | None


class SellerView(Document):
    """All of a seller's page."""

    seller: Seller
    period: Period
    conversations: int
    team_conversations: int
    figures: list[Figure]
    trends: dict[str, list[Point]]
    advice: list[Advice] = Field(max_length=3)
    calls_needed: int = Field(description="How many more conversations it takes before anything is advised.")
    practices: list[FollowUp]


class PracticeIn(Document):
    """What is to be practised: one of the topics that are advised to the seller now."""

    topic: str = Field(max_length=100, examples=["item.need_discovery"])
    note: str = Field("", max_length=1000)
    follow_up_on: date | None = None


class NoteIn(Document):
    """A note; it may be empty."""

    note: str = Field("", max_length=1000)


class Behaviour(Document):
    """One behaviour among won and lost cases; ``p``, ``q`` null where there is nothing to test."""

    key: str = Topic
    yes_or_no: bool
    won: Estimate | None
    lost: Estimate | None
    delta: Estimate | None
    test: Literal["fisher", "mann_whitney"]
    p: float | None
    q: float | None = Field(description="p held to a false discovery rate over all behaviours.")
    verdict: Literal["more_in_won", "more_in_lost", "no_difference", "unclear", "too_thin"]
    more_needed: int


class Behaviours(Document):
    """Which behaviours go with won conversations, the surest first, and what that stands on."""

    found: list[Behaviour]
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    cases_won: int
    cases_lost: int
