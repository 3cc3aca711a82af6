"""The documents of reviews, sampling plans and calibrations, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from huaxiang.api.http.schemas import Document
from huaxiang.quality.review.outcomes import Outcome

State = Literal["to_review", "reviewed", "appealed", "final"]
Result = Literal["passed", "failed", "not_applicable"]
Name = Field(examples=["mei"], min_length=1, max_length=200)
Reason = Field("", max_length=1000, examples=["客户在 0:42 已经同意,规则没有识别到。"])
Seen = Field(ge=1, description="The `version` that you looked at.", examples=[1])


class JudgementIn(Document):
    """What you say of one item; a reason is needed where it differs from what held before."""

    item: str = Field(min_length=1, max_length=64, examples=["greeting"])
    outcome: Outcome
    reason: str = Reason


class ReviewIn(Document):
    """A call to be reviewed; without ``definition`` by its main scorecard."""

    recording_id: str = Field(max_length=36)
    definition: str | None = Field(None, max_length=200, examples=["general-sales @ 1"])
    reason: str = Reason


class AssignIn(Document):
    """Whom a case is given to; null gives it back to everybody."""

    assignee: str | None = Field(max_length=200, examples=["mei"])
    seen: int = Seen


class JudgeIn(Document):
    """Judgements to keep before the review is handed in."""

    judgements: list[JudgementIn] = Field(min_length=1, max_length=500)
    seen: int = Seen


class SubmitIn(Document):
    """A review (复核) to hand in, with the judgements that are not kept yet."""

    judgements: list[JudgementIn] = Field(default=[], max_length=500)
    seen: int = Seen
    reason: str = Reason


class ReopenIn(Document):
    """Why a review is taken up again."""

    reason: str = Field(min_length=1, max_length=1000)
    seen: int = Seen


class AppealIn(Document):
    """What the seller objects to (申诉); no items means the whole score."""

    reason: str = Field(min_length=1, max_length=1000, examples=["客户先说了不用,第 12 句可以听到。"])
    items: list[str] = Field(default=[], max_length=500)
    seen: int | None = None


class SettleIn(Document):
    """The final decision (终审) on an appeal."""

    reason: str = Field(min_length=1, max_length=1000)
    judgements: list[JudgementIn] = Field(default=[], max_length=500)
    seen: int = Seen


class Judged(Document):
    """A person's judgement of an item."""

    outcome: Result
    by: str = Name
    at: datetime
    reason: str


class CaseItem(Document):
    """An item with its automatic, reviewed and settled outcome apart."""

    id: str
    title: str
    automatic: Result
    points: float
    possible: float
    confidence: float
    auto_fail: bool
    for_review: bool
    reviewed: Judged | None
    settled: Judged | None


class FinalItem(Document):
    """Outcomes and points of an item; ``final`` is what holds."""

    id: str
    automatic: Result
    automatic_points: float
    corrected: Result | None
    reviewed: Result | None
    settled: Result | None
    final: Result
    final_points: float


class FinalScore(Document):
    """The score before and after people looked at it."""

    automatic_score: float
    automatic_possible: float
    score: float
    possible: float
    auto_failed: bool
    grade: str | None
    changed: bool
    items: list[FinalItem]


class CaseAppeal(Document):
    """A seller's objection."""

    by: str
    at: datetime
    reason: str
    items: list[str]


class Act(Document):
    """One row of a case's history; rows are only ever added."""

    sequence: int
    kind: Literal["opened", "assigned", "judged", "reviewed", "reopened", "appealed", "settled"]
    by: str
    at: datetime
    item: str | None
    outcome: Result | None
    reason: str
    assignee: str | None


class CaseLine(Document):
    """A case of review as a list shows it."""

    id: str
    recording_id: str
    definition: str = Field(examples=["general-sales @ 1"])
    seller: str | None
    origin: Literal["sampled", "chosen", "seller"]
    state: State
    assignee: str | None
    version: int
    opened_at: datetime
    reviewer: str | None
    reviewed_at: datetime | None
    appeal_until: datetime | None
    appealed_at: datetime | None
    settler: str | None
    settled_at: datetime | None


