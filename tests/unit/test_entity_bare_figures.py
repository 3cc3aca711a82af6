"""Figures without a unit, and passages whose figures are neither amounts nor counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.entities.quantities import AmountMemory, find_quantities
from huaxiang.nlp.entities.set_phrases import set_phrases


def found(text: str, *before: str) -> list[tuple[str, str, int | float | None]]:
    memory = AmountMemory()
    for said in (*before, text):
        memory.note(said)
    return [(text[q.start : q.end], q.type, q.value) for q in find_quantities(text, memory)]


class TestWhatCounts:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("视频播放三百", [("三百", "number", 300)]),
            ("播放量大概400", [("400", "number", 400)]),
            ("粉丝八百到两千", [("八百到两千", "number", None)]),
            ("这车跑了三万", [("三万", "number", 30000)]),
            ("里程两千零五十", [("两千零五十", "number", 2050)]),
            ("板子六百乘九百", [("六百", "number", 600), ("九百", "number", 900)]),
            ("600×900的", [("600", "number", 600), ("900", "number", 900)]),
            ("两千多学员", [("两千多学员", "number", None)]),
            ("三百会员", [("三百会员", "number", 300)]),
            ("四十万人次", [("四十万人次", "number", 400_000)]),
            ("五个年级", [("五个", "number", 5)]),
            ("二十四堂", [("二十四堂", "number", 24)]),
        ],
    )
    def test_is_a_number(self, text: str, expected: list[tuple[str, str, float | None]]) -> None:
        assert found(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("两千学员费", [("两千", "money", 2000)]),
            ("三百会员卡", [("三百", "money", 300)]),
            (
                "五百乘三十等于一万五",
                [("五百", "money", 500), ("三十", "money", 30), ("一万五", "money", 15000)],
            ),
            ("这个行程三千八", [("三千八", "money", 3800)]),
            ("一千二款到发货", [("一千二", "money", 1200)]),
            ("返百分之五。实付八十", [("八十", "money", 80)]),
            ("五百一堂", [("五百", "money", 500)]),
            ("三千二分六期", [("三千二", "money", 3200)]),
            ("3200分6期", [("3200", "money", 3200)]),
        ],
    )
    def test_but_money_beside_such_words_stays_money(
        self, text: str, expected: list[tuple[str, str, float | None]]
    ) -> None:
        assert found(text) == expected


class TestAUnitThatGoesOn:
    @pytest.mark.parametrize(
        "text", ["大桶二十升，小桶十二", "大桶20升，小桶12", "早班八个人，晚班十二", "去年九十台，今年一百二"]
    )
    def test_a_like_head_and_a_like_size_keep_it(self, text: str) -> None:
        assert [kind for _, kind, _ in found(text)] == ["number", "number"]

    @pytest.mark.parametrize(
        "text", ["大杯三百毫升，小杯十二", "一包五百克，零售二十六", "二十节，四千三", "大人两位，小孩六百"]
    )
    def test_else_the_second_figure_is_a_price(self, text: str) -> None:
        assert found(text)[-1][1] == "money"


@pytest.mark.parametrize(
    "text",
    [
        "年化十二", "年化12", "成功率大概九十", "师生一比二十", "让五个点，下回再十二",  # rates
        "八十大寿", "九十一的奶奶",  # ages
        "打四百电话", "打400电话", "总机转803", "拨六二三四五六七八转八零一",  # numbers to dial
        "三十到四十岁", "10到15%", "二十到三十个点", "十五到二十天",  # lower ends
        "十六栋的", "四十三类",  # names of places and classes
    ],
)  # fmt: skip
def test_a_bare_figure_that_is_neither(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["功率八千", "三万一比一万二贵", "转三百给你", "四百块电话费", "三十到四十块", "年费三百"]
)
def test_a_bare_figure_that_is_money_all_the_same(text: str) -> None:
    assert found(text)[-1][1] == "money"


@given(st.integers(10, 98), st.sampled_from(["岁", "天", "%", "个点", "年", "分钟", "折"]))
def test_no_range_of_what_is_neither_leaves_an_amount(lower: int, unit: str) -> None:
    assert found(f"{lower}到{lower + 1}{unit}") == []


class TestTheTenThousandLeftOut:
    def test_a_running_cost_keeps_its_size(self) -> None:
        assert found("一个月三百六", "这套三百八十八万") == [("三百六", "money", 360)]

    def test_a_total_is_not_less_than_its_parts(self) -> None:
        said = "均价两万一千"
        assert found("总价一百九", said) == [("一百九", "money", 1_900_000)]
        assert found("总价一百九", "两万一一平") == [("一百九", "money", 1_900_000)]
        assert found("总价190", said) == [("190", "money", 1_900_000)]

    def test_a_total_of_small_things_stays_small(self) -> None:
        assert found("总价一百九", "一个九十五块") == [("一百九", "money", 190)]
        assert found("总价一百九", "整套三万") == [("一百九", "money", 190)]


def test_a_price_for_one_is_money_although_its_figure_was_counted() -> None:
    assert found("四百五一间", "来了四百五十个人") == [("四百五", "money", 450)]
    assert found("四百五", "来了四百五十个人") == [("四百五", "number", 450)]


@pytest.mark.parametrize(
    "text",
    [
        "十个里有九个回头", "10个里面有8个", "十家有八家关门", "三七分", "五五开", "两梯四户", "一件七分二十",
        "7分20秒", "货比三家", "老两口", "买个四件套", "三方协议", "俩小时",
    ],
)  # fmt: skip
def test_set_phrases_hold_no_quantity(text: str) -> None:
    assert set_phrases(text)
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("十个人里有三个", [("十个人", "number", 10), ("三个", "number", 3)]),
        ("六分四十块", [("六分", "number", 6), ("四十块", "money", 40)]),
        ("六百四一间", [("六百四", "money", 640)]),
        ("四件，一套三百", [("四件", "number", 4), ("三百", "money", 300)]),
        ("三方混凝土", [("三方", "number", 3)]),
        ("四口人", [("四口人", "number", 4)]),
    ],
)
def test_what_resembles_a_set_phrase(text: str, expected: list[tuple[str, str, float]]) -> None:
    assert found(text) == expected
