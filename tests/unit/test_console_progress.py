"""How the stages of a recording in work are shown."""

from __future__ import annotations

from datetime import UTC, datetime

from huaxiang.api.progress import StageProgress
from huaxiang.console.present_progress import step_views
from huaxiang.console.texts import texts

ZH = texts("zh")
STAGES = ("decode", "transcribe", "understand")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_what_is_behind_now_and_to_come() -> None:
    steps = step_views(StageProgress("transcribe", 0.426, NOON), STAGES, ZH)
    assert [(step.name, step.state, step.percent) for step in steps] == [
        ("解码", "done", None),
        ("转写", "now", 43),
        ("理解", "next", None),
    ]


def test_a_stage_that_tells_nothing_has_no_percent() -> None:
    assert [step.percent for step in step_views(StageProgress("decode", 0.0, NOON), STAGES, ZH)] == [None] * 3


def test_where_nothing_has_begun_there_are_no_steps() -> None:
    assert step_views(None, STAGES, ZH) == ()
    assert step_views(StageProgress("fail", 0.0, NOON), STAGES, ZH) == ()
