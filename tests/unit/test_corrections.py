"""Corrections: what is in force, and the corrected form in which every quote is still in its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_call import invented_insights, invented_transcript

from huaxiang.core.errors import IllegalTransition, InvalidInput, NotFound
from huaxiang.core.types import Finding, FindingKind, Insights, Role, Transcript
from huaxiang.quality.history.invented import invented_history
from huaxiang.quality.review.corrected import corrected, moved_span
from huaxiang.quality.review.corrections import (
    Change,
    Correction,
    CorrectionKind,
    Target,
    check_form,
    check_target,
    standing,
)
from huaxiang.quality.review.outcomes import Actor

MEI = Actor("user:1", "mei")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALL = invented_transcript("r")
SAID = invented_insights(CALL)


def log(*changes: Change, proposed: tuple[int, ...] = ()) -> list[Correction]:
    return [
        Correction(f"c{number}", number, change, MEI, NOON, number in proposed)
        for number, change in enumerate(changes, start=1)
    ]


def text(turn: int, words: str) -> Change:
    return Change(CorrectionKind.TURN_TEXT, turn=turn, text=words)


def role(turn: int, who: Role) -> Change:
    return Change(CorrectionKind.TURN_ROLE, turn=turn, role=who)


def about(kind: CorrectionKind, finding: Finding, label: str | None = None) -> Change:
    target = Target(finding.id, finding.kind, finding.label, finding.turn)
    return Change(kind, finding=target, label=label)


def undo(identifier: str) -> Change:
    return Change(CorrectionKind.UNDO, target=identifier)


def found(insights: Insights, kind: FindingKind, label: str) -> list[Finding]:
    return [one for one in insights.findings if (one.kind, one.label) == (kind, label)]


PRICE = found(SAID, FindingKind.OBJECTION, "price")[0]
DOUBT = found(SAID, FindingKind.OBJECTION, "authority")[0]


def quotes_hold(transcript: Transcript, insights: Insights) -> bool:
    turns = {turn.index: turn for turn in transcript.turns}
    return all(
        one.quote == turns[one.turn].text[one.char_start : one.char_end]
        for finding in insights.findings
        for one in finding.evidence
    )


def test_without_corrections_the_form_is_the_automatic_one() -> None:
    assert corrected(CALL, SAID, []) == (CALL, SAID)
    assert corrected(CALL, SAID, log(text(0, "别的"), undo("c1"))) == (CALL, SAID)


def test_a_changed_text_keeps_the_quotes_that_are_still_said_and_drops_the_others() -> None:
    transcript, insights = corrected(CALL, SAID, log(text(7, "太贵了吧，我们用着的那家一年才五千。")))
    assert transcript.turns[7].text == "太贵了吧，我们用着的那家一年才五千。"
    assert transcript.turns[7].raw_text == CALL.turns[7].raw_text
    (price,) = found(insights, FindingKind.OBJECTION, "price")
    assert price.evidence[0].quote == "太贵了吧"
    assert price.id == PRICE.id
    assert quotes_hold(transcript, insights)
    transcript, insights = corrected(CALL, SAID, log(text(7, "好的。")))
    assert found(insights, FindingKind.OBJECTION, "price") == []
    assert quotes_hold(transcript, insights)


def test_another_speaker_takes_away_what_only_the_first_can_say_and_changes_the_metrics() -> None:
    transcript, insights = corrected(CALL, SAID, log(role(7, Role.AGENT)))
    assert transcript.turns[7].role is Role.AGENT
    assert transcript.turns[7].role_confidence == 1.0
    assert found(insights, FindingKind.OBJECTION, "price") == []
    assert found(insights, FindingKind.SENTIMENT, "negative")
    before = corrected(CALL, SAID, log(role(7, Role.CUSTOMER)))[1]
    assert insights.metrics["talk_ratio"] > before.metrics["talk_ratio"]  # type: ignore[operator]
    assert not any("objection" in one.kind.value and one.turn == 7 for one in insights.findings)


def test_findings_are_taken_away_confirmed_and_called_otherwise() -> None:
    changes = log(
        about(CorrectionKind.FINDING_WRONG, PRICE),
        about(CorrectionKind.FINDING_RIGHT, DOUBT),
        about(CorrectionKind.FINDING_LABEL, found(SAID, FindingKind.INTENT, "inquire_price")[0], "negotiate"),
    )
    insights = corrected(CALL, SAID, changes)[1]
    assert found(insights, FindingKind.OBJECTION, "price") == []
    (sure,) = found(insights, FindingKind.OBJECTION, "authority")
    assert (sure.confidence, sure.for_review, sure.source) == (1.0, False, DOUBT.source)
    (other,) = found(insights, FindingKind.INTENT, "negotiate")
    assert other.source == "correction @ c3"
    assert found(insights, FindingKind.INTENT, "inquire_price") == []


def test_a_missed_finding_has_its_quote_even_when_the_text_is_corrected_before() -> None:
    missed = Change(
        CorrectionKind.FINDING_MISSED,
        turn=9,
        finding_kind=FindingKind.INTENT,
        label="request_callback",
        char_start=9,
        char_end=18,
        heard=CALL.turns[9].text,
    )
    transcript, insights = corrected(
        CALL, SAID, log(text(9, "嗯嗯，这倒也是。那我得和我爱人商量一下。"), missed)
    )
    (added,) = found(insights, FindingKind.INTENT, "request_callback")
    assert added.confidence == 1.0
    assert "我爱人商量" in added.evidence[0].quote
    assert quotes_hold(transcript, insights)


def test_what_was_recognised_anew_since_is_told_and_not_changed() -> None:
    stale = [replace(one, before={"text": "另一段话"}) for one in log(text(7, "好的。"))]
    transcript, insights = corrected(CALL, SAID, stale)
    assert transcript == CALL
    assert insights.skipped[-1].code == "stale_correction"
    insights = corrected(CALL, SAID, log(role(99, Role.AGENT)))[1]
    assert insights.skipped[-1].code == "stale_correction"


def test_a_finding_is_known_by_what_it_says_when_its_id_changed() -> None:
    renamed = replace(
        SAID, findings=tuple(replace(one, id=f"new-{n}") for n, one in enumerate(SAID.findings))
    )
    insights = corrected(CALL, renamed, log(about(CorrectionKind.FINDING_WRONG, PRICE)))[1]
    assert found(insights, FindingKind.OBJECTION, "price") == []


def test_what_is_drawn_from_findings_is_drawn_anew() -> None:
    call = next(one for one in invented_history(40) if found(one.insights, FindingKind.OBJECTION, "price"))
    objection = found(call.insights, FindingKind.OBJECTION, "price")[0]
    courses = [one for one in call.insights.findings if one.kind is FindingKind.OBJECTION_COURSE]
    insights = corrected(call.transcript, call.insights, log(about(CorrectionKind.FINDING_WRONG, objection)))[
        1
    ]
    left = [one for one in insights.findings if one.kind is FindingKind.OBJECTION_COURSE]
    assert len(left) == len(courses) - 1
    ids = {one.id for one in call.insights.findings}
    assert {one.id for one in left} <= ids


def test_undoing_an_undo_brings_the_correction_back() -> None:
    changes = log(text(0, "甲"), undo("c1"), undo("c2"))
    assert [one.id for one in standing(changes).in_force] == ["c1"]
    assert [one.id for one in standing(changes[:2]).in_force] == []


def test_a_proposal_counts_when_it_is_accepted() -> None:
    accept, decline = (Change(kind, target="c1") for kind in (CorrectionKind.ACCEPT, CorrectionKind.DECLINE))
    assert standing(log(text(0, "甲"), proposed=(1,))).in_force == ()
    assert [one.id for one in standing(log(text(0, "甲"), proposed=(1,))).waiting] == ["c1"]
    assert [one.id for one in standing(log(text(0, "甲"), accept, proposed=(1,))).in_force] == ["c1"]
    declined = standing(log(text(0, "甲"), decline, proposed=(1,)))
    assert not declined.in_force
    assert not declined.waiting
    assert declined.declined == {"c1"}
    with pytest.raises(IllegalTransition):
        check_target(accept, log(text(0, "甲")))
    with pytest.raises(NotFound):
        check_target(undo("c9"), log(text(0, "甲")))
    with pytest.raises(IllegalTransition):
        check_target(undo("c1"), log(text(0, "甲"), undo("c1")))


@pytest.mark.parametrize(
    "change",
    [
        Change(CorrectionKind.TURN_TEXT, turn=1, text="  "),
        Change(CorrectionKind.TURN_ROLE, turn=1, role=Role.UNKNOWN),
        Change(CorrectionKind.FINDING_WRONG),
        about(CorrectionKind.FINDING_LABEL, PRICE, "no_such_label"),
        Change(CorrectionKind.FINDING_MISSED, turn=1, finding_kind=FindingKind.ACT, label="greeting"),
        Change(
            CorrectionKind.FINDING_MISSED,
            turn=1,
            finding_kind=FindingKind.SUMMARY,
            label="summary",
            char_start=0,
            char_end=2,
        ),
        Change(CorrectionKind.UNDO),
    ],
)
def test_a_change_that_lacks_something_is_refused(change: Change) -> None:
    with pytest.raises(InvalidInput):
        check_form(change)


@given(st.text("甲乙丙丁", min_size=1, max_size=12), st.text("甲乙丙丁", max_size=12), st.data())
def test_a_moved_span_lies_in_the_new_text(before: str, after: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(before) - 1))
    end = data.draw(st.integers(start + 1, len(before)))
    span = moved_span(before, after, start, end)
    assert span is None or 0 <= span[0] < span[1] <= len(after)
    assert moved_span(before, before, start, end) == (start, end)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.builds(
                text, st.integers(0, 12), st.text("您好我是太贵了吧多少钱一年，。", min_size=1, max_size=20)
            ),
            st.builds(role, st.integers(0, 12), st.sampled_from([Role.AGENT, Role.CUSTOMER])),
            st.builds(undo, st.sampled_from([f"c{n}" for n in range(1, 9)])),
            st.builds(
                about,
                st.sampled_from([CorrectionKind.FINDING_WRONG, CorrectionKind.FINDING_RIGHT]),
                st.sampled_from(SAID.findings),
            ),
        ),
        max_size=8,
    )
)
def test_whatever_is_corrected_every_finding_keeps_a_true_quote(changes: list[Change]) -> None:
    usable = [one for one in changes if one.text is None or one.text.strip()]
    transcript, insights = corrected(CALL, SAID, log(*usable))
    assert quotes_hold(transcript, insights)
    assert len(transcript.turns) == len(CALL.turns)
