"""The inspect stage judges a stored recording by all scorecards in use, with what was told about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_world import World, add_call, make_world
from invented_call import SELLER
from rule_files import scorecard_text
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from workflows import workflow_of

from huaxiang.api.held_scores import definition_of
from huaxiang.core.database import transaction
from huaxiang.core.types import RecordingStatus
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.quality import rule_store


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    return make_world(engine, sessions, tmp_path / "data")


def test_what_is_told_has_the_team_of_the_seller_and_the_tags_of_the_conversation(world: World) -> None:
    services = world.services
    call = add_call(services)
    with transaction(services.sessions) as session:
        SellerStore().add(session, SELLER, SellerValues(team="华东一组"), by="test")
        told = services.inspecting.told(
            session,
            services.recordings.get(session, call),
            services.transcripts.load(session, call),
            services.insights.load(session, call),
        )
    assert (told.get("team"), told.get("setting"), told.get("hour")) == ("华东一组", "phone", 9)
    tags = told.get("tags")
    assert isinstance(tags, list)
    assert any("=" in str(tag) for tag in tags)


def test_the_stage_stores_all_scorecards_and_those_of_before_are_current_no_more(world: World) -> None:
    services = world.services
    call = add_call(services)
    flow = workflow_of(services)
    first = flow.inspect(call)
    with transaction(services.sessions) as session:
        current = services.scorecards.current(session, call)
        assert services.scorecards.load(session, call, "phone-sales @ 1").items  # of before, and kept
    assert first["scores"] == {one.definition: one.score for one in current}
    assert current[0].definition.startswith("general-sales @ ")
    assert flow.inspect(call) == first
    flow.merge(call)
    with transaction(services.sessions) as session:
        assert services.recordings.get(session, call).status is RecordingStatus.DONE


def test_published_scorecards_judge_and_retired_ones_do_not(world: World) -> None:
    services = world.services
    call = add_call(services)
    flow = workflow_of(services)
    with transaction(services.sessions) as session:
        head = "priority: 100\napplies_to: {settings: [phone]}\n"
        services.rules.publish(session, scorecard_text(head=head), by="mei")
    assert next(iter(flow.inspect(call)["scores"])) == "house @ 1"  # type: ignore[arg-type]
    with transaction(services.sessions) as session:
        assert services.scorecards.latest(session, call).definition == "house @ 1"
        for one in services.rules.current(session):
            services.rules.retire(session, one.id, by="mei")
    assert flow.inspect(call) == {"scores": {}}
    flow.merge(call)
    with transaction(services.sessions) as session:
        assert services.scorecards.current(session, call) == ()
        skipped = {(one.feature, one.code) for one in services.insights.load(session, call).skipped}
        assert ("scorecard", "none_applies") in skipped
        assert services.recordings.get(session, call).status is RecordingStatus.DONE


def test_what_a_score_was_made_by_is_shown_after_the_package_was_renewed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = world.services
    call = add_call(services)
    workflow_of(services).inspect(call)
    with transaction(services.sessions) as session:
        references = [one.definition for one in services.scorecards.current(session, call)]
        before = [definition_of(services.rules, session, one) for one in references]
    monkeypatch.setattr(rule_store, "shipped_files", lambda: ())
    rule_store._shipped.cache_clear()
    try:
        with transaction(services.sessions) as session:
            after = [definition_of(rule_store.RuleStore(), session, one) for one in references]
    finally:
        rule_store._shipped.cache_clear()
    assert after == before != []
