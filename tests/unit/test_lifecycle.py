"""The lifecycle stage follows from purchases, contacts and what was said, and says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.types import Evidence, FieldValue, Json, Provenance, Tag
from huaxiang.profile.catalogue import load_catalogue
from huaxiang.profile.lifecycle import Facts, Lifecycle, Stage, lifecycle

TODAY = datetime(2026, 11, 24, tzinfo=UTC)
RULES = load_catalogue().lifecycle


def ago(days: float) -> datetime:
    return TODAY - timedelta(days=days)


def day(days: int) -> str:
    return ago(days).date().isoformat()


def judged(
    fields: dict[str, Json] | None = None,
    contacts: dict[str, float] | None = None,
    said: list[tuple[str, str, int]] | None = None,
    counts: list[tuple[float, int]] | None = None,
) -> Lifecycle:
    """Judge a customer by CRM fields, contacts (days ago by recording) and tags (recording, key, turn)."""
    contacts = contacts or {}
    told = {
        name: FieldValue(name, value, Provenance("crm", "C-1", ago(3)))
        for name, value in (fields or {}).items()
    }
    tags: dict[str, list[Tag]] = {}
    for recording, key, turn in said or []:
        evidence = Evidence(recording, turn, 0, 1, 0, 1, "好")
        tags.setdefault(recording, []).append(
            Tag(key, True, 0.9, "t @ 1", ago(contacts[recording]), (evidence,))
        )
    facts = Facts(
        told,
        [(ago(days), count) for days, count in counts or []],
        {recording: ago(days) for recording, days in contacts.items()},
        tags,
    )
    return lifecycle(facts, TODAY, RULES)


def test_somebody_of_whom_nothing_is_known_is_a_prospect() -> None:
    assert judged() == Lifecycle(Stage.PROSPECT, None, ())


def test_somebody_spoken_to_who_never_bought_is_a_prospect_since_the_first_contact() -> None:
    found = judged(contacts={"r1": 40, "r2": 5}, said=[("r2", "intent.purchase_intent", 3)])
    assert (found.stage, found.since) == (Stage.PROSPECT, ago(40))
    assert [(reason.code, reason.provenance.source_id) for reason in found.reasons] == [
        ("last_contact", "r2"),
        ("interest", "r2"),
    ]
    assert found.reasons[1].provenance.evidence[0].turn == 3


def test_a_prospect_who_refuses_is_lost_with_the_words_as_reason() -> None:
    found = judged(contacts={"r1": 5}, said=[("r1", "intent.reject", 7)])
    assert (found.stage, found.since) == (Stage.LOST, ago(5))
    assert [reason.code for reason in found.reasons] == ["rejected"]
    assert found.reasons[0].provenance.evidence[0].turn == 7


@pytest.mark.parametrize(
    "said",
    [
        [("r1", "intent.reject", 1), ("r2", "intent.agree_next_step", 0)],
        [("r2", "intent.reject", 1), ("r2", "intent.request_demo", 4)],
    ],
    ids=["in a later call", "later in the call"],
)
def test_interest_after_a_refusal_makes_a_prospect_again(said: list[tuple[str, str, int]]) -> None:
    assert judged(contacts={"r1": 9, "r2": 5}, said=said).stage is Stage.PROSPECT


@pytest.mark.parametrize(("days", "stage"), [(179, Stage.PROSPECT), (180, Stage.DORMANT), (365, Stage.LOST)])
def test_a_prospect_falls_asleep_and_is_lost_with_silence(days: int, stage: Stage) -> None:
    assert judged(contacts={"r1": days}).stage is stage


@pytest.mark.parametrize(
    ("fields", "stage"),
    [
        ({"purchase_count": 1, "first_purchase_at": day(10), "last_purchase_at": day(10)}, Stage.NEW),
        ({"last_purchase_at": day(10)}, Stage.NEW),
        ({"purchase_count": 1, "first_purchase_at": day(90)}, Stage.ACTIVE),
        ({"purchase_count": 2, "first_purchase_at": day(20), "last_purchase_at": day(10)}, Stage.ACTIVE),
        ({"purchase_count": 3, "last_purchase_at": day(100)}, Stage.LOYAL),
        ({"purchase_count": 9, "last_purchase_at": day(180)}, Stage.DORMANT),
        ({"purchase_count": 9, "last_purchase_at": day(365)}, Stage.LOST),
        ({"purchase_count": 1, "last_purchase_at": day(10), "churned_at": day(5)}, Stage.LOST),
        ({"purchase_count": 2, "last_purchase_at": day(5), "churned_at": day(50)}, Stage.ACTIVE),
        ({"purchase_count": 4}, Stage.LOYAL),
        ({"purchase_count": 0}, Stage.PROSPECT),
        ({"last_purchase_at": day(-30)}, Stage.PROSPECT),
    ],
)
def test_a_buyer_goes_through_the_stages_by_purchases_and_time(fields: dict[str, Json], stage: Stage) -> None:
    assert judged(fields).stage is stage


def test_a_friendly_contact_keeps_a_buyer_awake_and_a_refusal_does_not() -> None:
    bought: dict[str, Json] = {"purchase_count": 2, "last_purchase_at": day(200)}
    assert judged(bought, {"r1": 20}).stage is Stage.ACTIVE
    assert judged(bought, {"r1": 20}, [("r1", "intent.reject", 0)]).stage is Stage.DORMANT


def test_a_stage_is_dated_by_what_made_it() -> None:
    loyal = judged(
        {"purchase_count": 4, "last_purchase_at": day(10)},
        counts=[(300, 1), (200, 3), (150, 2), (100, 3), (20, 4)],
    )
    assert (loyal.stage, loyal.since) == (Stage.LOYAL, ago(100))
    dormant = judged({"last_purchase_at": day(200)})
    assert (dormant.stage, dormant.since) == (Stage.DORMANT, ago(20))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "purchase_count": st.integers(0, 6),
            "first_purchase_at": st.integers(0, 500).map(day),
            "last_purchase_at": st.integers(0, 500).map(day),
            "churned_at": st.integers(0, 500).map(day),
        },
    ),
    st.dictionaries(st.sampled_from(["r1", "r2", "r3"]), st.integers(0, 500)),
)
def test_every_stage_but_the_first_has_reasons_and_began_in_the_past(
    fields: dict[str, Json], contacts: dict[str, float]
) -> None:
    found = judged(fields, contacts)
    assert found.reasons or found.stage is Stage.PROSPECT
    assert found.since is None or found.since <= TODAY
