"""All parts of review, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from huaxiang.api.reviews.sampler import Sampler, TeamsOf
from huaxiang.core.errors import NotFound
from huaxiang.core.settings import Settings
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.review.calibration_store import CalibrationStore
from huaxiang.quality.review.plan_store import PlanStore
from huaxiang.quality.review.review_store import APPEAL_DAYS, DefinitionFor, ReviewStore
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
    zone = ZoneInfo(settings.default_zone)
    return build_reviews(
        zone, SellerStore().team_of, scorecards_of(rules or RuleStore()), settings.review.appeal_days
    )


def build_reviews(
    zone: tzinfo, teams_of: TeamsOf, definition_for: DefinitionFor, appeal_days: int = APPEAL_DAYS
) -> Reviews:
    """Return reviews for the days of ``zone``, by the scorecards that ``definition_for`` finds."""
    cases = ReviewStore(definition_for, appeal_days)
    plans = PlanStore(cases)
    sampler = Sampler(plans, zone, teams_of)
    return Reviews(cases, plans, sampler, CalibrationStore(definition_for), definition_for, zone)


def scorecards_of(rules: RuleStore) -> DefinitionFor:
    """Return what finds the scorecard of a reference ``id @ version``; it raises NotFound."""

    def find(session: Session, reference: str) -> ScorecardDefinition:
        identifier, _, version = reference.rpartition(" @ ")
        if identifier and version.isascii() and version.isdigit():
            definition = rules.definition(session, identifier, int(version))
            if isinstance(definition, ScorecardDefinition):
                return definition
        raise NotFound("there is no scorecard of this id and version")

    return find
