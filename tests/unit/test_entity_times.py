"""Times: what is one, and which moment it is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from huaxiang.core.types import Json
from huaxiang.nlp.entities.time_grammar import find_times
from huaxiang.nlp.entities.time_resolution import resolve

WEDNESDAY = datetime(2026, 6, 10, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def times(text: str, now: datetime | None = WEDNESDAY) -> list[tuple[str, Json]]:
    return [(text[time.start : time.end], resolve(time.parts, now)) for time in find_times(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("周四下午三点", "2026-06-11T15:00+08:00"),
        ("下周二八点半", "2026-06-16T08:30+08:00"),
        ("周四下午3点", "2026-06-11T15:00+08:00"),
        ("明天15:30", "2026-06-11T15:30+08:00"),
        ("今晚八点半", "2026-06-10T20:30+08:00"),
        ("今晚十二点", "2026-06-11T00:00+08:00"),
        ("后天中午十二点半", "2026-06-12T12:30+08:00"),
        ("周四三点", "2026-06-11T15:00+08:00"),  # office hours
        ("明天零点", "2026-06-11T00:00+08:00"),
        ("礼拜五", "2026-06-12"),
        ("周三", "2026-06-10"),  # today's weekday is today
        ("上周五", "2026-06-05"),
        ("下下周一", "2026-06-22"),
        ("明儿", "2026-06-11"),
        ("大后天", "2026-06-13"),
        ("二十八号", "2026-06-28"),
        ("三号", "2026-07-03"),  # gone this month, so the next
        ("这个月二十八号", "2026-06-28"),
        ("下个月八号", "2026-07-08"),
        ("上月十三", "2026-05-13"),
        ("六月三十", "2026-06-30"),
        ("12月15号", "2026-12-15"),
        ("2026年7月1日", "2026-07-01"),
        ("国庆", "2026-10-01"),
        ("明年五一", "2027-05-01"),
        ("上个月", "2026-05"),
        ("去年九月", "2025-09"),
        ("三个月前", "2026-03"),
        ("下周", "2026-W25"),
        ("去年", "2025"),
        ("零八年", "2008"),
        ("九八年", "1998"),
        ("十年前", "2016"),
    ],
)
def test_a_time_is_placed_in_the_calendar(text: str, value: str) -> None:
    assert times(text) == [(text, value)]


@pytest.mark.parametrize("text", ["去年腊月", "晚上六点", "每周三", "春节", "上学期", "九十点"])
def test_what_cannot_be_placed_has_no_value(text: str) -> None:
    assert times(text) == [(text, None)]


def test_without_a_start_relative_times_stay_open_and_full_years_do_not() -> None:
    assert times("下周二八点半", None) == [("下周二八点半", None)]
    assert times("二一年", None) == [("二一年", "2021")]


def test_the_zone_of_the_call_counts() -> None:
    late = datetime(2026, 6, 10, 23, 30, tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo("Asia/Shanghai"))
    assert times("明天", late) == [("明天", "2026-06-12")]


@pytest.mark.parametrize(
    "text",
    [
        "用了三年", "等两个月", "三天后", "两周", "一周四次",  # durations
        "下午好", "晚上好", "早上好各位",  # greetings
        "晚上睡觉戴", "一个晚上",  # habits
        "一点都不贵", "我说三点建议", "百分之三点五", "年化三点六", "差一点",  # no clock
        "三号窗口", "二号楼", "四号线", "小一号的",  # no date
        "这小年轻", "三十五一次", "以后再说", "现在", "平时",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert times(text) == []


def test_several_in_a_sentence() -> None:
    assert [text for text, _ in times("周六周日都行，要么下周一上午十点，三月份不行")] == [
        "周六", "周日", "下周一上午十点", "三月份",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["二月三十号", "三十一号", "二十五点"])
def test_a_date_that_does_not_exist_has_no_value(text: str) -> None:
    assert all(value is None for _, value in times(text))
