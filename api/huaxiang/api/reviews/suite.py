"""All parts of review, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from huaxiang.api.held_scores import definition_of
from huaxiang.api.reviews.sampler import Sampler, TeamsOf
from huaxiang.core.settings import Settings
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.review.calibration_store import CalibrationStore
from huaxiang.quality.review.plan_store import PlanStore
from huaxiang.quality.review.review_store import APPEAL_DAYS, DefinitionFor, Keep, ReviewStore
from huaxiang.quality.rule_store import RuleStore


@dataclass(frozen=True, slots=True)
class Reviews:
    """What endpoints, pages and commands use.

    ``cases`` are reviews with their appeals, ``plans`` and ``sampler`` draw calls for review,
    ``calibrations`` are sessions of several reviewers. ``definition_for`` gives the scorecard that
    something was scored by, ``zone`` whose days are meant.
    """

    cases: ReviewStore
    plans: PlanStore
    sampler: Sampler
    calibrations: CalibrationStore
    definition_for: DefinitionFor
    zone: tzinfo


def reviews_of(settings: Settings, rules: RuleStore | None = None) -> Reviews:
    """Return the reviews of an installation: its rules, its zone and teams, and how long an appeal takes."""
    known, zone = rules or RuleStore(), ZoneInfo(settings.default_zone)
    find = partial(definition_of, known)
    return build_reviews(zone, SellerStore().team_of, find, settings.review.appeal_days, known.keep)


def build_reviews(
    zone: tzinfo,
    teams_of: TeamsOf,
    definition_for: DefinitionFor,
    appeal_days: int = APPEAL_DAYS,
    keep: Keep | None = None,
) -> Reviews:
    """Return reviews for the days of ``zone``, by the scorecards that ``definition_for`` finds."""
    cases = ReviewStore(definition_for, appeal_days, keep)
    plans = PlanStore(cases)
    sampler = Sampler(plans, zone, teams_of)
    calibrations = CalibrationStore(definition_for, keep)
    return Reviews(cases, plans, sampler, calibrations, definition_for, zone)
