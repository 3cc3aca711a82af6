"""Rule files are published as versions that never change, taken out of use, and read as they were."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from rule_files import ruleset_text, scorecard_text
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.errors import Conflict, InvalidInput, InvalidRules, NotFound
from huaxiang.quality.definition import KeywordCondition, ScorecardDefinition
from huaxiang.quality.loader import shipped_scorecards, shipped_texts
from huaxiang.quality.rule_store import RuleStore
from huaxiang.quality.rule_tables import RuleVersionRow

BY = "mei"


@pytest.fixture
def store() -> RuleStore:
    return RuleStore()


def references(definitions: Sequence[ScorecardDefinition]) -> set[str]:
    return {one.reference for one in definitions}


SHIPPED = references(shipped_scorecards())


def words(definition: object) -> tuple[str, ...]:
    assert isinstance(definition, ScorecardDefinition)
    condition = definition.items[0].condition
    assert isinstance(condition, KeywordCondition)
    return condition.words


def test_what_ships_is_in_use_until_something_of_its_id_is_published(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    with sessions.begin() as session:
        assert references(store.current(session)) == SHIPPED
        store.publish(session, scorecard_text("house"), by=BY)
        assert references(store.current(session)) == {*SHIPPED, "house @ 1"}
        own = shipped_texts()["general-sales.yaml"].replace("\nversion: ", "\nversion: 9")
        published = store.publish(session, own, by=BY, note="老板要求")
        assert published.before is not None
        assert published.before.shipped
        current = references(store.current(session))
        assert published.definition.reference in current
        assert published.before.reference not in current
        assert store.versions(session, "general-sales") == (published.version, published.before)


def test_a_version_is_kept_as_written_and_never_changes(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    first, second = (
        scorecard_text(version=1),
        scorecard_text(version=2, condition="{keywords: [早上好]}"),
    )
    with sessions.begin() as session:
        store.publish(session, first, by=BY, note="第一版")
    with sessions.begin() as session:
        again = store.publish(session, first, by="other")
        assert (again.changed, again.version.published_by, again.version.note) == (False, BY, "第一版")
        with pytest.raises(Conflict, match="write version: 2"):
            store.publish(session, scorecard_text(version=1, points=20), by=BY)
        store.publish(session, second, by=BY)
        with pytest.raises(Conflict, match="write version: 3"):
            store.publish(session, first, by=BY)
    with sessions.begin() as session:
        assert store.show(session, "house")[1] == second
        assert store.show(session, "house", 1)[1] == first
        assert words(RuleStore().definition(session, "house", 1)) == ("您好",)
        with pytest.raises(NotFound):
            store.show(session, "house", 3)
        with pytest.raises(NotFound):
            store.versions(session, "nobody")


def test_a_dry_run_says_what_would_be_and_does_nothing(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    with sessions.begin() as session:
        planned = store.plan(session, scorecard_text(), by=BY)
        assert (planned.version.reference, planned.before, planned.changed) == ("house @ 1", None, True)
        assert references(store.current(session)) == SHIPPED


def test_mistakes_are_not_published(sessions: sessionmaker[Session], store: RuleStore) -> None:
    with sessions.begin() as session:
        with pytest.raises(InvalidRules, match="line 11"):
            store.publish(session, scorecard_text(condition="{act: greets}"), by=BY)
        with pytest.raises(InvalidInput):
            store.publish(session, scorecard_text(), by=BY, note="长" * 2001)
        assert references(store.current(session)) == SHIPPED


def test_a_retired_file_judges_nobody_until_a_version_is_published_after_it(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    with sessions.begin() as session:
        store.publish(session, scorecard_text(), by=BY)
        retired = store.retire(session, "house", by="root", note="不用了")
        assert retired.retired is not None
        assert (retired.retired.by, retired.retired.note, retired.in_use) == ("root", "不用了", False)
        assert references(store.current(session)) == SHIPPED
        with pytest.raises(Conflict, match="out of use"):
            store.retire(session, "house", by=BY)
        with pytest.raises(Conflict, match="write version: 2"):
            store.publish(session, scorecard_text(), by=BY)
        store.publish(session, scorecard_text(version=2), by=BY)
        assert references(store.current(session)) == {*SHIPPED, "house @ 2"}
        assert store.show(session, "house", 1)[1] == scorecard_text()
        store.retire(session, "general-sales", by=BY)
        assert not any(one.id == "general-sales" for one in store.current(session))
        with pytest.raises(NotFound):
            store.retire(session, "nobody", by=BY)


def test_a_version_goes_on_with_the_rules_that_it_was_published_with(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    with sessions.begin() as session:
        store.publish(session, ruleset_text(condition="{keywords: [您好]}"), by=BY)
        card = store.publish(session, scorecard_text(condition="{rule: greets}"), by=BY)
        assert card.version.pins == {"greets": "words @ 1"}
        store.publish(session, ruleset_text(version=2, condition="{keywords: [早上好]}"), by=BY)
    with sessions.begin() as session:
        fresh = RuleStore()
        assert words(fresh.definition(session, "house")) == ("您好",)
        new = fresh.publish(session, scorecard_text(version=2, condition="{rule: greets}"), by=BY)
        assert new.version.pins == {"greets": "words @ 2"}
        assert words(fresh.definition(session, "house")) == ("早上好",)
        fresh.retire(session, "words", by=BY)
        assert words(RuleStore().definition(session, "house")) == ("早上好",)
        assert [
            mistake.code for mistake in fresh.check(session, scorecard_text(condition="{rule: greets}"))
        ] == ["unknown_rule"]


def test_a_rule_has_one_home_and_an_id_one_kind(sessions: sessionmaker[Session], store: RuleStore) -> None:
    with sessions.begin() as session:
        store.publish(session, ruleset_text("words"), by=BY)
        with pytest.raises(Conflict, match="words @ 1"):
            store.publish(session, ruleset_text("other"), by=BY)
        with pytest.raises(Conflict, match="belongs to a ruleset"):
            store.publish(session, scorecard_text("words", version=2), by=BY)


def test_of_two_who_publish_the_same_version_one_is_told(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    text = scorecard_text(points=20)
    with sessions.begin() as session:
        planned = store.plan(session, text, by=BY)
        store.publish(session, scorecard_text(points=10), by="first")
        store.plan = lambda *_, **__: planned  # type: ignore[method-assign]  # read before the first one wrote
        with pytest.raises(Conflict, match="just published"):
            store.publish(session, text, by=BY)
    with sessions.begin() as session:
        assert RuleStore().show(session, "house")[0].published_by == "first"


def test_two_who_keep_what_ships_at_the_same_time_both_go_on(
    sessions: sessionmaker[Session], store: RuleStore
) -> None:
    reference = sorted(SHIPPED)[0]

    def keep() -> None:
        with sessions.begin() as session:
            store.keep(session, reference)

    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            store.keep(session, reference)
            other = pool.submit(keep)
            wait([other], timeout=0.3)
        other.result(10)
    with sessions.begin() as session:
        (row,) = session.scalars(select(RuleVersionRow))
        assert (f"{row.id} @ {row.version}", row.is_shipped) == (reference, True)
