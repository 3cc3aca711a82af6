"""The documents of ``/v1/overview``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from huaxiang.api.http.coaching_schemas import Estimate
from huaxiang.api.http.schemas import Document


class OverviewCounts(Document):
    """How many recordings: those inspected since, what was found in them, and those that wait."""

    inspected: int
    vetoed: int = Field(description="Failed as a whole (一票否决).")
    doubtful: int = Field(description="With an item of which the rules are not sure.")
    failed: int = Field(description="Could not be processed.")
    received: int
    processing: int
    to_review: int
    appealed: int = Field(description="Appeals that nobody has settled.")


class ScoreOfDay(Document):
    """The scores of the week that ends with a day, as shares of what was possible."""

    day: date
    score: Estimate | None


class FailedItem(Document):
    """How often an item failed where it applied."""

    item: str
    failed: Estimate


class OverviewGroup(Document):
    """A team or seller over the last four weeks."""

    key: str
    name: str
    team: str | None
    score: Estimate | None
    items: list[FailedItem]


class Overview(Document):
    """The manager's morning. Scores are automatic ones."""

    since: Literal["night", "day", "week"]
    start: datetime
    counts: OverviewCounts
    score: Estimate | None
    days: list[ScoreOfDay]
    teams: list[OverviewGroup]
    sellers: list[OverviewGroup]
