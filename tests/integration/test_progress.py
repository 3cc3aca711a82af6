"""How far the processing of a recording is: told while it lasts, at most once a second, gone at its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from api_world import World, add_bare, make_world
from corrected_calls import add_scored_call
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from workflows import workflow_of

from huaxiang.api.progress import ProgressTeller, begun, ended, progress_of
from huaxiang.core.types import Json, RecordingStatus
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.review.corrected_scorecards import with_corrected
from huaxiang.quality.review.corrections import Change, CorrectionKind, Target
from huaxiang.quality.review.outcomes import Actor


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    return make_world(engine, sessions, tmp_path / "data")


@pytest.fixture
def waiting(world: World) -> str:
    return add_bare(world.services, status=RecordingStatus.PROCESSING)


def told(world: World, recording_id: str) -> tuple[str, float] | None:
    with world.services.sessions() as session:
        found = progress_of(session, [recording_id]).get(recording_id)
    return None if found is None else (found.stage, found.share)


def test_a_stage_tells_how_far_it_is_at_most_once_a_second(world: World, waiting: str) -> None:
    at_s = [100.0]
    teller = ProgressTeller(world.services.sessions, waiting, "transcribe", lambda: at_s[0])
    teller(0.0)
    assert told(world, waiting) == ("transcribe", 0.0)
    at_s[0] += 0.4
    teller(0.25)
    assert told(world, waiting) == ("transcribe", 0.0)
    at_s[0] += 0.7
    teller(0.5)
    assert told(world, waiting) == ("transcribe", 0.5)
    at_s[0] += 2
    teller(1.7)
    assert told(world, waiting) == ("transcribe", 1.0)


def test_the_next_stage_takes_its_place_and_the_end_takes_it_away(world: World, waiting: str) -> None:
    begun(world.services.sessions, waiting, "decode")
    begun(world.services.sessions, waiting, "transcribe")
    assert told(world, waiting) == ("transcribe", 0.0)
    with world.services.sessions.begin() as session:
        ended(session, waiting)
    assert told(world, waiting) is None


class LaterStages:
    """Does the stages after understanding, and notes what is told of the progress after each."""

    def __init__(self, world: World, recording_id: str) -> None:
        self._world = world
        self._recording_id = recording_id
        self.seen: list[tuple[str, tuple[str, float] | None]] = []

    def stage(self, name: str, step: Callable[[], Json]) -> Json:
        if name not in ("inspect", "merge"):
            return {}
        result = step()
        self.seen.append((name, told(self._world, self._recording_id)))
        return result


def test_the_workflow_tells_each_stage_and_forgets_it_when_the_recording_is_done(world: World) -> None:
    call = add_scored_call(world.services)
    stages = LaterStages(world, call)
    workflow_of(world.services).run(stages, call)
    assert stages.seen == [("inspect", ("inspect", 0.0)), ("merge", None)]


def test_a_recording_that_is_processed_again_keeps_what_people_corrected(world: World) -> None:
    services = world.services
    call = add_scored_call(services)
    mei = Actor("user:1", "mei")
    with services.sessions() as session:
        insights = services.insights.load(session, call)
    promised = next(one for one in insights.findings if one.label == "overpromise")
    target = Target(promised.id, promised.kind, promised.label, promised.turn)
    wrong = Change(CorrectionKind.FINDING_WRONG, finding=target)
    foreseen = services.corrections.foresee(call, [wrong], mei)
    with services.sessions.begin() as session:
        services.corrections.add(session, call, foreseen, mei)
    workflow_of(services).run(LaterStages(world, call), call)
    with services.sessions() as session:
        automatic = services.scorecards.current(session, call)
        corrected = with_corrected(session, call, automatic)
    for cards, passed in ((automatic, False), (corrected, True)):
        items = {item.id: item.passed for item in cards[0].items}
        assert items["overpromise"] is passed


def test_rules_are_tried_on_what_people_say_was_said(world: World) -> None:
    services = world.services
    call = add_scored_call(services)
    mei = Actor("user:1", "mei")
    foreseen = services.corrections.foresee(
        call, [Change(CorrectionKind.TURN_TEXT, turn=7, text="好的。")], mei
    )
    with services.sessions.begin() as session:
        services.corrections.add(session, call, foreseen, mei)
    with services.sessions() as session:
        features = FeatureStore().load(session, call)
    assert features.transcript.turns[7].text == "好的。"
    assert [one for one in features.insights.findings if one.turn == 7 and one.label == "price"] == []
