"""What the pages and ``/v1`` show of sellers and teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.api.coaching.clips import Example
from huaxiang.profile.coaching.calls import Clip
from huaxiang.profile.coaching.figures import Figure, Period, Point
from huaxiang.profile.coaching.practices import Practice
from huaxiang.profile.coaching.sellers import Seller
from huaxiang.profile.coaching.statistics import Difference, Estimate
from huaxiang.profile.coaching.suggestions import Suggestion


@dataclass(frozen=True, slots=True)
class SellerLine:
    """A seller in the list: conversations of the period, and the score with its comparison."""

    seller: Seller
    conversations: int
    score: Figure


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A team in the list, compared with the other teams."""

    team: str
    sellers: int
    conversations: int
    score: Figure


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to practise, with own conversations to hear, and a better example if there is one."""

    suggestion: Suggestion
    clips: tuple[Clip, ...]
    example: Example | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A practice and whether it moved: the baseline, and the conversations since it was taken up.

    ``change`` is since − baseline's days; ``moved`` is None where nobody can tell yet.
    """

    practice: Practice
    since: Estimate | None
    change: Difference | None
    moved: bool | None


@dataclass(frozen=True, slots=True)
class SellerView:
    """All of a seller's page. ``trends`` has the score and what is practised, week by week."""

    seller: Seller
    period: Period
    conversations: int
    team_conversations: int
    figures: tuple[Figure, ...]
    trends: Mapping[str, tuple[Point, ...]]
    advice: tuple[Advice, ...]
    calls_needed: int
    practices: tuple[FollowUp, ...]


@dataclass(frozen=True, slots=True)
class TeamView:
    """All of a team's page, its sellers by score."""

    team: str
    period: Period
    conversations: int
    figures: tuple[Figure, ...]
    trend: tuple[Point, ...]
    sellers: tuple[SellerLine, ...]
