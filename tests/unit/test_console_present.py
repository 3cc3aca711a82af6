"""What the recording page shows of stored results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_call import SAID, invented_insights, invented_transcript

from huaxiang.console.present import clock, lanes, moments, number, turn_views, value_text
from huaxiang.console.present_metrics import metrics_view
from huaxiang.console.texts import texts
from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Json, Role, Transcript, Turn

ZH = texts("zh")
TRANSCRIPT = invented_transcript("r")
INSIGHTS = invented_insights(TRANSCRIPT)


def test_cutting_a_turn_at_its_quotes_loses_no_character() -> None:
    for view, (_, said) in zip(turn_views(TRANSCRIPT, INSIGHTS, ZH), SAID, strict=True):
        assert "".join(segment.text for segment in view.segments) == said


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 30)), max_size=8))
def test_any_overlap_of_quotes_keeps_the_text_and_marks_what_is_quoted(spans: list[tuple[int, int]]) -> None:
    text = "0123456789" * 3
    transcript = Transcript("r", (Turn(0, Role.CUSTOMER, 0, 3000, text),), 3000)
    quoted = [(start, min(start + length, 30)) for start, length in spans]
    findings = tuple(
        Finding(FindingKind.INTENT, "reject", 0.9, "m", (quote(transcript, 0, start, end),))
        for start, end in quoted
    )
    (view,) = turn_views(transcript, Insights(findings, {}), ZH)
    assert "".join(segment.text for segment in view.segments) == text
    marked = "".join(("x" if segment.mark else "-") * len(segment.text) for segment in view.segments)
    inside = [(start, end) for start, end in quoted if end - start < 30]
    assert marked == "".join("x" if any(s <= at < e for s, e in inside) else "-" for at in range(30))
    assert len(view.findings) == len(findings)


def test_findings_stand_at_their_turn_with_a_clip_to_hear() -> None:
    views = turn_views(TRANSCRIPT, INSIGHTS, ZH)
    shown = [finding for view in views for finding in view.findings]
    assert len(shown) == len(INSIGHTS.findings)
    for view in views:
        for finding in view.findings:
            assert finding.clip is not None
            assert view.start_ms <= finding.clip.start_ms < finding.clip.end_ms <= view.end_ms


def test_the_gravest_finding_colours_the_words_and_forbidden_acts_are_bad() -> None:
    views = turn_views(TRANSCRIPT, INSIGHTS, ZH)
    assert views[7].segments[0].mark == "objection"
    assert {finding.tone for finding in views[8].findings} == {"plain", "bad"}
    review = [finding for finding in views[9].findings if finding.for_review]
    assert [finding.text for finding in review] == ["做不了主"]


def test_a_typed_conversation_has_findings_without_clips() -> None:
    typed = replace(TRANSCRIPT, timed=False)
    (view, *_) = turn_views(typed, invented_insights(typed), ZH)
    assert {finding.clip for finding in view.findings} == {None}


def test_a_mark_plays_the_words_that_its_finding_quotes() -> None:
    for view in turn_views(TRANSCRIPT, INSIGHTS, ZH):
        clips = {finding.clip for finding in view.findings}
        for segment in view.segments:
            assert (segment.clip in clips) if segment.mark else segment.clip is None


def test_good_and_bad_moments_lie_within_the_recording() -> None:
    found = moments(turn_views(TRANSCRIPT, INSIGHTS, ZH), 40_000)
    assert {tone for _, _, tone in found} == {"good", "bad"}
    assert all(0 <= start <= 40_000 and start + width <= 40_001 for start, width, _ in found)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_lanes_stay_within_the_recording(first_ms: int, duration_ms: int) -> None:
    turns = (Turn(0, Role.AGENT, first_ms, first_ms + 700, "好"),)
    found = lanes(turn_views(Transcript("r", turns, 0), None, ZH), duration_ms)
    for start, width in found["agent"]:
        assert 0 <= start <= duration_ms
        assert 1 <= width <= max(duration_ms - start, 1)


@pytest.mark.parametrize(
    ("position_ms", "shown"),
    [(0, "0:00"), (61_999, "1:01"), (3_600_000, "1:00:00"), (36_061_000, "10:01:01")],
)
def test_a_position_is_shown_as_a_clock(position_ms: int, shown: str) -> None:
    assert clock(position_ms) == shown


@pytest.mark.parametrize(("value", "shown"), [(1200, "1,200"), (0.5, "0.5"), (2.25, "2.25"), (3.0, "3")])
def test_numbers_have_no_needless_zeros(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("label", "value", "shown"),
    [
        ("money", 9600, "¥9,600"),
        ("number", 8, "8"),
        ("time", "2026-11-26T15:00:00+08:00", "2026-11-26 15:00"),
        ("time", "2026-11-26", "2026-11-26"),
        ("phone", "13800138000", "13800138000"),
        ("x", ["甲", "乙"], "甲、乙"),
        ("x", {"value": 3, "unit": "个"}, "value 3 · unit 个"),
        ("x", None, ""),
    ],
)
def test_values_are_written_for_people(label: str, value: object, shown: str) -> None:
    assert value_text(label, value) == shown  # type: ignore[arg-type]


def test_a_next_step_says_when_it_is_due_and_whether_it_is_agreed() -> None:
    value: Json = {"kind": "visit", "agreed": True, "due_at": None, "due_text": "周四下午三点"}
    step = Finding(FindingKind.NEXT_STEP, "visit", 0.9, "m", (quote(TRANSCRIPT, 11),), value)
    shown = turn_views(TRANSCRIPT, Insights((step,), {}), ZH)[11].findings[0]
    assert (shown.text, shown.value) == ("拜访", "周四下午三点 · 已同意")


def test_metrics_have_names_units_and_a_share_of_talk() -> None:
    view = metrics_view(INSIGHTS.metrics, ZH)
    assert view is not None
    assert view.agent_share == 68
    lines = dict(view.main)
    assert lines["语速 · 销售"] == "333 字/分"
    assert lines["销售最长独白"] == "9.2 秒"
    assert lines["打断"] == "0"
    assert lines["回应前停顿 · 中位数"] == "0.3 秒"
    assert metrics_view({}, ZH) is None


def test_interruptions_and_silences_can_be_heard() -> None:
    view = metrics_view(
        {
            "interruption": [{"by": "agent", "turn": 3, "start_ms": 61_000, "end_ms": 62_500}],
            "non_talk": {"count": 1, "spans": [{"start_ms": 5000, "end_ms": 9000}]},
            "sentiment": {"agent": {"overall": 0.0, "quarters": [0.0, -1.25, 2.5, 0.0]}},
            "patience_ms": {"median": 350.0, "replies": 6},
        },
        ZH,
    )
    assert view is not None
    heard = [(clip.start_ms, clip.end_ms, clip.label, words) for clip, words in view.clips]
    assert heard == [(61_000, 62_500, "1:01", "打断 · 销售"), (5000, 9000, "0:05", "静默")]
    lines = dict((*view.main, *view.more))
    assert lines["情绪 · 销售 · 总体"] == "0"
    assert lines["情绪 · 销售 · 四段"] == "0 / -1.2 / 2.5 / 0"
    assert lines["回应前停顿 · 回应数"] == "6"
