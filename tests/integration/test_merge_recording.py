"""What a recording says gets into its customer's profile once, in any order, and out again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profile_calls import NOON, A, C, Call, receive
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.types import Evidence, FindingKind, Scorecard, ScorecardItem
from huaxiang.ingest.tables import RecordingRow
from huaxiang.profile.crm import put_customer
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.merge import Merged, merge_recording, unmerge_recording
from huaxiang.profile.tables import ConversationRow, CustomerRow, FieldValueRow, TagRow
from huaxiang.profile.view import profile

TURNS = (
    (A, "梁总您好，我是云帆的小何"),
    (C, "太贵了，排班猫才三千"),
    (A, "贵是贵，可是省人工"),
    (C, "那周四来演示吧，打幺三九零零零零二二幺七"),
)
LATER = NOON + timedelta(days=10)


def full(call_id: str = "r1", days: int = 0, **changed: Any) -> Call:
    """Return a call in which much was found."""
    of = replace(Call(call_id, TURNS, started_at=NOON + timedelta(days=days)), **changed)
    of.entity("person", 0, "梁总").objection("price", 1).entity("competitor", 1, "排班猫")
    of.intent("agree_next_step", 3).found(FindingKind.NEXT_STEP, "demo", 3, "周四来演示")
    return of.entity("phone", 3, "幺三九零零零零二二幺七", "13900002217")


def little(call_id: str = "r1", days: int = 0, **changed: Any) -> Call:
    """Return the same call with a single finding."""
    of = replace(Call(call_id, TURNS, started_at=NOON + timedelta(days=days)), **changed)
    return of.intent("inquire_price", 1)


def merge(session: Session, *calls: Call) -> list[Merged]:
    return [merge_recording(session, *call.arguments()) for call in calls]


def seen(session: Session, reference: str = "C-1") -> dict[str, Any]:
    """Return the customer's profile without what storing makes anew: ids, versions, clocks."""
    shown: dict[str, Any] = profile(session, CustomerStore().find(session, reference), LATER)
    for key in ("id", "version", "updated_at", "identities"):
        del shown[key]
    return shown


def count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_recording_gives_its_customer_tags_fields_and_a_conversation(
    sessions: sessionmaker[Session],
) -> None:
    with transaction(sessions) as session:
        receive(session, full())
        (merged,) = merge(session, full())
        assert merged.customer_id == CustomerStore().find(session, "C-1")
        shown = seen(session)
    assert {tag["key"]: tag["value"] for tag in shown["tags"]} == {
        "intent.agree_next_step": True,
        "objection.price": "answered",
        "competitor": "排班猫",
        "next_step": "demo",
    }
    assert {field["name"]: field["value"] for field in shown["fields"]} == {
        "addressed_as": "梁总",
        "contact_phone": "+8613900002217",
        "next_step": {"kind": "demo", "text": "周四来演示", "due_at": None, "due_text": None},
    }
    assert [one["recording_id"] for one in shown["conversations"]] == ["r1"]


def test_a_phone_as_reference_finds_the_customer_of_the_crm(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        told = put_customer(session, "C-1", {"fields": {"phone": "138 0013 8000"}})
        call = full(customer_ref="13800138000")
        receive(session, call)
        assert merge(session, call)[0].customer_id == told.id


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (None, "no_customer_reference"),
        ("  ", "no_customer_reference"),
        ("138****8000", "unusable_customer_reference"),
    ],
)
def test_without_a_usable_reference_nobody_is_invented(
    sessions: sessionmaker[Session], reference: str | None, code: str
) -> None:
    call = full(customer_ref=reference)
    with transaction(sessions) as session:
        receive(session, call)
        (merged,) = merge(session, call)
        assert (merged.customer_id, [one.code for one in merged.skipped]) == (None, [code])
        assert [count(session, table) for table in (CustomerRow, TagRow, FieldValueRow, ConversationRow)] == [
            0
        ] * 4


