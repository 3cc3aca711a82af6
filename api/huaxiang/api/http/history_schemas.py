"""The documents of comparisons and of the lab as OpenAPI shows them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from huaxiang.api.http.schemas import Document

Outcome = Literal["passed", "failed", "not_applicable", "absent"]


class ComparisonIn(Document):
    """A scorecard to try on the history."""

    text: str = Field(min_length=1, max_length=500_000, description="The scorecard, in YAML.")


class Side(Document):
    """What a scorecard comes to over some conversations; the mean is in percent of what was possible."""

    scored: int
    mean_percent: float | None
    auto_failed: int
    grades: dict[str, int]


class Group(Document):
    """Before and after for a seller, a team or all; the empty key is for those of nobody known."""

    key: str
    conversations: int
    changed: int
    before: Side
    after: Side
    difference: float | None


class ItemChange(Document):
    """What becomes of an item, with counts of calls by what it comes to."""

    id: str
    title_zh: str
    title_en: str
    status: Literal["same", "changed", "added", "removed"]
    before: dict[str, int]
    after: dict[str, int]
    flips: dict[str, int]


class HistogramPart(Document):
    """How many conversations change by so many percent points, from ``from_percent`` on, 10 wide."""

    from_percent: int
    conversations: int


class ComparisonResult(Document):
    """What a scorecard changes over the stored history; ``before`` is empty where it is new."""

    before: str
    after: str
    whole: Group
    teams: list[Group]
    sellers: list[Group]
    items: list[ItemChange]
    histogram: list[HistogramPart]


class Comparison(Document):
    """A scorecard that was tried; ``result`` is null until it is done, and in lists."""

    id: str
    definition: str = Field(examples=["general-sales @ 2"])
    against: str
    state: Literal["running", "done", "failed"]
    done_share: float
    error: str | None
    created_by: str
    created_at: datetime
    result: ComparisonResult | None


class Comparisons(Document):
    """A page of comparisons, newest first."""

    items: list[Comparison]
    next_cursor: str | None


class Marks(Document):
    """What a scorecard comes to in one conversation."""

    score: float
    possible: float
    percent: float | None
    auto_failed: bool
    grade: str


class Flip(Document):
    """An item that comes to something else."""

    item: str
    before: Outcome
    after: Outcome


class ChangedCall(Document):
    """A conversation whose result changes; null where a scorecard does not apply to it."""

    recording_id: str
    seller: str | None
    started_at: datetime
    before: Marks | None
    after: Marks | None
    items: list[Flip]


class Changes(Document):
    """A page of conversations whose result changes, the greatest change first."""

    items: list[ChangedCall]
    next_cursor: str | None


class Share(Document):
    """A share with its 95 % interval; ``effective`` is the size of a plain sample that tells as much."""

    estimate: float
    low: float
    high: float
    n: int
    effective: float


class Rate(Document):
    """A share of all with its 95 % interval."""

    estimate: float
    low: float
    high: float


class Week(Document):
    """What an item came to in the week from ``monday`` on."""

    monday: date
    applicable: int
    hits: int
    reviewed: int
    confirmed: int


class Figures(Document):
    """What the lab knows of an item; a hit is a call that fails it."""

    population: int
    applicable: int
    hits: int
    basis: Literal["sampled", "chosen", "none"]
    precision: Share | None
    recall: Share | None
    missed_share: Share | None
    reviewed_hits: int
    reviewed_others: int
    overturned: int
    weeks: list[Week]
    drift_p: float
    recent_rate: float | None
    earlier_rate: float | None
    hit_rate: Rate | None
    never_fires: bool
    always_fires: bool


class Twin(Document):
    """An item that says nearly the same."""

    definition: str
    item: str
    jaccard: float
    phi: float
    both: int
    same_definition: bool


class LabItem(Document):
    """What the lab last found of an item; ``suggests`` tells that it is under its floor."""

    definition: str
    item: str
    computed_at: datetime
    floor: float
    suggests: bool
    drifts: bool
    figures: Figures
    alike: list[Twin]


class Lab(Document):
    """The items of the scorecards in force that the lab has seen."""

    items: list[LabItem]
    busy: bool


class LabStarted(Document):
    """Whether the lab was started; false where it is at work already."""

    started: bool


class FloorIn(Document):
    """The precision under which an item only suggests; 0 lets it count whatever it is."""

    floor: float = Field(ge=0, le=1)


class Floor(Document):
    """The floor of an item."""

    scorecard: str
    item: str
    floor: float
