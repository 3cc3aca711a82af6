"""What the pages of review show of a case: outcomes apart, points, and a history that can be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from invented_call import invented_scorecard, invented_transcript

from huaxiang.console.present_case_history import history
from huaxiang.console.present_review import Said, needs_reason, plain_case, review_items
from huaxiang.console.texts import texts
from huaxiang.quality.review.case import Judged
from huaxiang.quality.review.final_score import FinalItem
from huaxiang.quality.review.outcomes import Act, ActKind, Actor, CaseState, Outcome

ZH, EN = texts("zh"), texts("en")
ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
MEI = Actor("user:1", "mei")
CARD = invented_scorecard(invented_transcript("r"))
SCORED = {item.id: item for item in CARD.items}
CASE = plain_case(CARD, "he.yun", NOON)


def judged(sequence: int, item: str, outcome: Outcome, reason: str = "") -> Act:
    return Act(sequence, ActKind.JUDGED, MEI, NOON, item, outcome, reason)


def test_an_item_plays_its_quotes_or_the_window_that_was_searched() -> None:
    items = {item.id: item for item in review_items(CASE, SCORED, {}, None, ZH, ZONE)}
    assert [quote for _, quote in items["greeting"].clips] == ["您好"]
    assert items["greeting"].window is None
    assert (items["greeting"].turns, items["greeting"].points) == ((0,), "10/10")
    assert items["need_discovery"].clips == ()
    assert items["need_discovery"].window is not None
    assert items["need_discovery"].for_review
    assert items["pressure"].points == ""  # it can only take points
    gone = review_items(CASE, {}, {}, None, ZH, ZONE)[0]
    assert (gone.clips, gone.window, gone.title) == ((), None, "问候")


def test_the_choice_that_confirms_is_marked_and_none_is_made_beforehand() -> None:
    for item in review_items(CASE, SCORED, {}, None, ZH, ZONE):
        assert [choice.key for choice in item.choices] == ["1", "2", "3"]
        assert [choice.value for choice in item.choices if choice.is_before] == [item.before]
        assert not any(choice.checked for choice in item.choices)


def test_after_the_last_word_the_item_shows_what_holds() -> None:
    first = CASE.items[0]
    said = Judged(Outcome.FAILED, MEI, NOON, "没说", 2)
    settled = replace(
        CASE,
        state=CaseState.FINAL,
        items=(
            replace(first, reviewed=said, settled=replace(said, outcome=Outcome.PASSED)),
            *CASE.items[1:],
        ),
    )
    shown = review_items(settled, SCORED, {}, None, EN, ZONE)[0]
    assert (shown.before, shown.mark) == ("passed", "✓")
    assert [stage.name for stage in shown.stages] == ["Automatic", "Reviewed", "Settled"]
    assert [stage.outcome for stage in shown.stages] == ["passed", "failed", "passed"]


def test_the_points_are_those_of_the_outcome_that_holds() -> None:
    first = CASE.items[0]
    failed = Judged(Outcome.FAILED, MEI, NOON, "没说", 2)
    reviewed = replace(
        CASE, state=CaseState.REVIEWED, items=(replace(first, reviewed=failed), *CASE.items[1:])
    )
    automatic = FinalItem("greeting", "问候", Outcome.PASSED, 10.0, None, None, Outcome.PASSED, 10.0)
    changed = replace(
        automatic, reviewed=Outcome.FAILED, reviewed_points=0.0, final=Outcome.FAILED, final_points=0.0
    )
    assert review_items(CASE, SCORED, {"greeting": automatic}, None, ZH, ZONE)[0].points == "10/10"
    assert review_items(reviewed, SCORED, {"greeting": changed}, None, ZH, ZONE)[0].points == "0/10"
    waived = replace(
        reviewed, items=(replace(first, reviewed=replace(failed, outcome=Outcome.NOT_APPLICABLE)),)
    )
    assert review_items(waived, SCORED, {}, None, ZH, ZONE)[0].points == ""


@pytest.mark.parametrize(
    ("said", "wrong"),
    [(Said("failed"), True), (Said("failed", " "), True), (Said("failed", "没说"), False),
     (Said("passed"), False), (Said(), False)],
)  # fmt: skip
def test_a_reason_is_missing_where_an_outcome_is_changed_without_one(said: Said, wrong: bool) -> None:
    assert needs_reason(said, Outcome.PASSED) is wrong
    assert review_items(CASE, SCORED, {}, {"greeting": said}, ZH, ZONE)[0].wrong is wrong


def test_what_was_confirmed_in_one_go_is_one_row_of_the_history() -> None:
    acts = [
        judged(2, "greeting", Outcome.FAILED, "没说"),
        judged(3, "self_intro", Outcome.PASSED),
        judged(4, "permission", Outcome.PASSED),
        judged(5, "objection_handled", Outcome.NOT_APPLICABLE),
        Act(6, ActKind.REVIEWED, MEI, NOON),
    ]
    titles = {
        "greeting": "问候",
        "self_intro": "自报身份",
        "permission": "征得同意",
        "objection_handled": "异议",
    }
    told = [(event.what, event.detail) for event in history(acts, titles, ZH, ZONE)]
    assert told == [
        ("提交复核", ""),
        ("判定 自报身份、征得同意 → 通过 · 异议 → 不适用", ""),
        ("判定 问候 → 未通过", "没说"),
    ]