def test_merging_again_changes_nothing_not_even_the_version(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        receive(session, full())
        merge(session, full())
    with transaction(sessions) as session:
        before = profile(session, CustomerStore().find(session, "C-1"), LATER)
        assert not merge(session, full())[0].changed
        assert profile(session, CustomerStore().find(session, "C-1"), LATER) == before


def test_fewer_findings_leave_nothing_of_the_earlier_ones(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        receive(session, little())
        merge(session, little())
        before = seen(session)
        assert merge(session, full())[0].changed
        assert merge(session, little())[0].changed
        assert seen(session) == before


def test_a_recording_that_turns_out_to_be_another_customers_moves(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        receive(session, full())
        merge(session, full(), full(customer_ref="C-2"))
        assert (seen(session)["tags"], seen(session)["conversations"]) == ([], [])
        assert len(seen(session, "C-2")["conversations"]) == 1
        merge(session, full(customer_ref=None))
        assert seen(session, "C-2")["conversations"] == []


def test_unmerging_takes_out_all_of_a_recording_and_nothing_else(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        put_customer(session, "C-1", {"fields": {"addressed_as": "梁先生"}})
        receive(session, full("r1"), full("r2", 1))
        merge(session, full("r1"))
        before = seen(session)
        merge(session, full("r2", 1))
        assert unmerge_recording(session, "r2")
        assert seen(session) == before
        assert not unmerge_recording(session, "r2")


def test_erasing_a_recording_erases_every_quote_of_it(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        receive(session, full())
        merge(session, full())
        session.execute(delete(RecordingRow).where(RecordingRow.id == "r1"))
        assert [count(session, table) for table in (TagRow, FieldValueRow, ConversationRow)] == [0] * 3


def test_the_crm_and_the_conversation_contradict_each_other_in_plain_sight(
    sessions: sessionmaker[Session],
) -> None:
    call = Call("r1", [(A, "您好，请问是贝乐玩具的翁小姐吗")])
    call.entity("person", 0, "翁小姐").entity("company", 0, "贝乐玩具")
    with transaction(sessions) as session:
        put_customer(session, "C-1", {"fields": {"company": "喜乐玩具"}})
        receive(session, call)
        merge(session, call)
        (company,) = (field for field in seen(session)["fields"] if field["name"] == "company")
    assert (company["value"], company["source"], company["contradicted"]) == ("喜乐玩具", "crm", True)
    (heard,) = company["others"]
    assert (heard["value"], heard["source"], heard["source_id"]) == ("贝乐玩具", "conversation", "r1")
    assert heard["evidence"][0]["quote"] == "贝乐玩具"
    assert heard["rule"] == "profile.heard@1 on test @ 1"


def test_a_scorecard_is_shown_with_its_conversation(sessions: sessionmaker[Session]) -> None:
    evidence = Evidence("r1", 2, 0, 2, 2000, 2400, "贵是")
    item = ScorecardItem("rude", "不文明", False, 0, 10, evidence=(evidence,), auto_fail=True)
    scorecard = Scorecard("sales @ 1", 0, 100, (item,), auto_failed=True)
    with transaction(sessions) as session:
        receive(session, full())
        merge_recording(session, *full().arguments(), scorecard)
        (conversation,) = seen(session)["conversations"]
    assert (conversation["score"], conversation["possible"], conversation["seller"]) == (0, 100, "s1")
    assert conversation["summary"]["auto_failed_evidence"][0]["quote"] == "贵是"


def test_workers_who_merge_at_once_end_in_the_same_profile(sessions: sessionmaker[Session]) -> None:
    some = [full(f"r{number}", number) for number in range(3)]
    with transaction(sessions) as session:
        receive(session, *some)
    ready = Barrier(6)

    def work(number: int) -> None:
        ready.wait()
        with transaction(sessions) as session:  # every recording is merged by two workers
            merge(session, some[number % 3])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with transaction(sessions) as session:
        together = seen(session)
        assert count(session, CustomerRow) == 1
        for call in some:
            unmerge_recording(session, call.id)
        merge(session, *some)
        assert seen(session) == together


labels = st.sampled_from(["inquire_price", "reject", "purchase_intent", "agree_next_step", "complain"])
calls = st.lists(
    st.tuples(
        st.integers(0, 5),  # the day: two calls may be on one
        st.lists(st.tuples(labels, st.sampled_from([1, 3]), st.sampled_from([0.5, 0.7, 0.9])), max_size=3),
        st.lists(st.tuples(st.sampled_from(["price", "trust"]), st.sampled_from([1, 3])), max_size=2),
        st.booleans(),
    ),
    min_size=2,
    max_size=4,
)


def built(specifications: Sequence[Any]) -> list[Call]:
    result = []
    for number, (day, intents, objections, greeted) in enumerate(specifications):
        call = Call(f"p{number}", TURNS, started_at=NOON + timedelta(days=day))
        for intent in intents:
            call.intent(*intent)
        for objection in objections:
            call.objection(*objection)
        result.append(call.entity("person", 0, "梁总") if greeted else call)
    return result


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls.map(built).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_recordings_plays_no_part(
    sessions: sessionmaker[Session], orders: tuple[list[Call], list[Call]]
) -> None:
    results = []
    for order in orders:
        with sessions() as session:
            receive(session, *order)
            merge(session, *order)
            results.append(seen(session))
            session.rollback()
    assert results[0] == results[1]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls.map(built))
def test_taking_a_recording_out_restores_the_profile_without_it(
    sessions: sessionmaker[Session], some: list[Call]
) -> None:
    *others, last = some
    with sessions() as session:
        receive(session, *some)
        merge(session, *others)
        before = seen(session)
        merge(session, last)
        unmerge_recording(session, last.id)
        assert seen(session) == before
        merge(session, last)
        with_last = seen(session)
        merge(session, last.without_findings(), last)
        assert seen(session) == with_last
        session.rollback()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls.map(built))
def test_nothing_is_stored_without_evidence(sessions: sessionmaker[Session], some: list[Call]) -> None:
    with sessions() as session:
        receive(session, *some)
        merge(session, *some)
        session.flush()
        kept = [*session.scalars(select(TagRow)), *session.scalars(select(FieldValueRow))]
        texts = {call.id: [text for _, text in call.turns] for call in some}
        for row in kept:
            assert row.evidence
            for one in row.evidence:
                span = slice(one["char_start"], one["char_end"])
                assert one["quote"] == texts[one["recording_id"]][one["turn"]][span]
        session.rollback()
