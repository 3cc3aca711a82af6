"""Customers are found by CRM id or phone, made once, and never joined by accident, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import transaction
from huaxiang.core.errors import InvalidField, InvalidInput, NotFound
from huaxiang.profile.customers import CustomerStore, Resolution
from huaxiang.profile.tables import CustomerRow, IdentityRow

PHONE, OTHER_PHONE = "+8613800138000", "+8613900139000"


@pytest.fixture
def store() -> CustomerStore:
    return CustomerStore()


def count(session: Session, table: type[CustomerRow] | type[IdentityRow]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def version(session: Session, customer_id: str) -> int:
    return session.scalar(select(CustomerRow.version).where(CustomerRow.id == customer_id)) or 0


def test_whoever_is_unknown_is_made_and_then_found_by_either_identity(
    sessions: sessionmaker[Session], store: CustomerStore
) -> None:
    with transaction(sessions) as session:
        made = store.resolve(session, crm_id=" C-1 ", phone="138 0013 8000", source="test")
    with transaction(sessions) as session:
        assert made.created
        assert store.resolve(session, crm_id="C-1", source="test") == Resolution(made.customer_id)
        assert store.resolve(session, phone="+86 13800138000", source="test") == Resolution(made.customer_id)
        assert [store.find(session, by) for by in ("C-1", "13800138000", made.customer_id)] == [
            made.customer_id
        ] * 3
        assert [(i.kind, i.value) for i in store.identities(session, [made.customer_id])] == [
            ("crm_id", "C-1"),
            ("phone", PHONE),
        ]


def test_the_new_one_of_two_identities_is_linked_to_the_known_one(
    sessions: sessionmaker[Session], store: CustomerStore
) -> None:
    with transaction(sessions) as session:
        by_phone = store.resolve(session, phone=PHONE, source="recording")
        linked = store.resolve(session, crm_id="C-1", phone=PHONE, source="crm")
        more = store.resolve(session, crm_id="C-1", phone=OTHER_PHONE, source="crm")
        assert linked.customer_id == more.customer_id == by_phone.customer_id
        assert (linked.created, linked.changed, more.changed) == (False, True, True)
        assert (count(session, CustomerRow), count(session, IdentityRow)) == (1, 3)
        assert version(session, by_phone.customer_id) == 3


def test_identities_of_two_customers_are_a_conflict_that_joins_and_loses_nothing(
    sessions: sessionmaker[Session], store: CustomerStore
) -> None:
    with transaction(sessions) as session:
        by_phone = store.resolve(session, phone=PHONE, source="recording")
        by_crm = store.resolve(session, crm_id="C-1", source="crm")
        both = store.resolve(session, crm_id="C-1", phone=PHONE, source="crm")
        again = store.resolve(session, crm_id="C-1", phone=PHONE, source="crm")
        assert both.customer_id == by_crm.customer_id
        assert both.conflict is not None
        assert (both.conflict.other_customer_id, both.conflict.value) == (by_phone.customer_id, PHONE)
        assert (both.changed, again.changed, again.conflict) == (True, False, both.conflict)
        assert store.find(session, PHONE) == by_phone.customer_id
        for customer in (by_phone, by_crm):
            assert store.conflicts(session, customer.customer_id) == [both.conflict]


def test_two_crm_ids_with_one_phone_are_two_customers_in_conflict(
    sessions: sessionmaker[Session], store: CustomerStore
) -> None:
    with transaction(sessions) as session:
        first = store.resolve(session, crm_id="C-1", phone=PHONE, source="crm")
        second = store.resolve(session, crm_id="C-2", phone=PHONE, source="crm")
        assert second.created
        assert second.customer_id != first.customer_id
        assert second.conflict is not None
        assert store.find(session, PHONE) == first.customer_id


def test_a_reference_is_a_crm_id_that_is_known_before_it_is_a_phone(
    sessions: sessionmaker[Session], store: CustomerStore
) -> None:
    with transaction(sessions) as session:
        as_phone = store.resolve_reference(session, "13900139000", "recording")
        assert store.resolve(session, phone=OTHER_PHONE, source="test").customer_id == as_phone.customer_id
        as_crm_id = store.resolve(session, crm_id="13800138000", source="crm")
        assert store.resolve_reference(session, "13800138000", "recording") == Resolution(
            as_crm_id.customer_id
        )


def test_what_identifies_nobody_is_refused(sessions: sessionmaker[Session], store: CustomerStore) -> None:
    with transaction(sessions) as session:
        with pytest.raises(InvalidField, match="phone"):
            store.resolve(session, phone="12", source="test")
        with pytest.raises(InvalidInput):
            store.resolve(session, source="test")
        for unknown in ("C-404", "", "a\0b"):
            with pytest.raises(NotFound):
                store.find(session, unknown)
        assert count(session, CustomerRow) == 0


def test_many_who_meet_a_new_customer_at_once_make_one(
    sessions: sessionmaker[Session], store: CustomerStore
) -> None:
    workers = 6
    ready = Barrier(workers)

    def meet(number: int) -> str:
        identities = ({"crm_id": "C-1", "phone": PHONE}, {"crm_id": "C-1"}, {"phone": PHONE})[number % 3]
        ready.wait()
        with transaction(sessions) as session:
            return store.resolve(session, source="test", **identities).customer_id

    with ThreadPoolExecutor(workers) as pool:
        found = set(pool.map(meet, range(workers)))
    with transaction(sessions) as session:
        owners = set(session.scalars(select(IdentityRow.customer_id)))
        assert {store.find(session, "C-1"), store.find(session, PHONE)} == owners
        assert count(session, CustomerRow) == len(owners)
        assert found == owners
        if len(owners) == 2:  # the id and the phone were each met alone first: then that is known
            assert store.conflicts(session, store.find(session, "C-1"))
