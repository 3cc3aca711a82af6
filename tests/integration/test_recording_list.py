"""The list of recordings on both databases: what a filter leaves, in which order, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from api_world import add_row
from coached import add_sellers
from history import add_history
from invented_call import invented_recording
from reviews import MEI, review_store
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.search.index import Search
from huaxiang.api.search.listing import Listed, ListFilters, RecordingList
from huaxiang.api.search.suite import build_search
from huaxiang.api.search.terms import read_terms
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import FindingKind, RecordingStatus, Role, Scorecard, Setting
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.review.outcomes import CaseState
from huaxiang.quality.scorecard_store import ScorecardStore

COUNT = 24


class Stored:
    """Conversations, the score of each, and the list over them; one recording waits without any."""

    def __init__(self, engine: Engine, sessions: sessionmaker[Session]) -> None:
        self.list: RecordingList = build_search(engine).list
        self.sessions = sessions
        self.conversations = add_history(sessions, COUNT)
        self.waiting = "waiting"
        bare = replace(invented_recording(self.waiting), status=RecordingStatus.RECEIVED, audio=None)
        with transaction(sessions) as session:
            add_sellers(session)
            add_row(session, bare)
            self.scores: dict[str, Scorecard] = {
                one.recording.id: ScorecardStore().latest(session, one.recording.id)
                for one in self.conversations
            }

    def found(self, filters: ListFilters, sort: str = "-when", limit: int = 200) -> list[Listed]:
        """Return all pages of a list, one after the other."""
        items: list[Listed] = []
        cursor = None
        with transaction(self.sessions) as session:
            while True:
                page = self.list.page(session, filters, sort=sort, cursor=cursor, limit=limit)
                items += page.items
                cursor = page.next_cursor
                if cursor is None:
                    assert self.list.count(session, filters) == len(items)
                    return items

    def those(self, wanted: Callable[[InventedConversation], bool]) -> set[str]:
        return {one.recording.id for one in self.conversations if wanted(one)}

    def share(self, recording_id: str) -> float:
        score = self.scores[recording_id]
        return 100 * score.score / score.possible


@pytest.fixture
def stored(engine: Engine, sessions: sessionmaker[Session]) -> Stored:
    return Stored(engine, sessions)


def ids(items: Iterable[Listed]) -> list[str]:
    return [item.recording.id for item in items]


def test_every_order_gives_each_recording_once_however_small_the_pages(stored: Stored) -> None:
    for name in stored.list.sorts:
        for sort in (name, f"-{name}"):
            whole = ids(stored.found(ListFilters(), sort))
            assert len(whole) == len(set(whole)) == COUNT + 1
            assert ids(stored.found(ListFilters(), sort, limit=4)) == whole


def test_the_orders_are_what_they_say(stored: Stored) -> None:
    newest = stored.found(ListFilters())
    assert [item.when for item in newest] == sorted((item.when for item in newest), reverse=True)
    longest = stored.found(ListFilters(), "-duration")
    durations = [item.duration_ms or 0 for item in longest]
    assert durations == sorted(durations, reverse=True)
    for sort, turned in (("score", False), ("-score", True)):
        *scored, last = ids(stored.found(ListFilters(), sort))
        assert last == stored.waiting, "what has no score comes last in both directions"
        shares = [stored.share(one) for one in scored]
        assert shares == sorted(shares, reverse=turned)


def test_what_was_told_narrows_the_list(stored: Stored) -> None:
    he_yun = stored.those(lambda one: one.seller.key == "he.yun")
    assert set(ids(stored.found(ListFilters(seller="he.yun")))) == he_yun | {stored.waiting}
    assert set(ids(stored.found(ListFilters(seller="he.yun", status=RecordingStatus.DONE)))) == he_yun
    assert set(ids(stored.found(ListFilters(team="门店组")))) == stored.those(
        lambda one: one.seller.team == "门店组"
    )
    assert set(ids(stored.found(ListFilters(setting=Setting.MEETING)))) == stored.those(
        lambda one: one.recording.metadata.setting is Setting.MEETING
    )
    middle = sorted(item.when for item in stored.found(ListFilters()))[COUNT // 2]
    before = ids(stored.found(ListFilters(started_before=middle)))
    after = ids(stored.found(ListFilters(started_from=middle)))
    assert len(before) == COUNT // 2
    assert len({*before, *after}) == COUNT + 1


def test_scores_narrow_the_list(stored: Stored) -> None:
    bands = [(0, 60), (60, 80), (80, 90), (90, 100)]
    parts = [set(ids(stored.found(ListFilters(score_from=low, score_before=high)))) for low, high in bands]
    assert set().union(*parts) == set(stored.scores)
    assert sum(map(len, parts)) == COUNT
    for (low, high), part in zip(bands, parts, strict=True):
        assert all(low <= stored.share(one) <= high for one in part)
    vetoed = {key for key, score in stored.scores.items() if score.auto_failed}
    assert set(ids(stored.found(ListFilters(auto_failed=True)))) == vetoed
    doubtful = {key for key, score in stored.scores.items() if any(item.for_review for item in score.items)}
    assert set(ids(stored.found(ListFilters(doubtful=True)))) == doubtful
    assert set(ids(stored.found(ListFilters(doubtful=False)))).isdisjoint(doubtful)
    failed = {
        key
        for key, score in stored.scores.items()
        if any(item.id == "permission" and item.passed is False for item in score.items)
    }
    assert failed
    assert set(ids(stored.found(ListFilters(failed_item="permission")))) == failed
    assert len(stored.found(ListFilters(inspected_from=now() - timedelta(hours=1)))) == COUNT
    assert stored.found(ListFilters(inspected_from=now() + timedelta(hours=1))) == []


def test_the_main_scorecard_counts_and_no_older_one(stored: Stored) -> None:
    changed, other = list(stored.scores)[:2]
    with transaction(stored.sessions) as session:
        new = replace(stored.scores[changed], definition="general-sales @ 99", score=1.0, auto_failed=True)
        beside = replace(stored.scores[other], definition="second @ 1", score=0.0, auto_failed=True)
        ScorecardStore().save(session, changed, new)
        ScorecardStore().save_all(session, other, [stored.scores[other], beside])
    by_id = {item.recording.id: item for item in stored.found(ListFilters())}
    assert len(by_id) == COUNT + 1
    assert (by_id[changed].score, by_id[changed].auto_failed) == (1.0, True)
    assert by_id[other].score == stored.scores[other].score


def test_what_was_found_narrows_the_list(stored: Stored) -> None:
    def has(one: InventedConversation, label: str | None) -> bool:
        return any(
            finding.kind is FindingKind.OBJECTION
            and label in (None, finding.label)
            and not finding.for_review
            for finding in one.insights.findings
        )

    price = stored.those(lambda one: has(one, "price"))
    assert price
    assert set(ids(stored.found(ListFilters(label="objection.price")))) == price
    assert set(ids(stored.found(ListFilters(label="objection.any")))) == stored.those(
        lambda one: has(one, None)
    )
    with pytest.raises(InvalidInput):
        stored.found(ListFilters(label="nonsense"))


def test_a_search_finds_conversations_with_the_turns_that_hold_the_words(stored: Stored) -> None:
    said = "再见"
    search = Search(read_terms(said), Role.AGENT)
    expected = stored.those(
        lambda one: any(turn.role is Role.AGENT and said in turn.text for turn in one.transcript.turns)
    )
    found = stored.found(ListFilters(search=search))
    assert expected
    assert set(ids(found)) == expected
    assert all(item.hits and all(said in hit.text for hit in item.hits) for item in found)
    assert all(not item.hits for item in stored.found(ListFilters()))


def test_reviews_narrow_the_list(stored: Stored) -> None:
    first, second = list(stored.scores)[:2]
    with transaction(stored.sessions) as session:
        for key in (first, second):
            case = review_store().open(session, key, stored.scores[key], "he.yun", MEI)
        review_store().assign(session, case.id, MEI, "mei", case.case.version)
    found = stored.found(ListFilters(review=CaseState.TO_REVIEW))
    assert set(ids(found)) == {first, second}
    assert {item.review for item in found} == {CaseState.TO_REVIEW}
    assert stored.found(ListFilters(review=CaseState.FINAL)) == []


def test_one_recording_is_shown_as_the_list_shows_it(stored: Stored) -> None:
    listed = stored.found(ListFilters())[3]
    with transaction(stored.sessions) as session:
        assert stored.list.one(session, listed.recording.id) == listed
        with pytest.raises(NotFound):
            stored.list.one(session, "nothing")


@pytest.mark.parametrize("cursor", ["", "x", "W10=", "WzEsMl0=", "é", "bnVsbA=="])
def test_a_cursor_that_no_page_gave_is_refused(stored: Stored, cursor: str) -> None:
    with pytest.raises(InvalidInput), transaction(stored.sessions) as session:
        stored.list.page(session, ListFilters(), cursor=cursor)


def test_a_cursor_of_another_order_and_an_unknown_order_are_refused(stored: Stored) -> None:
    with transaction(stored.sessions) as session:
        cursor = stored.list.page(session, ListFilters(), sort="score", limit=2).next_cursor
        with pytest.raises(InvalidInput):
            stored.list.page(session, ListFilters(), sort="when", cursor=cursor)
        with pytest.raises(InvalidInput):
            stored.list.page(session, ListFilters(), sort="secret")


def test_days_before_any_calendar_leave_nothing(stored: Stored) -> None:
    assert stored.found(ListFilters(started_before=datetime(1970, 1, 1, tzinfo=UTC))) == []