class Case(CaseLine):
    """A case with its items, the score that holds and its history."""

    request: str
    appeal: CaseAppeal | None
    items: list[CaseItem]
    score: FinalScore
    history: list[Act]


class CasePage(Document):
    """Cases, in the order asked for."""

    items: list[CaseLine]
    next_cursor: str | None
    counts: dict[State, int] = Field(description="How many cases stand in each state, whatever the filters.")


class PlanIn(Document):
    """A sampling plan (抽检计划) in YAML, as docs/review.md describes it."""

    text: str = Field(min_length=1, max_length=20_000)
    active: bool = True


class Plan(Document):
    """The newest version of a sampling plan; earlier ones are kept."""

    name: str
    title: str
    version: int
    active: bool
    period: Literal["day", "week", "month"]
    reviewers: list[str]
    scorecard: str | None
    text: str
    created_by: str
    created_at: datetime


class PlanPage(Document):
    """Sampling plans by name."""

    items: list[Plan]
    next_cursor: str | None


class DrawIn(Document):
    """Which period to draw: the one that ``on`` lies in, else the last whole one."""

    on: datetime | None = Field(None, examples=["2026-11-20T12:00:00+08:00"])
    dry_run: bool = False


class DrawnCall(Document):
    """A drawn call with its inclusion probability and the parts of the plan that took it."""

    recording_id: str
    probability: float = Field(gt=0, le=1)
    parts: list[int]
    assignee: str | None
    under_review: bool = Field(description="It has a case already and is not reviewed twice.")


class PastDrawing(Document):
    """A drawing in figures."""

    id: str | None
    plan: str
    version: int
    from_: datetime = Field(alias="from")
    before: datetime
    population: int
    drawn: int
    created_by: str
    created_at: datetime


class PastDrawingPage(Document):
    """Drawings of a plan, newest period first."""

    items: list[PastDrawing]
    next_cursor: str | None


class Drawing(Document):
    """What was drawn of a period, or with ``dry_run`` would be."""

    id: str | None
    dry_run: bool
    plan: str
    version: int
    from_: datetime = Field(alias="from")
    before: datetime
    population: int
    drawn: int
    calls: list[DrawnCall]


class CalibrationIn(Document):
    """Calls that several reviewers are to score, blind to each other."""

    title: str = Field(min_length=1, max_length=200, examples=["11 月校准"])
    reviewers: list[str] = Field(min_length=2, max_length=50, examples=[["mei", "lao.li"]])
    recordings: list[str] = Field(min_length=1, max_length=100)
    definition: str | None = Field(None, max_length=200)


class CallScoreIn(Document):
    """Your judgement of every item of a call."""

    judgements: list[JudgementIn] = Field(min_length=1, max_length=500)


class Agreement(Document):
    """Krippendorff's alpha with its 95 % interval; null where nothing can be said."""

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    values: int
    unanimous: float | None


class Leniency(Document):
    """How a reviewer's totals lie against the others', in points; positive is milder."""

    reviewer: str
    difference: float | None
    low: float | None
    high: float | None
    calls: int
    first_half: float | None
    second_half: float | None


class CalibrationResult(Document):
    """How far the reviewers agree."""

    overall: Agreement
    totals: Agreement
    items: dict[str, Agreement]
    with_rules: dict[str, Agreement]
    leniency: list[Leniency]


class CalibrationLine(Document):
    """A calibration as a list shows it."""

    id: str
    title: str
    definition: str
    reviewers: list[str]
    calls: int
    scored: dict[str, int]
    created_by: str
    created_at: datetime
    closed_at: datetime | None


class Calibration(CalibrationLine):
    """A calibration; until it is closed everybody sees their own scores only."""

    recordings: list[str]
    scores: list[dict[str, Any]]
    result: CalibrationResult | None


class CalibrationPage(Document):
    """Calibrations, newest first."""

    items: list[CalibrationLine]
    next_cursor: str | None
