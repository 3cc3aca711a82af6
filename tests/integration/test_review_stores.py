"""Sampling, corrections and calibration in the database: by version, once a period, only added to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from reviews import DEFINITION, LAO, MEI, review_store, shipped, store_conversations
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import Conflict, Forbidden, IllegalTransition, InvalidInput, OutOfDate
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.review.calibration import result
from huaxiang.quality.review.calibration_store import CalibrationStore
from huaxiang.quality.review.corrected import corrected
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.corrections import Change, CorrectionKind, standing
from huaxiang.quality.review.outcomes import Actor, Judgement, Outcome, outcome_of
from huaxiang.quality.review.plan import Candidate, Period, SampledItem
from huaxiang.quality.review.plan_store import PlanStore
from huaxiang.quality.review.queue import QueueFilters, judged_items, queue
from huaxiang.quality.review.review_store import ReviewStore
from huaxiang.quality.review.sampling import draw
from huaxiang.quality.scorecard_store import ScorecardStore

REVIEWS = review_store()
PLANS, CORRECTIONS, CALIBRATIONS = PlanStore(REVIEWS), CorrectionStore(), CalibrationStore(shipped)
TEXT = """\
plan: half
title: 抽一半
period: week
seed: 1
draws: [{share: 0.5}]
reviewers: [mei, lao.li]
"""
SELLER = Actor("user:he", "he.yun")


def candidates(session: Session, calls: list[InventedConversation]) -> list[Candidate]:
    found = []
    for call in calls:
        scorecard = ScorecardStore().latest(session, call.recording.id)
        items = {
            item.id: SampledItem(outcome_of(item.passed), item.confidence, item.for_review)
            for item in scorecard.items
        }
        told = call.recording.metadata
        at = told.started_at or call.recording.received_at
        found.append(
            Candidate(
                call.recording.id,
                scorecard.definition,
                told.seller,
                None,
                told.setting,
                at,
                call.transcript.duration_ms,
                items,
            )
        )
    return found


def test_a_period_is_drawn_once_and_every_drawn_call_keeps_its_probability(
    sessions: sessionmaker[Session],
) -> None:
    calls = store_conversations(sessions, 8)
    with transaction(sessions) as session:
        assert (PLANS.save(session, TEXT, MEI).version, PLANS.save(session, TEXT, MEI).version) == (1, 2)
        stored, among = PLANS.get(session, "half"), candidates(session, calls)
        first = min(one.at for one in among)
        period = Period(first, max(one.at for one in among) + timedelta(seconds=1))
        drawing = PLANS.propose(session, stored, period, draw(stored.plan, among, period), among)
        assert (drawing.id, len(drawing.sample.picks)) == (None, 4)
        assert not PLANS.is_drawn(session, "half", period)
        PLANS.carry_out(session, drawing, among, MEI)
    with transaction(sessions) as session:
        assert PLANS.is_drawn(session, "half", period)
        assert [(past.population, past.drawn) for past in PLANS.past(session)] == [(8, 4)]
        cases = queue(session, QueueFilters()).cases
        assert {case.recording_id: case.case.assignee for case in cases} == drawing.assignees
        one = cases[0]
        item = one.case.items[0].automatic
        REVIEWS.submit(
            session,
            one.id,
            Actor("user:x", one.case.assignee or ""),
            [Judgement(item.id, item.outcome)],
            one.case.version,
        )
        assert [judged.probability for judged in judged_items(session)] == [pytest.approx(0.5)]
        again = PLANS.propose(session, stored, period, drawing.sample, among)
        assert again.known == {case.recording_id for case in cases}
        assert not again.assignees
    with pytest.raises(Conflict), transaction(sessions) as session:
        PLANS.carry_out(session, drawing, among, MEI)


def test_a_call_that_another_scorecard_was_reviewed_of_since_is_not_reviewed_twice(
    sessions: sessionmaker[Session],
) -> None:
    (call,) = calls = store_conversations(sessions)
    reviews = ReviewStore(lambda session, reference: DEFINITION)
    plans, key = PlanStore(reviews), call.recording.id
    with transaction(sessions) as session:
        stored, among = plans.save(session, TEXT.replace("0.5", "1"), MEI), candidates(session, calls)
        scorecard = ScorecardStore().latest(session, key)
        case = reviews.open(session, key, scorecard, None, MEI)
        reviews.assign(session, case.id, MEI, "lao.li", case.case.version)
        reviews.open(session, key, replace(scorecard, definition="phone-sales @ 1"), None, MEI)
        period = Period(among[0].at, among[0].at + timedelta(seconds=1))
        drawing = plans.propose(session, stored, period, draw(stored.plan, among, period), among)
        assert len(drawing.sample.picks) == 1
        assert drawing.known == {key}
        assert not drawing.assignees
        plans.carry_out(session, drawing, among, MEI)
        kept = reviews.of_recording(session, key, scorecard.definition)
    assert kept is not None
    assert (kept.id, kept.case.assignee) == (case.id, "lao.li")


def test_corrections_come_back_as_they_were_said_and_undo_by_a_further_row(
    sessions: sessionmaker[Session],
) -> None:
    (call,) = store_conversations(sessions)
    text = Change(CorrectionKind.TURN_TEXT, turn=0, text="您好，打扰了。")
    with transaction(sessions) as session:
        added = CORRECTIONS.add(session, call.transcript, text, MEI, reason="听错了", seen=0)
        proposed = CORRECTIONS.add(session, call.transcript, text, SELLER, proposed=True)
        with pytest.raises(OutOfDate):
            CORRECTIONS.add(session, call.transcript, text, LAO, seen=1)
        undo = Change(CorrectionKind.UNDO, target=added.id)
        with pytest.raises(Forbidden):
            CORRECTIONS.add(session, call.transcript, undo, SELLER, proposed=True)
    with transaction(sessions) as session:
        log = CORRECTIONS.load(session, call.recording.id)
        assert log == [added, proposed]
        assert corrected(call.transcript, call.insights, log)[0].turns[0].text == "您好，打扰了。"
        CORRECTIONS.add(session, call.transcript, undo, MEI)
        own = Change(CorrectionKind.UNDO, target=proposed.id)
        CORRECTIONS.add(session, call.transcript, own, SELLER, proposed=True)
        log = CORRECTIONS.load(session, call.recording.id)
        assert not standing(log).in_force
        assert not standing(log).waiting
        assert len(log) == 4
        with pytest.raises(IllegalTransition):
            CORRECTIONS.add(session, call.transcript, undo, MEI)


def test_reviewers_score_every_item_and_the_session_tells_how_far_they_agree(
    sessions: sessionmaker[Session],
) -> None:
    calls = store_conversations(sessions, 3, seller="he.yun")
    with transaction(sessions) as session:
        cards = {one.recording.id: ScorecardStore().latest(session, one.recording.id) for one in calls}
        sellers = dict.fromkeys(cards, "he.yun")
        with pytest.raises(Forbidden):
            CALIBRATIONS.open(session, "周会", ["mei", "he.yun"], cards, MEI, sellers)
        opened = CALIBRATIONS.open(session, "周会", ["mei", "lao.li"], cards, MEI, sellers)
        for key, card in cards.items():
            same = [Judgement(item.id, outcome_of(item.passed)) for item in card.items]
            flipped = [Judgement(same[0].item, Outcome.FAILED), *same[1:]]
            CALIBRATIONS.score(session, opened.id, key, "mei", same)
            CALIBRATIONS.score(session, opened.id, key, "lao.li", flipped)
            with pytest.raises(InvalidInput):
                CALIBRATIONS.score(session, opened.id, key, "mei", same[1:])
            with pytest.raises(Forbidden):
                CALIBRATIONS.score(session, opened.id, key, "xu", same)
        closed = CALIBRATIONS.close(session, opened.id, MEI)
        with pytest.raises(IllegalTransition):
            CALIBRATIONS.score(session, opened.id, key, "mei", same)
        assert CALIBRATIONS.list(session) == [closed]
    assert closed.complete
    assert closed.open_to_all
    found = result(closed, DEFINITION)
    assert found.overall.units == 3 * len(DEFINITION.items)
    assert found.overall.alpha is not None
    assert found.overall.alpha < 1
    assert found.with_rules["mei"].alpha == 1
    by_name = {one.reviewer: one.difference for one in found.leniency}
    assert by_name["mei"] is not None
    assert by_name["mei"] == pytest.approx(-(by_name["lao.li"] or 0))
