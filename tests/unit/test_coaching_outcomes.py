"""When a conversation counts as won, lost, open or unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.types import FieldValue, Json, Provenance
from huaxiang.profile.coaching.calls import Outcome
from huaxiang.profile.coaching.outcomes import CrmHistory, Told, outcome

HELD = datetime(2026, 10, 5, 2, 0, tzinfo=UTC)
LONG_AFTER = HELD + timedelta(days=400)
ZONE = ZoneInfo("Asia/Shanghai")


def told(name: str, value: Json, days_after: float = 1, *, present: bool = True) -> Told:
    """Return what the CRM said so many days after the conversation."""
    moment = HELD + timedelta(days=days_after)
    return Told(FieldValue(name, value, Provenance("crm", "CRM-1", moment)), moment, present)


def crm(*said: Told) -> CrmHistory:
    return CrmHistory(Provenance("crm", "CRM-1", HELD + timedelta(days=50)), said)


def day(days_after: int) -> str:
    return (date(2026, 10, 5) + timedelta(days=days_after)).isoformat()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((told("last_purchase_at", day(12)),), (Outcome.WON, "purchase")),
        ((told("last_purchase_at", day(0)),), (Outcome.WON, "purchase")),
        ((told("last_purchase_at", day(30)),), (Outcome.WON, "purchase")),
        ((told("last_purchase_at", day(31)),), (Outcome.LOST, "nothing_in_window")),
        ((told("last_purchase_at", day(-1)),), (Outcome.LOST, "nothing_in_window")),
        ((told("first_purchase_at", day(3)), told("last_purchase_at", day(90))), (Outcome.WON, "purchase")),
        ((told("last_purchase_at", day(4), 5, present=False),), (Outcome.WON, "purchase")),
        ((told("deal_status", "won", 9),), (Outcome.WON, "deal_won")),
        ((told("deal_status", "won", 45), told("deal_closed_at", day(8))), (Outcome.WON, "deal_won")),
        (
            (told("deal_status", "won", 9), told("deal_closed_at", day(60))),
            (Outcome.LOST, "nothing_in_window"),
        ),
        ((told("deal_status", "lost", 9),), (Outcome.LOST, "deal_lost")),
        ((told("churned_at", day(20)),), (Outcome.LOST, "churned")),
        ((told("churned_at", day(20)), told("last_purchase_at", day(2))), (Outcome.WON, "purchase")),
        (
            (told("deal_status", "lost", 3, present=False), told("deal_status", "won", 9)),
            (Outcome.WON, "deal_won"),
        ),
        ((told("deal_status", "open", 3),), (Outcome.OPEN, "deal_open")),
        ((told("deal_status", "open", 3, present=False),), (Outcome.LOST, "nothing_in_window")),
        ((), (Outcome.LOST, "nothing_in_window")),
    ],
)
def test_the_crm_decides_within_the_window(said: tuple[Told, ...], expected: tuple[Outcome, str]) -> None:
    found = outcome(HELD, True, crm(*said), LONG_AFTER, 30, ZONE)
    assert (found.outcome, found.reason) == expected
    assert found.provenance is not None
    assert found.provenance.source == "crm"


def test_nothing_is_lost_while_the_window_is_open() -> None:
    last_day = datetime(2026, 11, 4, 15, 59, tzinfo=UTC)  # 23:59 of the thirtieth day in Shanghai
    assert outcome(HELD, True, crm(), last_day, 30, ZONE).outcome is Outcome.OPEN
    assert outcome(HELD, True, crm(), last_day + timedelta(minutes=1), 30, ZONE).outcome is Outcome.LOST


def test_who_is_no_customer_or_not_in_the_crm_has_no_outcome() -> None:
    assert outcome(HELD, False, None, LONG_AFTER).reason == "no_customer"
    assert outcome(HELD, True, None, LONG_AFTER).reason == "not_in_crm"
    assert outcome(HELD, True, None, LONG_AFTER).outcome is Outcome.UNKNOWN


def test_the_day_is_that_of_the_zone() -> None:
    late = datetime(2026, 10, 5, 17, 0, tzinfo=UTC)  # the sixth already in Shanghai
    bought = crm(told("last_purchase_at", day(0)))
    assert outcome(late, True, bought, LONG_AFTER, 30, ZONE).outcome is Outcome.LOST
    assert outcome(late, True, bought, LONG_AFTER, 30, UTC).outcome is Outcome.WON


@given(st.integers(-40, 80), st.integers(0, 60))
def test_a_longer_window_never_unmakes_a_sale(days_after: int, window: int) -> None:
    bought = crm(told("last_purchase_at", day(days_after)))
    if outcome(HELD, True, bought, LONG_AFTER, window, ZONE).outcome is Outcome.WON:
        assert outcome(HELD, True, bought, LONG_AFTER, window + 7, ZONE).outcome is Outcome.WON
