"""What the pages of sampling and calibration show: a plan that was drawn, calibrations open and closed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from api_world import World
from reviews import MEI
from sqlalchemy.orm import Session

from huaxiang.core.database import now, transaction
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.review.calibration import Calibration
from huaxiang.quality.review.outcomes import Judgement, Outcome, outcome_of

PLAN = """\
plan: weekly
title: 每周抽检
period: week
seed: 1
draws:
  - {share: 0.2}
  - {low_confidence: 0.7, number: 3}
reviewers: [mei, root]
"""
REVIEWERS = ("mei", "root", "lao.li")
CALLS = 4
UNSEEN = 30
"""Conversations that nobody reviews begin behind so many."""


def add_reviewing(world: World, conversations: Sequence[InventedConversation]) -> dict[str, str]:
    """Draw a plan's last week, have three people score the same calls, and open another calibration."""
    reviews = world.services.reviews
    calls = [one.recording.id for one in conversations[UNSEEN : UNSEEN + CALLS]]
    with transaction(world.services.sessions) as session:
        stored = reviews.plans.save(session, PLAN, MEI)
        moment = now()
        reviews.sampler.draw(session, stored, reviews.sampler.last_period(stored, moment), MEI, moment)
        closed = _opened(world, session, "10 月校准", calls)
        _scored(world, session, closed)
        reviews.calibrations.close(session, closed.id, MEI)
        waiting = _opened(world, session, "11 月校准", calls)
        cases = reviews.cases.newest(session, [one.recording.id for one in conversations])
    own = [one.recording.id for one in conversations if one.seller.key == "he.yun"]
    return {
        "plan": "weekly",
        "calibrated": closed.id,
        "calibrating": waiting.id,
        "scored": calls[0],
        "unreviewed": next(one for one in own if one not in cases),
    }


def _opened(world: World, session: Session, title: str, calls: Sequence[str]) -> Calibration:
    cards = {one: world.services.scorecards.latest(session, one) for one in calls}
    return world.services.reviews.calibrations.open(session, title, REVIEWERS, cards, MEI)


def _scored(world: World, session: Session, opened: Calibration) -> None:
    """Let everybody say what the rules say, but of one item a call, each time another, something else."""
    others = cycle((Outcome.FAILED, Outcome.PASSED, Outcome.NOT_APPLICABLE))
    for place, call in enumerate(opened.calls):
        card = world.services.scorecards.latest(session, call.recording_id)
        for number, name in enumerate(REVIEWERS):
            said = [Judgement(item.id, outcome_of(item.passed)) for item in card.items]
            odd = (place * 2 + number) % len(said)
            said[odd] = Judgement(said[odd].item, next(others))
            world.services.reviews.calibrations.score(session, opened.id, call.recording_id, name, said)
