"""What the recording page shows of scorecards."""

from __future__ import annotations

from dataclasses import replace

from invented_call import invented_scorecard, invented_transcript

from huaxiang.console.present_scorecard import ScorecardView, scorecard_views
from huaxiang.console.texts import Texts, texts
from huaxiang.core.evidence import quote
from huaxiang.core.types import Scorecard, ScorecardItem, ScorecardSection
from huaxiang.quality.review.final_score import FinalScore, automatic_score
from huaxiang.quality.review.outcomes import CaseState, Outcome

ZH, EN = texts("zh"), texts("en")
TRANSCRIPT = invented_transcript("r")
CARD = invented_scorecard(TRANSCRIPT)


def scorecard_view(card: Scorecard, text: Texts, final: FinalScore | None = None) -> ScorecardView:
    (view,) = scorecard_views([card], text, {card.definition: final} if final else None)
    return view


def test_a_scorecard_shows_evidence_or_the_window_searched() -> None:
    view = scorecard_view(CARD, ZH)
    by_id = {item.id: item for item in view.items}
    assert (view.score, view.possible, view.share, view.auto_failed) == ("55", "80", 69, True)
    assert by_id["greeting"].state == "passed"
    assert by_id["greeting"].clips
    assert by_id["need_discovery"].window is not None
    assert not by_id["need_discovery"].clips
    assert by_id["need_discovery"].for_review
    assert (by_id["objection_handled"].state, by_id["objection_handled"].points) == ("na", "–")


def test_a_scorecard_where_nothing_applied_has_no_share() -> None:
    assert scorecard_view(replace(CARD, score=0, possible=0), ZH).share is None


def test_a_share_stays_between_nothing_and_all_where_points_are_taken_away() -> None:
    assert scorecard_view(replace(CARD, score=-20), ZH).share == 0
    assert scorecard_view(replace(CARD, score=120), ZH).share == 100


def test_titles_and_reasons_are_in_the_page_s_language() -> None:
    item = ScorecardItem(
        "pace",
        "语速适中",
        None,
        0,
        0,
        reason="speech_rate was not measured",
        title_en="Calm pace",
        reason_code="metric_missing",
        reason_detail="speech_rate.agent",
    )
    card = Scorecard("phone @ 2", 0, 0, (item,), title="电话销售", title_en="Phone sales")
    zh, en = scorecard_view(card, ZH), scorecard_view(card, EN)
    assert (zh.title, zh.items[0].title, zh.items[0].reason) == (
        "电话销售",
        "语速适中",
        "没有测得指标 语速",
    )
    assert (en.title, en.items[0].title, en.items[0].reason) == (
        "Phone sales",
        "Calm pace",
        "Speech rate was not measured",
    )


def test_a_reason_without_a_known_code_is_shown_as_it_is() -> None:
    items = (ScorecardItem("x", "x", None, 0, 0, reason="no lexicon", reason_code="brand_new"),)
    assert scorecard_view(replace(CARD, items=items), ZH).items[0].reason == "no lexicon"


def test_items_stand_in_their_sections_with_what_each_came_to() -> None:
    first, second = (replace(item, section=name) for item, name in zip(CARD.items, "ab", strict=False))
    sections = (ScorecardSection("a", "开场", "Opening", 10, 10), ScorecardSection("b", "结束", "End", 0, 0))
    view = scorecard_view(replace(CARD, items=(first, second), sections=sections), ZH)
    shown = [(part.title, part.score, [item.id for item in part.items]) for part in view.sections]
    assert shown == [("开场", "10/10", [first.id]), ("结束", "–", [second.id])]


def test_several_scorecards_keep_their_items_anchors_apart() -> None:
    views = scorecard_views([CARD, replace(CARD, definition="finance @ 1")], ZH)
    anchors = [item.anchor for view in views for item in view.items]
    assert len(anchors) == len(set(anchors)) == 2 * len(CARD.items)
    assert "item-overpromise" in anchors


def test_an_item_that_is_quoted_from_a_typed_conversation_shows_the_quote_alone() -> None:
    typed = replace(TRANSCRIPT, timed=False)
    item = replace(CARD.items[0], evidence=(quote(typed, 0, 0, 2),))
    view = scorecard_view(replace(CARD, items=(item,)), ZH).items[0]
    assert (view.clips, view.quotes) == ((), ("您好",))


def _judged(state: CaseState) -> FinalScore:
    """The score after a reviewer let one item pass that the rules let fail."""
    before = automatic_score("r", CARD)
    items = tuple(
        replace(
            item,
            reviewed=Outcome.PASSED,
            final=Outcome.PASSED,
            final_points=15,
            settled=Outcome.PASSED if state is CaseState.FINAL else None,
        )
        if item.id == "need_discovery"
        else item
        for item in before.items
    )
    return replace(before, score=70, items=items, state=state, case_id="c1", auto_failed=False)


def test_what_the_rules_the_reviewer_and_the_last_word_say_stands_apart() -> None:
    view = scorecard_view(CARD, ZH, _judged(CaseState.FINAL))
    item = next(item for item in view.items if item.id == "need_discovery")
    assert (item.state, item.points, item.for_review) == ("passed", "15/15", False)
    assert [(one.name, one.state) for one in item.outcomes] == [
        ("机评", "failed"),
        ("复核", "passed"),
        ("终审", "passed"),
    ]
    assert (view.score, view.automatic, view.state, view.auto_failed) == ("70", "55/80", "已终审", False)
    assert all(not other.outcomes for other in view.items if other is not item)


def test_the_grade_is_that_of_the_score_that_holds() -> None:
    card = replace(CARD, grade="不合格", grade_en="Fail")
    changed = {card.definition: _judged(CaseState.REVIEWED)}
    grades = {card.definition: ("合格", "Pass")}
    assert [scorecard_views([card], text, changed, grades)[0].grade for text in (ZH, EN)] == ["合格", "Pass"]
    assert scorecard_views([card], ZH, {})[0].grade == "不合格"
    assert scorecard_views([card], ZH, changed)[0].grade == ""


def test_a_score_that_nobody_changed_names_no_other() -> None:
    view = scorecard_view(CARD, ZH, automatic_score("r", CARD))
    assert (view.automatic, view.state) == ("", "")
    assert all(not item.outcomes for item in view.items)
