"""Numerals, amounts of money and counts, spoken and as a recogniser writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.entities.numerals import find_numerals
from huaxiang.nlp.entities.quantities import AmountMemory, Quantity, find_quantities


def quantities(text: str, *before: str) -> list[Quantity]:
    memory = AmountMemory()
    for said in (*before, text):
        memory.note(said)
    return find_quantities(text, memory)


def found(text: str, *before: str) -> list[tuple[str, str, int | float | None]]:
    return [(text[q.start : q.end], q.type, q.value) for q in quantities(text, *before)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("六千四", 6400),
        ("一百八", 180),
        ("两万九", 29000),
        ("一万三千四百五", 13450),
        ("十九万零六百", 190600),
        ("二百零五万二", 2052000),
        ("三个亿", 300000000),
        ("八万两千三百二", 82320),
        ("零点八", 0.8),
        ("3万", 30000),
        ("1.5万", 15000),
        ("1万2", 12000),
        ("1万2千", 12000),
        ("2万8千8", 28800),
        ("30,000", 30000),
        ("俩", 2),
    ],
)
def test_a_numeral_has_its_value(text: str, value: float) -> None:
    assert [(n.text, n.value) for n in find_numerals(text)] == [(text, value)]


@pytest.mark.parametrize(
    "text",
    [
        "十几",
        "几十万",
        "四十多",
        "三四十",
        "一万四五",
        "两千二三百",
        "两万出头",
        "一百好几",
        "3000多",
        "三千多万",
    ],
)
def test_an_open_numeral_has_none(text: str) -> None:
    assert [(n.text, n.value) for n in find_numerals(text)] == [(text, None)]


def test_digits_grouped_as_nobody_writes_them_have_no_value() -> None:
    assert [(n.text, n.value) for n in find_numerals("落车22,9008")] == [("22,9008", None)]


@given(st.integers(1, 99_999_999))
def test_written_digits_are_read_as_they_stand(value: int) -> None:
    assert [n.value for n in find_numerals(f"共{value}元")] == [value]
    assert [n.value for n in find_numerals(f"共{value:,}元")] == [value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一年六千四", [("六千四", "money", 6400)]),
        ("三万块", [("三万块", "money", 30000)]),
        ("3万块", [("3万块", "money", 30000)]),
        ("30000元", [("30000元", "money", 30000)]),
        ("¥1,299.00", [("¥1,299.00", "money", 1299)]),
        ("才两块五一斤", [("两块五", "money", 2.5)]),
        ("两块一斤", [("两块", "money", 2)]),
        ("三毛二", [("三毛二", "money", 0.32)]),
        ("一百六十六块五", [("一百六十六块五", "money", 166.5)]),
        ("八百一个月", [("八百", "money", 800)]),
        ("两千八一个月", [("两千八", "money", 2800)]),
        ("六千九百九十九", [("六千九百九十九", "money", 6999)]),
        ("四万多块", [("四万多块", "money", None)]),
        ("一万五到两万二", [("一万五到两万二", "money", None)]),
        ("10到20万", [("10到20万", "money", None)]),
        ("三十美金", [("三十美金", "money", None)]),
        ("先付两千定金", [("两千", "money", 2000)]),
        ("量块六一票", [("量块六", "money", 2.6)]),  # 两块六 misheard
    ],
)
def test_money_is_in_yuan(text: str, expected: list[tuple[str, str, float | None]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我们有四十个人", [("四十个人", "number", 40)]),
        ("20个人", [("20个人", "number", 20)]),
        ("一百二十平", [("一百二十平", "number", 120)]),
        ("一米七六", [("一米七六", "number", 1.76)]),
        ("1米75", [("1米75", "number", 1.75)]),
        ("两吨九", [("两吨九", "number", 2.9)]),
        ("零下二十五度", [("零下二十五度", "number", -25)]),
        ("九十一度半", [("九十一度半", "number", 91.5)]),
        ("十几台", [("十几台", "number", None)]),
        ("两到三个", [("两到三个", "number", None)]),
        ("四十多位老人", [("四十多位", "number", None)]),
    ],
)
def test_counts_and_measures_are_numbers(text: str, expected: list[tuple[str, str, float | None]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "用了三年", "等两个月", "十五分钟", "半个小时", "24小时",  # durations
        "百分之二十", "涨了五个点", "打八折", "三成", "翻三倍", "50%",  # shares
        "第三个", "第十七条", "负二层", "分十二期付",  # ordinals
        "一个", "一家", "1个", "一起", "一定", "一块儿", "一样",  # one of a thing, and words with 一
        "两位慢走", "您二位坐", "好几家都这样", "放一百个心", "一分钱都不会少您的",  # politeness and idioms
        "数量百分百", "质量块头大", "打量个遍", "给您量个身高",  # 量 that is not 两
        "工号三三二", "尾号4490", "年化三点六", "我妈七十六了",  # labels, rates, ages
    ],
)  # fmt: skip
def test_what_is_neither_money_nor_count(text: str) -> None:
    assert found(text) == []


class TestTheConversationDecidesABareFigure:
    def test_it_is_a_count_where_it_was_counted_before(self) -> None:
        assert found("四百二十？", "里头有四百二十个冰柜") == [("四百二十", "number", 420)]

    def test_but_money_after_a_word_of_paying(self) -> None:
        assert found("丢一张赔一百", "印了一百张") == [("一百", "money", 100)]

    def test_the_ten_thousand_left_out_is_put_back(self) -> None:
        assert found("三百六能谈吗", "这套三百八十八万") == [("三百六", "money", 3_600_000)]

    def test_but_not_where_the_amounts_are_of_another_size(self) -> None:
        assert found("物业费三百六", "这套一千二百万") == [("三百六", "money", 360)]

    def test_nor_where_the_figure_was_said_in_yuan(self) -> None:
        assert found("三百六吧", "这套三百八十八万", "物业费三百六十块") == [("三百六", "money", 360)]
