"""What a CRM puts about a customer: idempotent, dated, clearing, and refused with the field's name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidField, InvalidInput
from huaxiang.core.types import Customer, Json
from huaxiang.profile.crm import put_customer
from huaxiang.profile.customers import CustomerStore
from huaxiang.profile.tables import CustomerRow, FieldValueRow
from huaxiang.profile.values import time_text


def put(sessions: sessionmaker[Session], document: Mapping[str, Json], external_id: str = "C-1") -> Customer:
    with transaction(sessions) as session:
        return put_customer(session, external_id, document)


def values(customer: Customer) -> dict[str, Json]:
    return {field.name: field.value for field in customer.fields}


def version(sessions: sessionmaker[Session]) -> int:
    with transaction(sessions) as session:
        return session.scalars(select(CustomerRow.version)).one()


def history(sessions: sessionmaker[Session], name: str) -> list[Json]:
    with transaction(sessions) as session:
        rows = session.scalars(
            select(FieldValueRow).where(FieldValueRow.name == name).order_by(FieldValueRow.observed_at)
        )
        return [row.value for row in rows]


def test_fields_are_kept_in_their_form_with_their_source_and_time(sessions: sessionmaker[Session]) -> None:
    customer = put(
        sessions,
        {
            "fields": {
                "name": "王小明",
                "sex": "男",
                "total_spent_yuan": "1,200.50",
                "city": {"value": "上海", "observed_at": "2026-11-01T09:00:00+08:00"},
                "门店编号": "SH-07",
            },
            "phones": ["138 0013 8000"],
            "observed_at": "2026-11-02T00:00:00Z",
        },
    )
    assert (customer.external_id, customer.phones) == ("C-1", ("+8613800138000",))
    assert values(customer) == {
        "name": "王小明",
        "sex": "male",
        "total_spent_yuan": 1200.5,
        "city": "上海",
        "custom.门店编号": "SH-07",
    }
    told = {field.name: field.provenance for field in customer.fields}
    assert {(one.source, one.source_id) for one in told.values()} == {("crm", "C-1")}
    assert time_text(told["city"].observed_at) == "2026-11-01T01:00:00Z"
    assert time_text(told["name"].observed_at) == "2026-11-02T00:00:00Z"


@pytest.mark.parametrize(
    "document",
    [
        {"fields": {"city": "上海", "age": 35}, "phones": ["13800138000"]},
        {"fields": {"city": "上海", "phone": "13800138000"}, "observed_at": "2026-11-02T00:00:00Z"},
        {"fields": {"city": None}},
        {},
    ],
    ids=["as of now", "dated", "a clear of nothing", "empty"],
)
def test_the_same_document_twice_changes_nothing(
    sessions: sessionmaker[Session], document: Mapping[str, Json]
) -> None:
    first = put(sessions, document)
    counted = version(sessions)
    assert put(sessions, document) == first
    assert version(sessions) == counted


def test_an_absent_field_is_left_alone_and_null_or_empty_clears_it_but_not_its_history(
    sessions: sessionmaker[Session],
) -> None:
    put(sessions, {"fields": {"city": "上海", "company": "甲公司", "age": 35}})
    customer = put(sessions, {"fields": {"city": None, "company": " "}})
    assert values(customer) == {"age": 35}
    assert history(sessions, "city") == ["上海", None]
    assert values(put(sessions, {"fields": {"city": "杭州"}})) == {"age": 35, "city": "杭州"}
    assert history(sessions, "city") == ["上海", None, "杭州"]


def test_an_older_document_that_arrives_late_does_not_undo_a_newer_one(
    sessions: sessionmaker[Session],
) -> None:
    put(sessions, {"fields": {"city": "杭州"}, "observed_at": "2026-11-02T00:00:00Z"})
    late = put(sessions, {"fields": {"city": "上海"}, "observed_at": "2026-11-01T00:00:00Z"})
    assert values(late) == {"city": "杭州"}
    assert history(sessions, "city") == ["上海", "杭州"]


def test_the_longest_names_and_values_fit(sessions: sessionmaker[Session]) -> None:
    longest: dict[str, Json] = {"门" * 57: "x" * 1000, "address": "路" * 1000, "name": "王" * 1000}
    customer = put(sessions, {"fields": longest, "phones": ["13800138000"]}, "号" * 200)
    assert customer.external_id == "号" * 200
    assert len(values(customer)) == 3


def test_the_phone_of_a_document_finds_the_customer_that_a_recording_made(
    sessions: sessionmaker[Session],
) -> None:
    with transaction(sessions) as session:
        made = CustomerStore().resolve_reference(session, "13800138000", "recording:r1")
    assert put(sessions, {"fields": {"phone": "+86 138-0013-8000"}}).id == made.customer_id


def test_a_phone_of_another_customer_is_a_conflict_and_moves_nothing(sessions: sessionmaker[Session]) -> None:
    first = put(sessions, {"phones": ["13800138000"]})
    second = put(sessions, {"phones": ["13800138000", "13900139000"]}, "C-2")
    assert (first.phones, second.phones) == (("+8613800138000",), ("+8613900139000",))
    with transaction(sessions) as session:
        (conflict,) = CustomerStore().conflicts(session, first.id)
    assert (conflict.customer_id, conflict.other_customer_id) == (second.id, first.id)


def test_a_document_with_a_wrong_field_writes_nothing(sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        with pytest.raises(InvalidField):
            put_customer(session, "C-1", {"fields": {"city": "上海", "age": "old"}})
        with pytest.raises(InvalidInput):
            put_customer(session, "C\n1", {"fields": {"city": "上海"}})
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(CustomerRow)) == 0
