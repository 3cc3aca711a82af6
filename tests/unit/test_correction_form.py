"""The form of a turn, and what it changes; how corrections are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from invented_call import invented_insights, invented_transcript

from huaxiang.console.correction_form import read_changes
from huaxiang.console.present_corrections import (
    correction_views,
    differences,
    findings_of,
    turn_form,
)
from huaxiang.console.texts import texts
from huaxiang.core.types import FindingKind, Role
from huaxiang.quality.review.corrections import Change, Correction, CorrectionKind, Target
from huaxiang.quality.review.outcomes import Actor

ZH = texts("zh")
CALL = invented_transcript("r")
SAID = invented_insights(CALL)
TURN = CALL.turns[7]
FOUND = findings_of(SAID, 7)
MEI, YUN = Actor("user:1", "mei"), Actor("user:2", "he.yun")
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


def filled(**fields: str) -> dict[str, str]:
    return {"text": TURN.text, "role": "customer", "missed": "", "quote": "", "reason": "", **fields}


def test_what_is_left_alone_is_no_change() -> None:
    assert read_changes(filled(), TURN, FOUND).changes == ()
    assert read_changes({}, TURN, FOUND).changes == ()


def test_each_field_that_differs_is_one_change() -> None:
    price = next(one for one in FOUND if one.label == "price")
    negative = next(one for one in FOUND if one.label == "negative")
    form = filled(text=" 太贵。\r\n真的 ", role="agent")
    form |= {f"finding.{price.id}": "wrong", f"finding.{negative.id}": "right"}
    changes = read_changes(form, TURN, FOUND).changes
    assert [change.kind for change in changes] == [
        CorrectionKind.TURN_TEXT,
        CorrectionKind.TURN_ROLE,
        CorrectionKind.FINDING_WRONG,
        CorrectionKind.FINDING_RIGHT,
    ]
    assert changes[0].text == "太贵。 真的"
    assert changes[2].finding == Target(price.id, FindingKind.OBJECTION, "price", 7)


def test_a_missed_finding_is_marked_in_the_text_as_it_is_sent() -> None:
    sent = read_changes(
        filled(text="便宜点吧，一年三千。", missed="intent:negotiate", quote="便宜点"), TURN, []
    )
    missed = sent.changes[-1]
    assert (missed.heard, missed.char_start, missed.char_end) == ("便宜点吧，一年三千。", 0, 3)
    whole = read_changes(filled(missed="intent:negotiate"), TURN, []).changes[0]
    assert (whole.char_start, whole.char_end) == (0, len(TURN.text))


def test_mistakes_are_named_by_field() -> None:
    assert read_changes(filled(text="  "), TURN, []).wrong == {"text": "correct.wrong.text"}
    assert read_changes(filled(text="好" * 4001), TURN, []).wrong == {"text": "correct.wrong.long"}
    missed = filled(missed="intent:negotiate", quote="没有这句")
    assert read_changes(missed, TURN, []).wrong == {"quote": "correct.wrong.quote"}
    entity = filled(missed="entity:money")
    assert read_changes(entity, TURN, []).wrong == {"quote": "correct.wrong.entity"}
    assert read_changes(filled(missed="intent:x"), TURN, []).wrong == {"quote": "correct.wrong.label"}


def test_a_form_offers_only_what_the_speaker_can_say() -> None:
    form = turn_form(TURN, TURN, FOUND, 3, ZH)
    groups = [group for group, _ in form.missed]
    assert "意图" in groups
    assert "动作" not in groups
    assert (form.seen, form.heard, form.role) == (3, "", Role.CUSTOMER.value)
    assert len(form.findings) == len(FOUND)
    for choice in form.findings:
        assert [value for value, _ in choice.options[:3]] == ["", "right", "wrong"]


@given(st.text("甲乙丙丁，", max_size=40), st.text("甲乙丙丁，", max_size=40))
def test_a_difference_has_all_that_was_taken_and_added(before: str, after: str) -> None:
    parts = differences(before, after)
    taken = sum(len(part.text) for part in parts if part.how == "taken")
    added = sum(len(part.text) for part in parts if part.how == "added")
    assert len(after) - len(before) == added - taken
    assert (before == after) == all(part.how == "kept" for part in parts)


def row(number: int, change: Change, actor: Actor = MEI, *, proposed: bool = False) -> Correction:
    before = {"text": CALL.turns[change.turn].text} if change.turn is not None else {}
    return Correction(f"c{number}", number, change, actor, NOON, proposed, before=before)


LOG = [
    row(1, Change(CorrectionKind.TURN_TEXT, turn=7, text="有点贵吧，我们现在用的那家一年才三千。")),
    row(2, Change(CorrectionKind.TURN_ROLE, turn=9, role=Role.AGENT), YUN, proposed=True),
    row(3, Change(CorrectionKind.UNDO, target="c1")),
]


def test_the_list_is_newest_first_with_what_may_be_done_to_each() -> None:
    waiting, undone = correction_views(LOG, CALL, ZH, ZONE, "user:1", decides=True)
    assert (waiting.state, waiting.undo, waiting.decides, waiting.what) == (
        "waiting",
        None,
        True,
        "说话人改为 销售",
    )
    assert (undone.state, undone.undo, undone.decides) == ("undone", "c3", False)
    assert (undone.who, undone.when, undone.turn) == ("mei", "11-20 12:00", 7)
    assert [(part.how, part.text) for part in undone.differences] == [
        ("taken", "太"),
        ("added", "有点"),
        ("kept", "贵"),
        ("taken", "了"),
        ("kept", "吧，我们现在…"),
    ]


def test_a_seller_takes_back_only_what_they_proposed() -> None:
    own, other = correction_views(LOG, CALL, ZH, ZONE, "user:2", decides=False)
    assert (own.undo, own.decides) == ("c2", False)
    assert (other.undo, other.decides) == (None, False)
