"""The scorecards that ship: sound, with examples, and given to the conversations they are meant for."""

from __future__ import annotations

import pytest

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Json, Role, Transcript, Turn
from huaxiang.quality.check import example_count
from huaxiang.quality.definition import Item, ScorecardDefinition, Scoring
from huaxiang.quality.heard import Told
from huaxiang.quality.inspection import ScorecardInspection
from huaxiang.quality.loader import parse, shipped_scorecards, shipped_texts

SHIPPED = shipped_scorecards()
ITEMS = [pytest.param(item, id=f"{one.id}-{item.id}") for one in SHIPPED for item in one.items]


def test_no_shipped_file_has_a_mistake() -> None:
    assert {name: parse(text).mistakes for name, text in shipped_texts().items()} == dict.fromkeys(
        shipped_texts(), ()
    )


def test_phone_showroom_meeting_and_finance_are_there() -> None:
    assert {one.id for one in SHIPPED} == {
        "general-sales",
        "phone-sales",
        "showroom-sales",
        "meeting-sales",
        "finance-compliance",
    }
    assert sum(example_count(one) for one in SHIPPED) > 100


@pytest.mark.parametrize("item", ITEMS)
def test_each_item_has_an_example_that_holds_and_one_that_does_not(item: Item) -> None:
    expected = {example.holds for example in item.examples}
    assert {True, False} <= expected


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda one: one.id)
def test_the_points_that_a_scorecard_gives_add_up_to_one_hundred(definition: ScorecardDefinition) -> None:
    earned = sum(item.points for item in definition.items if item.counts_as is Scoring.EARN)
    assert earned == 100
    assert definition.thresholds
    assert all(item.title_zh and item.title_en for item in definition.items)


def test_item_ids_mean_one_thing_over_all_shipped_scorecards() -> None:
    ids = [item.id for one in SHIPPED for item in one.items]
    assert len(ids) == len(set(ids))


def given_to(text: str, **told: Json) -> list[str]:
    turns = (
        Turn(0, Role.AGENT, 0, 0, text, text),
        Turn(1, Role.CUSTOMER, 0, 0, "嗯，我听听。", "嗯，我听听。"),
    )
    transcript = Transcript("call", turns, 0, timed=False)
    pitch = Finding(FindingKind.ACT, "pitch", 0.9, "test @ 1", (quote(transcript, 0),))
    found = ScorecardInspection().inspect(transcript, Insights((pitch,), {}), Told(told))
    return [one.definition.split(" @ ")[0] for one in found]


def test_the_general_scorecard_is_first_and_the_others_follow_setting_and_subject() -> None:
    plain, finance = "我们的系统能记下每个客户。", "这款基金近三年年化六个点。"
    assert given_to(plain) == ["general-sales"]
    assert given_to(plain, setting="phone") == ["general-sales", "phone-sales"]
    assert given_to(plain, setting="onsite") == ["general-sales", "showroom-sales"]
    assert given_to(finance, setting="meeting") == ["general-sales", "finance-compliance", "meeting-sales"]
    # Any trade insures its goods: that word alone is no sale of finance.
    assert given_to("车辆交付时送一年保险。", setting="onsite") == ["general-sales", "showroom-sales"]
