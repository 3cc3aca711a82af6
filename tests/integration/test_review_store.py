"""Reviews in the database: outcomes apart, points by the scorecard's arithmetic, and nothing overwritten."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from reviews import DEFINITION, LAO, MEI, review_store, shipped, store_conversations
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import Conflict, NotFound, OutOfDate
from huaxiang.ingest.tables import RecordingRow
from huaxiang.quality.review.outcomes import Actor, CaseState, Judgement, Origin, Outcome, outcome_of
from huaxiang.quality.review.queue import QueueFilters, counts, judged_items, queue
from huaxiang.quality.review.review_store import ReviewStore, StoredCase, load_cases
from huaxiang.quality.review.scores import save_corrected
from huaxiang.quality.review.tables import APPEND_ONLY, ReviewActRow
from huaxiang.quality.scorecard_store import ScorecardStore
from huaxiang.quality.totals import total

STORE = review_store()
SELLER = Actor("user:he", "he.yun")


def opened(sessions: sessionmaker[Session], count: int = 1, store: ReviewStore = STORE) -> list[StoredCase]:
    calls = store_conversations(sessions, count, seller="he.yun")
    found = []
    with transaction(sessions) as session:
        for call in calls:
            scorecard = ScorecardStore().latest(session, call.recording.id)
            found.append(store.open(session, call.recording.id, scorecard, "he.yun", MEI, Origin.CHOSEN))
    return found


def other(outcome: Outcome) -> Outcome:
    return Outcome.FAILED if outcome is Outcome.PASSED else Outcome.PASSED


def reviewed(sessions: sessionmaker[Session], stored: StoredCase) -> tuple[StoredCase, str]:
    """Hand in a review that changes the first item that counts."""
    item = next(one.automatic for one in stored.case.items if one.automatic.possible > 0)
    change = Judgement(item.id, other(item.outcome), "听过录音")
    with transaction(sessions) as session:
        return STORE.submit(session, stored.id, MEI, [change], stored.case.version), item.id


def test_the_final_score_is_added_up_by_the_scorecard_itself(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    stored, item = reviewed(sessions, stored)
    with transaction(sessions) as session:
        score = STORE.final(session, [stored.recording_id])[stored.recording_id]
        automatic = ScorecardStore().latest(session, stored.recording_id)
    outcomes = {one.id: one.passed for one in automatic.items}
    assert (score.automatic_score, score.automatic_possible) == (automatic.score, automatic.possible)
    changed = next(one for one in score.items if one.id == item)
    assert changed.automatic is outcome_of(outcomes[item])
    assert changed.reviewed is changed.final is other(changed.automatic)
    outcomes[item] = changed.final.passed
    expected = total(DEFINITION, outcomes)
    assert (score.score, score.possible) == (expected.score, expected.possible)
    assert score.score != automatic.score
    assert all(one.reviewed is None for one in score.items if one.id != item)


def test_a_draft_counts_only_when_it_is_handed_in(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    item = stored.case.items[0].automatic
    with transaction(sessions) as session:
        STORE.judge(session, stored.id, MEI, [Judgement(item.id, other(item.outcome), "x")], 1)
        score = STORE.final(session, [stored.recording_id])[stored.recording_id]
        assert not score.changed
        assert judged_items(session) == []


def test_an_appeal_is_settled_by_another_and_both_judgements_stay(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    stored, item = reviewed(sessions, stored)
    automatic = stored.case.item(item).automatic.outcome
    with transaction(sessions) as session:
        STORE.appeal(session, stored.id, SELLER, "我说过", [item])
        settled = STORE.settle(
            session,
            stored.id,
            LAO,
            [Judgement(item, automatic, "确实说过")],
            "申诉成立",
            stored.case.version + 1,
        )
    with transaction(sessions) as session:
        score = STORE.final(session, [stored.recording_id])[stored.recording_id]
        (judged,) = judged_items(session, "general-sales")
        again = STORE.get(session, stored.id)
    one = next(one for one in score.items if one.id == item)
    assert (one.automatic, one.reviewed, one.settled, one.final) == (
        automatic,
        other(automatic),
        automatic,
        automatic,
    )
    assert (judged.automatic, judged.judged, judged.settled) == (automatic, automatic, True)
    assert again == settled
    assert [act.sequence for act in again.acts] == list(range(1, len(again.acts) + 1))


def test_what_is_scored_again_later_does_not_change_the_case(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    stored, _ = reviewed(sessions, stored)
    with transaction(sessions) as session:
        before = STORE.final(session, [stored.recording_id])
        scorecard = ScorecardStore().latest(session, stored.recording_id)
        changed = scorecard.__class__("other @ 2", 1, 2, scorecard.items)
        ScorecardStore().save(session, stored.recording_id, changed)
    with transaction(sessions) as session:
        assert STORE.final(session, [stored.recording_id]) == before


def test_a_call_that_nobody_looked_at_has_its_automatic_score(sessions: sessionmaker[Session]) -> None:
    (call,) = store_conversations(sessions)
    with transaction(sessions) as session:
        score = STORE.final(session, [call.recording.id, "nothing"])
        automatic = ScorecardStore().latest(session, call.recording.id)
    assert list(score) == [call.recording.id]
    assert score[call.recording.id].score == automatic.score
    assert score[call.recording.id].state is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_more_calls_are_read_than_a_statement_takes_variables(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    many = [f"nothing-{number}" for number in range(1200)]
    with transaction(sessions) as session:
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        before = connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        try:
            assert list(STORE.newest(session, [*many, stored.recording_id])) == [stored.recording_id]
            assert list(STORE.final(session, [*many, stored.recording_id])) == [stored.recording_id]
            assert list(STORE.final_of(session, [stored] * 1200)) == [stored.id]
            assert [one.acts for one in load_cases(session, [stored.id, *many, stored.id])] == [
                stored.acts, stored.acts,
            ]  # fmt: skip
        finally:
            connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


def test_of_several_scorecards_the_main_one_in_force_holds(sessions: sessionmaker[Session]) -> None:
    (call,) = store_conversations(sessions)
    identifier, store = call.recording.id, ScorecardStore()
    with transaction(sessions) as session:
        earlier = store.latest(session, identifier)
        main, beside = replace(earlier, definition="a-main @ 1"), replace(earlier, definition="z-beside @ 1")
        store.save_all(session, identifier, [main, beside])
    with transaction(sessions) as session:
        score = STORE.final(session, [identifier])[identifier]
        assert score.definition == store.latest(session, identifier).definition == "a-main @ 1"


def test_a_corrected_call_whose_scorecard_is_gone_has_its_automatic_score(
    sessions: sessionmaker[Session],
) -> None:
    (call,) = store_conversations(sessions)
    identifier, store = call.recording.id, ScorecardStore()
    with transaction(sessions) as session:
        gone = replace(store.latest(session, identifier), definition="general-sales @ 0")
        store.save_all(session, identifier, [gone])
        save_corrected(session, identifier, replace(gone, score=0.0))
    with transaction(sessions) as session:
        score = STORE.final(session, [identifier])[identifier]
    assert (score.definition, score.score, score.changed) == (gone.definition, gone.score, False)


def test_two_reviewers_on_one_item_is_a_conflict(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    first, second = stored.case.items[0].automatic, stored.case.items[1].automatic
    with transaction(sessions) as session:
        STORE.judge(session, stored.id, MEI, [Judgement(first.id, first.outcome)], seen=1)
    with transaction(sessions) as session:
        STORE.judge(session, stored.id, LAO, [Judgement(second.id, second.outcome)], seen=1)
    with pytest.raises(OutOfDate), transaction(sessions) as session:
        STORE.judge(session, stored.id, LAO, [Judgement(first.id, first.outcome)], seen=1)


def test_a_score_is_reviewed_once_and_only_by_a_scorecard_that_is_there(
    sessions: sessionmaker[Session],
) -> None:
    (stored,) = opened(sessions)
    with transaction(sessions) as session:
        scorecard = ScorecardStore().latest(session, stored.recording_id)
        with pytest.raises(Conflict):
            STORE.open(session, stored.recording_id, scorecard, None, MEI)
        gone = scorecard.__class__("gone @ 1", 1, 2, scorecard.items)
        with pytest.raises(NotFound):
            ReviewStore(shipped).open(session, stored.recording_id, gone, None, MEI)


def test_the_queue_lists_by_state_and_assignment_page_by_page(sessions: sessionmaker[Session]) -> None:
    cases = opened(sessions, 5)
    reviewed(sessions, cases[0])
    with transaction(sessions) as session:
        STORE.assign(session, cases[1].id, MEI, "lao.li", 1)
        assert counts(session)[CaseState.TO_REVIEW] == 4
        waiting = QueueFilters(frozenset({CaseState.TO_REVIEW}))
        page = queue(session, waiting, limit=3)
        rest = queue(session, waiting, limit=3, cursor=page.next_cursor)
        assert [one.id for one in (*page.cases, *rest.cases)] == [one.id for one in cases[1:]]
        assert rest.next_cursor is None
        mine = queue(session, QueueFilters(frozenset({CaseState.TO_REVIEW}), assignee="mei"))
        assert cases[1].id not in {one.id for one in mine.cases}
        assert queue(session, QueueFilters(seller="nobody")).cases == ()


def test_the_database_refuses_to_change_a_row_of_the_log(sessions: sessionmaker[Session]) -> None:
    opened(sessions)
    with pytest.raises(DBAPIError, match="only ever added"), transaction(sessions) as session:
        session.execute(text("UPDATE review_acts SET reason = 'another'"))
    with pytest.raises(DBAPIError, match="only ever added"), transaction(sessions) as session:
        session.execute(text("UPDATE review_cases SET seller = 'another'"))


def test_every_table_of_judgements_has_its_guard(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        if session.get_bind().dialect.name == "postgresql":
            names = session.scalars(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
        else:
            names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        assert {f"{table}_append_only" for table in APPEND_ONLY} <= set(names)


def test_erasing_a_recording_erases_its_case(sessions: sessionmaker[Session]) -> None:
    (stored,) = opened(sessions)
    with transaction(sessions) as session:
        session.execute(delete(RecordingRow).where(RecordingRow.id == stored.recording_id))
    with transaction(sessions) as session:
        assert session.query(ReviewActRow).count() == 0
