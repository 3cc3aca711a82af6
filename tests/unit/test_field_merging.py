"""The merge rules: which of several values wins, and that nothing is lost with the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.types import Evidence, FieldValue, Json, Provenance
from huaxiang.profile.catalogue import FieldDefinition, MergeRule, load_catalogue
from huaxiang.profile.confidence import combined, faded
from huaxiang.profile.rules import contradicted, merge_field

TODAY = datetime(2026, 11, 24, tzinfo=UTC)
FIELD_OF = {
    MergeRule.CRM_WINS: "company",
    MergeRule.LATEST: "city",
    MergeRule.MOST_CONFIDENT: "addressed_as",
    MergeRule.UNION: "competitor_used",
}


def definition(rule: MergeRule) -> FieldDefinition:
    return load_catalogue().field(FIELD_OF[rule])


def value(source: str, told: Json, days_ago: float = 0, confidence: float = 1.0, of: str = "") -> FieldValue:
    source_id = of or f"{source}-1"
    evidence = (Evidence(source_id, 0, 0, 1, 0, 9, "王"),) if source == "conversation" else ()
    moment = TODAY - timedelta(days=days_ago)
    return FieldValue("f", told, Provenance(source, source_id, moment, confidence, evidence))


def winner(rule: MergeRule, *values: FieldValue) -> FieldValue:
    merged = merge_field(definition(rule), values, TODAY)
    assert merged is not None
    return merged


def test_nothing_known_is_no_field() -> None:
    assert merge_field(definition(MergeRule.LATEST), [], TODAY) is None


def test_the_crm_wins_over_what_was_heard_later_and_the_contradiction_stays_visible() -> None:
    merged = winner(MergeRule.CRM_WINS, value("crm", "甲", 90), value("conversation", "乙", 1))
    assert merged.value == "甲"
    assert [other.value for other in merged.others] == ["乙"]
    assert contradicted(merged, MergeRule.CRM_WINS)


def test_what_was_heard_holds_while_the_crm_is_silent() -> None:
    merged = winner(
        MergeRule.CRM_WINS, value("conversation", "乙", 9), value("conversation", "丙", 1, of="r2")
    )
    assert merged.value == "丙"
    assert not contradicted(merged, MergeRule.CRM_WINS)  # two conversations differ, no source does


def test_agreement_is_no_contradiction() -> None:
    assert not contradicted(
        winner(MergeRule.CRM_WINS, value("crm", "甲"), value("conversation", "甲")), MergeRule.CRM_WINS
    )


def test_the_latest_wins_whoever_said_it() -> None:
    assert winner(MergeRule.LATEST, value("crm", "甲", 90), value("conversation", "乙", 1)).value == "乙"


def test_two_who_agree_outweigh_one_who_is_surer() -> None:
    merged = winner(
        MergeRule.MOST_CONFIDENT,
        value("conversation", "王总", 1, 0.7, of="r1"),
        value("conversation", "王总", 2, 0.7, of="r2"),
        value("conversation", "黄总", 0, 0.8, of="r3"),
    )
    assert merged.value == "王总"
    assert 0.7 < merged.provenance.confidence < 1


def test_support_fades_with_age() -> None:
    old, young = value("crm", "王经理", 800), value("conversation", "王总", 1, 0.6)
    assert winner(MergeRule.MOST_CONFIDENT, old, young).value == "王总"


def test_a_union_has_every_value_once_and_each_with_its_own_provenance() -> None:
    merged = winner(
        MergeRule.UNION,
        value("crm", ["甲", "乙"], 5),
        value("conversation", "乙", 1),
        value("conversation", "丙", 9),
    )
    assert merged.value == ["乙", "甲", "丙"]
    assert [(member.value, member.provenance.source) for member in merged.others] == [
        ("乙", "conversation"),
        ("甲", "crm"),
        ("乙", "crm"),
        ("丙", "conversation"),
    ]
    assert not contradicted(merged, MergeRule.UNION)


observations = st.lists(
    st.builds(
        value,
        st.sampled_from(["crm", "conversation", "event"]),
        st.sampled_from(["甲", "乙", "丙"]),
        st.integers(0, 500),
        st.sampled_from([0.3, 0.6, 0.9, 1.0]),
        st.sampled_from(["a", "b", "c", "d"]),
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda v: (v.provenance.source, v.provenance.source_id),
)


@given(
    st.sampled_from(list(MergeRule)),
    observations.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))),
)
def test_the_order_of_observations_plays_no_part(
    rule: MergeRule, orders: tuple[list[FieldValue], list[FieldValue]]
) -> None:
    assert winner(rule, *orders[0]) == winner(rule, *orders[1])


@given(st.sampled_from(list(MergeRule)), observations)
def test_no_observation_is_lost(rule: MergeRule, some: list[FieldValue]) -> None:
    merged = winner(rule, *some)
    kept = {(other.provenance.source, other.provenance.source_id) for other in merged.others}
    kept.add((merged.provenance.source, merged.provenance.source_id))
    assert kept == {(one.provenance.source, one.provenance.source_id) for one in some}


@given(st.sampled_from([MergeRule.CRM_WINS, MergeRule.LATEST, MergeRule.MOST_CONFIDENT]), observations)
def test_a_value_that_loses_does_not_change_who_wins_when_it_goes(
    rule: MergeRule, some: list[FieldValue]
) -> None:
    merged = winner(rule, *some)
    remaining = [one for one in some if one.value == merged.value]
    assert winner(rule, *remaining).value == merged.value


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_combined_confidence_lies_between_the_strongest_and_the_noisy_or(ps: list[float]) -> None:
    noisy_or = 1.0
    for p in ps:
        noisy_or *= 1 - p
    assert max(ps) - 1e-9 <= combined(ps) <= 1 - noisy_or + 1e-9
    assert combined(ps) == combined(reversed(ps))


def test_confidence_halves_with_each_half_life_and_never_grows() -> None:
    then = TODAY - timedelta(days=60)
    assert faded(0.8, then, TODAY, 60) == pytest.approx(0.4)
    assert faded(0.8, then, TODAY, 30) == pytest.approx(0.2)
    assert faded(0.8, TODAY + timedelta(days=1), TODAY, 30) == 0.8
