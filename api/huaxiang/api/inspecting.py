"""Inspects what is stored of a recording: by the scorecards in use, with all that was told about it.

The workflow does it once a recording is understood, and whoever corrects one does it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from huaxiang.api.history.in_force import InForce
from huaxiang.api.pipeline import Inspection, Tagging, tag_names
from huaxiang.core.settings import Settings
from huaxiang.core.types import Insights, Recording, Scorecard, Transcript
from huaxiang.core.zones import zone_of
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.heard import Told, told_of
from huaxiang.quality.rule_store import RuleStore

if TYPE_CHECKING:
    from huaxiang.nlp.encoder import SentenceEncoder


@dataclass(frozen=True, slots=True)
class Grounds:
    """What one recording is judged on: words, findings, what was told of it, and the scorecards in force."""

    transcript: Transcript
    insights: Insights
    told: Told
    definitions: tuple[ScorecardDefinition, ...]


@dataclass(frozen=True, slots=True)
class Inspecting:
    """What is needed to judge a stored recording; ``zone`` is for recordings that do not tell theirs."""

    inspection: Inspection
    tag: Tagging
    zone: tzinfo
    sellers: SellerStore
    rules: RuleStore

    def told(
        self, session: Session, recording: Recording, transcript: Transcript, insights: Insights
    ) -> Told:
        """Return what rules may ask about a recording, with the seller's team as it is now."""
        seller = recording.metadata.seller
        team = self.sellers.team_of(session).get(seller) if seller else None
        tags = tag_names(self.tag(recording, transcript, insights))
        return told_of(recording, transcript, self.zone, team, tags)

    def grounds(
        self, session: Session, recording: Recording, transcript: Transcript, insights: Insights
    ) -> Grounds:
        """Return all that a recording is judged on, so that judging it needs no transaction."""
        told = self.told(session, recording, transcript, insights)
        return Grounds(transcript, insights, told, InForce(self.rules).all(session))

    def scorecards(self, grounds: Grounds) -> tuple[Scorecard, ...]:
        """Return the automatic scores by all scorecards that apply, the main one first; none is stored.

        It may take a while (meanings, regular expressions), so call it outside transactions. Raises
        ModelError where a rule compares meanings and the encoder fails.
        """
        return self.inspection.inspect(
            grounds.transcript, grounds.insights, grounds.told, grounds.definitions
        )


def build_inspecting(settings: Settings, load_encoder: Callable[[Settings], SentenceEncoder]) -> Inspecting:
    """Return what judges stored recordings."""
    from huaxiang.profile.tags import tags_from

    zone = zone_of(settings.default_zone)
    inspection = build_inspection(settings, load_encoder)
    return Inspecting(inspection, tags_from, zone, SellerStore(), RuleStore())


def build_inspection(settings: Settings, load_encoder: Callable[[Settings], SentenceEncoder]) -> Inspection:
    """Return the inspection stage; the encoder is loaded with the first rule that compares meanings."""
    from huaxiang.quality.inspection import ScorecardInspection

    return ScorecardInspection(partial(load_encoder, settings))
