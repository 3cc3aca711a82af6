"""Times: what is one, and which moment it is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("六月二十到二十三", [("六月二十", "2026-06-20"), ("二十三", "2026-06-23")]),
        ("6月16到19", [("6月16", "2026-06-16"), ("19", "2026-06-19")]),
        ("八月三号到六号", [("八月三号", "2026-08-03"), ("六号", "2026-08-06")]),
        ("下个月八号住到十二号", [("下个月八号", "2026-07-08"), ("十二号", "2026-07-12")]),
        ("正月初八到十二", [("正月初八", None), ("十二", None)]),
        ("六月十六到十八度", [("六月十六", "2026-06-16")]),
        ("六月十六到十八块", [("六月十六", "2026-06-16")]),
    ],
)
def test_the_end_of_a_range_is_in_the_month_of_its_beginning(
    text: str, expected: list[tuple[str, Json]]
) -> None:
    assert times(text) == expected


@given(st.integers(1, 12), st.integers(1, 27), st.sampled_from("到至"))
def test_a_written_range_of_days_has_both_ends(month: int, day: int, join: str) -> None:
    (_, first), (_, last) = times(f"{month}月{day}号{join}{day + 1}号")
    assert isinstance(first, str)
    assert isinstance(last, str)
    assert (first[:7], int(first[8:]), int(last[8:])) == (last[:7], day, day + 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("周5", "2026-06-12"),
        ("下周2", "2026-06-16"),
        ("下周2下午3点", "2026-06-16T15:00+08:00"),
        ("星期1上午10点", "2026-06-15T10:00+08:00"),
        ("万一明年", "2027"),
        ("这块去年", "2025"),
        ("那个周末", "2026-06-13"),
        ("三季度", None),
        ("第一季度", None),
        ("明年一季度", "2027"),
        ("过完年", None),
        ("正月初八", None),
        ("八月初", "2026-08"),
        ("月初", "2026-06"),
        ("没有九点前", None),
        ("五点一过", None),
    ],
)
def test_a_time_beside_other_figures(text: str, value: str | None) -> None:
    assert [found for _, found in times(text)] == [value]


@given(st.integers(0, 6), st.sampled_from(["", "下", "上", "这"]), st.sampled_from(["周", "星期", "礼拜"]))
def test_a_weekday_in_digits_is_the_same_day(index: int, week: str, name: str) -> None:
    (_, said), (_, written) = (
        times(f"{week}{name}{digits[index]}")[0] for digits in ("一二三四五六日", "1234567")
    )
    assert said == written


@pytest.mark.parametrize(
    "text",
    [
        "一周2次", "周2次", "周3.5万", "先交一个季度", "一季度一付", "开业头三季度",   # counts and durations
        "六个周末", "几个周末",
        "三点水", "一点半点", "差一点以后", "工号零九号",
        "暑假班", "寒假作业",
    ],
)  # fmt: skip
def test_more_that_is_no_time(text: str) -> None:
    assert times(text) == []
