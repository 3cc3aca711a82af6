"""The tags of one conversation: what they say, what they stand on, and what gives none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profile_calls import NOON, A, C, Call, U

from huaxiang.core.types import FindingKind, Insights, Json, Tag
from huaxiang.profile.tags import tags_from

TURNS = (
    (A, "您好，我是云帆的小何"),
    (C, "你们这个多少钱一年"),
    (A, "标准版九百八"),
    (C, "太贵了吧"),
    (A, "贵是贵，可是省人工"),
    (C, "那行，周四下午三点来演示吧"),
)


def call(**changed: object) -> Call:
    return replace(Call("r1", TURNS), **changed)  # type: ignore[arg-type]


def tags(of: Call) -> dict[str, Tag]:
    """Return the tags of a call by key; one value a key is taken for granted here."""
    found = tags_from(*of.arguments())
    assert len({tag.key for tag in found}) == len(found)
    return {tag.key: tag for tag in found}


def test_an_intent_of_the_customer_is_a_tag_with_its_quote_its_second_and_its_time() -> None:
    (tag,) = tags_from(*call().intent("inquire_price", 1).arguments())
    assert (tag.key, tag.value, tag.confidence, tag.source) == ("intent.inquire_price", True, 0.9, "test @ 1")
    assert tag.observed_at == NOON
    (evidence,) = tag.evidence
    assert (evidence.recording_id, evidence.turn, evidence.start_ms, evidence.end_ms) == ("r1", 1, 1000, 2000)
    assert evidence.quote == TURNS[1][1]


def test_without_a_start_time_the_arrival_counts() -> None:
    of = call(started_at=None).intent("inquire_price", 1)
    assert tags(of)["intent.inquire_price"].observed_at == of.recording.received_at


def test_a_finding_for_review_gives_no_tag() -> None:
    assert not tags(call().found(FindingKind.INTENT, "inquire_price", 1, for_review=True))


def test_what_the_agent_says_says_nothing_about_the_customer() -> None:
    of = call().found(FindingKind.ENTITY, "competitor", 0, "云帆").found(FindingKind.SENTIMENT, "positive", 0)
    assert not tags(of)


def test_a_turn_of_unknown_speaker_counts_as_the_classifier_judged_it() -> None:
    of = Call("r1", [(U, "你们这个多少钱")]).intent("inquire_price", 0, 0.7)
    assert tags(of)["intent.inquire_price"].confidence == 0.7


def test_a_name_from_a_speaker_who_is_only_probable_is_less_sure() -> None:
    of = call(role_confidence=0.5).entity("competitor", 3, "太贵").intent("inquire_price", 1)
    assert tags(of)["competitor"].confidence == pytest.approx(0.45)
    assert tags(of)["intent.inquire_price"].confidence == 0.9  # the classifier weighed the speaker


def test_a_name_from_an_unknown_speaker_says_nothing_about_the_customer() -> None:
    assert not tags(Call("r1", [(U, "排班猫挺好")]).entity("competitor", 0, "排班猫"))


def test_an_intent_of_several_turns_is_one_tag_with_the_strongest_turn_first() -> None:
    of = (
        call().intent("inquire_price", 1, 0.6).intent("inquire_price", 3, 0.8).intent("inquire_price", 5, 0.7)
    )
    tag = tags(of)["intent.inquire_price"]
    assert [evidence.turn for evidence in tag.evidence] == [3, 5, 1]
    assert tag.confidence == pytest.approx(1 - 0.2 * 0.3**0.5 * 0.4**0.25)


def test_the_same_words_found_twice_count_once() -> None:
    of = (
        call()
        .found(FindingKind.ENTITY, "competitor", 3, "太贵")
        .found(FindingKind.COMPETITOR, "x", 3, "太贵")
    )
    tag = tags(of)["competitor"]
    assert (len(tag.evidence), tag.confidence) == (1, 0.9)


def test_an_objection_nobody_answers_is_open() -> None:
    tag = tags(call().objection("price", 3))["objection.price"]
    assert (tag.value, [evidence.turn for evidence in tag.evidence]) == ("open", [3])


def test_an_objection_the_agent_responds_to_is_answered_and_quotes_the_answer() -> None:
    of = call().objection("price", 3).found(FindingKind.ACT, "objection_handling", 4)
    tag = tags(of)["objection.price"]
    assert (tag.value, [evidence.turn for evidence in tag.evidence]) == ("answered", [3, 4])


def test_an_objection_the_customer_drops_by_agreeing_is_answered() -> None:
    tag = tags(call().objection("price", 3).intent("agree_next_step", 5))["objection.price"]
    assert (tag.value, [evidence.turn for evidence in tag.evidence]) == ("answered", [3, 5])


@pytest.mark.parametrize(
    "of",
    [
        call().objection("price", 3).found(FindingKind.ACT, "objection_handling", 2),
        call().objection("price", 3).found(FindingKind.ACT, "objection_handling", 4).intent("reject", 5),
        call().objection("price", 3).found(FindingKind.ACT, "objection_handling", 4).objection("price", 5),
        call().objection("price", 3).found(FindingKind.ACT, "objection_handling", 4, for_review=True),
    ],
    ids=["answered before", "refused after", "raised again", "answer for review"],
)
def test_an_objection_stays_open(of: Call) -> None:
    assert tags(of)["objection.price"].value == "open"


def test_an_answer_after_more_than_four_turns_is_none() -> None:
    turns = [(C, "太贵了"), *[(A, "嗯")] * 4, (A, "贵是贵")]
    of = Call("r1", turns).objection("price", 0)
    assert tags(of.found(FindingKind.ACT, "objection_handling", 5))["objection.price"].value == "open"
    assert tags(of.found(FindingKind.ACT, "objection_handling", 4))["objection.price"].value == "answered"


def test_the_attitude_is_the_one_shown_more_and_less_sure_when_mixed() -> None:
    of = call()
    for turn, label in ((1, "negative"), (3, "negative"), (5, "positive")):
        of.found(FindingKind.SENTIMENT, label, turn, confidence=0.6)
    tag = tags(of)["sentiment"]
    assert (tag.value, {evidence.turn for evidence in tag.evidence}) == ("negative", {1, 3})
    assert tag.confidence == pytest.approx((1 - 0.4 * 0.4**0.5) * 2 / 3)


def test_an_even_attitude_and_a_neutral_one_give_no_tag() -> None:
    of = call().found(FindingKind.SENTIMENT, "negative", 1).found(FindingKind.SENTIMENT, "positive", 3)
    of.found(FindingKind.SENTIMENT, "neutral", 5)
    assert "sentiment" not in tags(of)


@pytest.mark.parametrize(
    ("said", "amount", "budget"),
    [
        ("预算三万左右", "三万", 30000),
        ("预算嘛，硬装十万上下", "十万", 30000),
        ("我们预算就卡在十四万", "十四万", 30000),
        ("超预算三万了", "三万", 30000),
        ("预算不到三万", "三万", None),
        ("预算还没批，那套三万的也行", "三万", None),
        ("总预算十万，你花四万", "四万", None),
        ("太贵了，三万", "三万", None),
    ],
)
def test_an_amount_is_the_budget_where_the_words_before_it_say_so(
    said: str, amount: str, budget: int | None
) -> None:
    of = Call("r1", [(C, said)]).entity("money", 0, amount, 30000)
    found = tags(of).get("budget")
    assert (found.value if found else None) == budget


def test_an_open_amount_is_no_budget() -> None:
    assert "budget" not in tags(Call("r1", [(C, "预算六七万吧")]).entity("money", 0, "六七万"))


def test_products_needs_competitors_and_the_next_step_are_tags_by_what_was_said() -> None:
    of = Call("r1", [(C, "想要全量质检，排班猫我看过，工牌周四演示吧")])
    of.entity("product", 0, "工牌", "智能工牌").entity("competitor", 0, "排班猫")
    of.found(FindingKind.NEED, "need", 0, "全量质检").found(FindingKind.NEXT_STEP, "demo", 0, "周四演示")
    found = {key: tag.value for key, tag in tags(of).items()}
    assert found == {
        "interest.product": "智能工牌",
        "competitor": "排班猫",
        "need": "全量质检",
        "next_step": "demo",
    }


@pytest.mark.parametrize(
    ("label", "value", "agreed"),
    [
        ("demo", {"kind": "demo", "agreed": True}, True),
        ("demo", {"kind": "demo", "agreed": False}, False),
        ("demo", None, True),
        ("none", None, False),
    ],
)
def test_a_next_step_is_a_tag_where_it_was_agreed(label: str, value: Json, agreed: bool) -> None:
    of = call().found(FindingKind.NEXT_STEP, label, 5, value=value)
    assert ("next_step" in tags(of)) == agreed


findings = st.lists(
    st.tuples(
        st.sampled_from(["inquire_price", "reject", "purchase_intent", "agree_next_step"]),
        st.sampled_from([1, 3, 5]),
        st.floats(0.05, 1),
    ),
    max_size=8,
)


@given(
    findings, st.lists(st.tuples(st.sampled_from(["price", "trust"]), st.sampled_from([1, 3, 5])), max_size=4)
)
def test_every_tag_has_evidence_from_its_call_and_the_order_of_findings_plays_no_part(
    intents: list[tuple[str, int, float]], objections: list[tuple[str, int]]
) -> None:
    of = call()
    for label, turn, confidence in intents:
        of.intent(label, turn, confidence)
    for label, turn in objections:
        of.objection(label, turn)
    found = tags_from(*of.arguments())
    quoted = {evidence for finding in of.findings for evidence in finding.evidence}
    assert all(tag.evidence and set(tag.evidence) <= quoted and 0 <= tag.confidence <= 1 for tag in found)
    assert len({(tag.key, tag.value) for tag in found}) == len(found)
    backwards = Insights(tuple(reversed(of.findings)), {})
    assert tags_from(of.recording, of.transcript, backwards) == found
