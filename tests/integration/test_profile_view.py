"""The profile as callers see it: what hangs on it, what changes its version, and lists of customers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from profile_calls import NOON, A, C, Call, receive
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import FindingKind
from huaxiang.profile.crm import put_customer
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.listing import list_customers
from huaxiang.profile.merge import merge_recording
from huaxiang.profile.tables import CustomerRow
from huaxiang.profile.view import customer, profile

TODAY = NOON + timedelta(days=10)


def heard(session: Session, *calls: Call) -> None:
    receive(session, *calls)
    for call in calls:
        merge_recording(session, *call.arguments())


def shown(session: Session, reference: str = "C-1", now: Any = TODAY) -> dict[str, Any]:
    found: dict[str, Any] = profile(session, CustomerStore().find(session, reference), now)
    json.dumps(found, allow_nan=False)
    return found


def objecting(call_id: str, days: int, label: str = "price", *, answered: bool = False) -> Call:
    call = Call(call_id, [(C, "太贵了"), (A, "贵是贵")], started_at=NOON + timedelta(days=days))
    call.objection(label, 0)
    return call.found(FindingKind.ACT, "objection_handling", 1) if answered else call


def test_nobody_has_no_profile(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session, pytest.raises(NotFound):
        profile(session, "nobody", TODAY)


def test_a_customer_known_from_the_crm_alone_has_a_profile(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        put_customer(session, "C-1", {"fields": {"city": "上海", "phone": "13800138000"}})
        found = shown(session)
    assert (found["external_id"], found["lifecycle"]["stage"]) == ("C-1", "prospect")
    assert [(one["kind"], one["value"]) for one in found["identities"]] == [
        ("crm_id", "C-1"),
        ("phone", "+8613800138000"),
    ]
    (city,) = (field for field in found["fields"] if field["name"] == "city")
    assert (city["title"], city["source"], city["source_id"], city["merge"]) == (
        "城市",
        "crm",
        "C-1",
        "latest",
    )
    assert (found["tags"], found["conversations"], found["next_step"]) == ([], [], None)


def test_every_key_of_the_document_is_described(sessions: sessionmaker[Session]) -> None:
    described = (Path(__file__).parents[2] / "docs" / "profile.md").read_text(encoding="utf-8")
    with transaction(sessions) as session:
        put_customer(session, "C-1", {})
        assert [key for key in shown(session) if f"`{key}`" not in described] == []


def test_a_tag_of_many_calls_is_one_with_the_evidence_of_each_newest_first(
    sessions: sessionmaker[Session],
) -> None:
    old = Call("r1", [(C, "多少钱")]).intent("inquire_price", 0, 0.8)
    new = Call("r2", [(C, "几多钱")], started_at=NOON + timedelta(days=5)).intent("inquire_price", 0, 0.6)
    with transaction(sessions) as session:
        heard(session, old, new)
        (tag,) = shown(session)["tags"]
        later = shown(session, now=TODAY + timedelta(days=90))["tags"][0]
    assert [evidence["recording_id"] for evidence in tag["evidence"]] == ["r2", "r1"]
    assert (tag["recordings"], tag["observed_at"], tag["title"]) == (2, "2026-11-15T04:00:00Z", "询价")
    assert 0.6 < tag["confidence"] < 0.9
    assert later["confidence"] < tag["confidence"]


def test_an_objection_is_open_until_a_later_call_answers_it(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        heard(session, objecting("r1", 0), objecting("r2", 1, "trust"))
        assert {one["type"] for one in shown(session)["open_objections"]} == {"price", "trust"}
        heard(session, objecting("r3", 2, answered=True))
        (left,) = shown(session)["open_objections"]
        assert (left["type"], left["evidence"][0]["recording_id"]) == ("trust", "r2")
        heard(session, objecting("r4", 3))
        assert len(shown(session)["open_objections"]) == 2


def test_the_agreed_next_step_is_the_latest_one_and_says_when_it_is_overdue(
    sessions: sessionmaker[Session],
) -> None:
    first = Call("r1", [(C, "明天来吧")]).found(FindingKind.NEXT_STEP, "visit", 0)
    second = Call("r2", [(C, "周四下午三点演示")], started_at=NOON + timedelta(days=1))
    second.found(FindingKind.NEXT_STEP, "demo", 0).entity(
        "time", 0, "周四下午三点", "2026-11-12T15:00:00+08:00"
    )
    with transaction(sessions) as session:
        heard(session, first)
        assert shown(session)["next_step"]["overdue"] is None
        heard(session, second)
        step = shown(session)["next_step"]
        early = shown(session, now=NOON + timedelta(days=2))["next_step"]
    assert (step["kind"], step["due_at"]) == ("demo", "2026-11-12T15:00:00+08:00")
    assert (step["overdue"], early["overdue"]) == (True, False)
    assert step["evidence"][0]["quote"] == "周四下午三点演示"


def test_the_last_ten_conversations_are_shown_newest_first_and_all_are_counted(
    sessions: sessionmaker[Session],
) -> None:
    with transaction(sessions) as session:
        heard(session, *(objecting(f"r{day:02}", day) for day in range(12)))
        found = shown(session)
    assert [one["recording_id"] for one in found["conversations"]] == [
        f"r{day:02}" for day in range(11, 1, -1)
    ]
    assert found["conversation_count"] == 12
    assert len(found["conversations"][0]["tags"][0]["evidence"]) == 1


def test_a_conflict_of_identities_is_part_of_both_profiles(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        put_customer(session, "C-1", {"phones": ["13800138000"]})
        put_customer(session, "C-2", {"phones": ["13800138000"]})
        assert len(shown(session)["conflicts"]) == len(shown(session, "C-2")["conflicts"]) == 1


def test_the_version_changes_with_what_is_told_and_with_the_day_and_with_nothing_else(
    sessions: sessionmaker[Session],
) -> None:
    with transaction(sessions) as session:
        put_customer(session, "C-1", {"fields": {"city": "上海"}})
        heard(session, objecting("r1", 0))
        first = shown(session)
        assert shown(session, now=TODAY + timedelta(hours=5)) == first
        assert shown(session, now=TODAY + timedelta(days=1))["version"] != first["version"]
        put_customer(session, "C-1", {"fields": {"city": "上海"}})
        heard_again = objecting("r1", 0)
        merge_recording(session, *heard_again.arguments())
        assert shown(session) == first
        put_customer(session, "C-1", {"fields": {"city": "杭州"}})
        assert shown(session)["version"] != first["version"]
        changed = shown(session)["version"]
        heard(session, objecting("r2", 1))
        assert shown(session)["version"] != changed


def test_the_merged_customer_says_the_same_as_the_profile(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        put_customer(session, "C-1", {"fields": {"city": "上海"}, "phones": ["13800138000"]})
        heard(session, objecting("r1", 0))
        found = customer(session, CustomerStore().find(session, "C-1"), TODAY)
        also = shown(session)
    assert (found.external_id, found.phones, found.lifecycle) == ("C-1", ("+8613800138000",), "prospect")
    assert [field.name for field in found.fields] == [field["name"] for field in also["fields"]]
    assert [(tag.key, tag.value) for tag in found.tags] == [
        (tag["key"], tag["value"]) for tag in also["tags"]
    ]


def test_customers_are_listed_page_by_page_those_changed_last_first(sessions: sessionmaker[Session]) -> None:
    for number in range(5):
        with transaction(sessions) as session:
            put_customer(session, f"C-{number}", {"fields": {"name": "王小明"}})
    with transaction(sessions) as session:
        heard(session, objecting("r1", 0))  # C-1 changes last
    with transaction(sessions) as session:
        ids, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            page = list_customers(session, TODAY, cursor=cursor, limit=2)
            ids += [item["external_id"] for item in page.items]
            cursor, pages = page.next_cursor, pages + 1
        assert (ids, pages) == (["C-1", "C-4", "C-3", "C-2", "C-0"], 3)
        (spoken,) = list_customers(session, TODAY, tag="objection.price").items
        since = list_customers(session, TODAY, updated_since=customer_changed(session, "C-3")).items
    assert (spoken["external_id"], spoken["name"], spoken["open_objection_count"]) == ("C-1", "王小明", 1)
    assert (spoken["lifecycle"], spoken["last_conversation_at"]) == ("prospect", "2026-11-10T04:00:00Z")
    assert [item["external_id"] for item in since] == ["C-1", "C-4", "C-3"]


def test_customers_who_changed_at_one_moment_are_all_listed_once(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        for number in range(5):
            put_customer(session, f"C-{number}", {})
        session.execute(update(CustomerRow).values(updated_at=NOON))
        ids, cursor = [], None
        for _ in range(3):
            page = list_customers(session, TODAY, cursor=cursor, limit=2)
            ids += [item["external_id"] for item in page.items]
            cursor = page.next_cursor
    assert (sorted(str(one) for one in ids), cursor) == ([f"C-{number}" for number in range(5)], None)


def customer_changed(session: Session, reference: str) -> Any:
    row = session.get(CustomerRow, CustomerStore().find(session, reference))
    assert row is not None
    return row.updated_at


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", "WzFd", "eyJhIjogMX0=", "ß", "WyIyMDI2LTExLTI0VDAwOjAwOjAwWiIsICJcdTAwMDAiXQ=="],
    ids=["empty", "no base64", "too short", "no list", "no ASCII", "no id"],
)
def test_a_cursor_that_is_none_of_ours_is_refused(sessions: sessionmaker[Session], cursor: str) -> None:
    with transaction(sessions) as session, pytest.raises(InvalidInput):
        list_customers(session, TODAY, cursor=cursor)


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 201}, {"tag": "a\0b"}, {"tag": "客户"}])
def test_a_list_cannot_be_asked_for_the_impossible(sessions: sessionmaker[Session], asked: Any) -> None:
    with transaction(sessions) as session, pytest.raises(InvalidInput):
        list_customers(session, TODAY, **asked)
