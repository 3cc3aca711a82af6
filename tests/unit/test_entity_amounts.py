"""Amounts as they are said in passing: small change, guesses, decimals in 万, and their written forms."""

from __future__ import annotations

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.nlp.entities.numerals import find_numerals
from huaxiang.nlp.entities.quantities import AmountMemory, find_quantities
from huaxiang.nlp.spoken_form import spoken_form


def found(text: str) -> list[tuple[str, str, int | float | None]]:
    memory = AmountMemory()
    memory.note(text)
    return [(text[q.start : q.end], q.type, q.value) for q in find_quantities(text, memory)]


def spoken(value: int) -> str:
    """Return a whole number as it is said; two of a thing are 两."""
    return "两" if value == 2 else str(cn2an.an2cn(value, "low"))


@pytest.mark.parametrize(
    ("text", "amount", "value"),
    [
        ("三块五毛一斤", "三块五毛", 3.5),
        ("一块五毛钱", "一块五毛钱", 1.5),
        ("十二块八毛五", "十二块八毛五", 12.85),
        ("十二块八毛五分", "十二块八毛五分", 12.85),
        ("三百块零五毛", "三百块零五毛", 300.5),
        ("3块5毛", "3块5毛", 3.5),
        ("三块五毛利", "三块", 3),  # 毛利 is gross profit
        ("十二块八毛五分期", "十二块八毛", 12.8),
        ("一毛二", "一毛二", 0.12),
    ],
)
def test_small_change_belongs_to_its_amount(text: str, amount: str, value: float) -> None:
    assert found(text) == [(amount, "money", value)]


@given(st.integers(1, 9999), st.integers(1, 9), st.integers(0, 9))
def test_change_has_one_value_spoken_and_written(yuan: int, jiao: int, fen: int) -> None:
    digits = "零一二三四五六七八九"
    said = f"{spoken(yuan)}块{digits[jiao]}毛{digits[fen] if fen else ''}"
    written = f"{yuan}块{jiao}毛{fen or ''}"
    for text in (said, written):
        ((amount, _, value),) = found(text)
        assert amount == text
        assert value == pytest.approx(yuan + jiao / 10 + fen / 100)


@given(st.integers(3, 999_999))  # the spoken form reads longer ones out digit by digit
def test_a_whole_amount_keeps_its_value_when_it_is_written(yuan: int) -> None:
    written = f"一共{yuan}元"
    assert [q[2] for q in found(written)] == [q[2] for q in found(spoken_form(written).text)] == [yuan]


@pytest.mark.parametrize(
    ("text", "amount", "kind"),
    [
        ("三五万", "三五万", "money"),
        ("三五百块", "三五百块", "money"),
        ("三五个人", "三五个人", "number"),
        ("一二十个", "一二十个", "number"),
        ("一万二三", "一万二三", "money"),
        ("大几万", "大几万", "money"),
        ("百八十块", "百八十块", "money"),
        ("千儿八百", "千儿八百", "money"),
        ("百十号人", "百十号人", "number"),
        ("百十来个人", "百十来个人", "number"),
        ("上百家", "上百家", "number"),
        ("上万块", "上万块", "money"),
        ("两、三千块", "两、三千块", "money"),
        ("2、3千", "2、3千", "money"),
        ("三、四个人", "三、四个人", "number"),
        ("两三点五万块", "两三点五万块", "money"),
    ],
)
def test_a_guess_has_no_value(text: str, amount: str, kind: str) -> None:
    assert found(text) == [(amount, kind, None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("三百八十块", [("三百八十块", "money", 380)]),
        ("三千八百", [("三千八百", "money", 3800)]),
        ("一、二十块钱", [("二十块钱", "money", 20)]),  # the first of a list
        ("三个、四个", [("三个", "number", 3), ("四个", "number", 4)]),
        ("线上千人大会", []),
        ("3000、4000", [("3000", "money", 3000), ("4000", "money", 4000)]),
    ],
)
def test_what_looks_like_a_guess_and_is_none(text: str, expected: list[tuple[str, str, float]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [("一点五万", 15_000), ("十二点五万", 125_000), ("二点三四万", 23_400), ("一点零五亿", 105_000_000)],
)
def test_a_decimal_goes_with_its_scale(text: str, value: int) -> None:
    assert [(n.text, n.value) for n in find_numerals(text)] == [(text, value)]


@given(st.integers(1, 99), st.integers(1, 9), st.sampled_from("万亿"))
def test_a_decimal_is_the_same_spoken_and_written(whole: int, tenths: int, scale: str) -> None:
    said = f"{cn2an.an2cn(whole, 'low')}点{'零一二三四五六七八九'[tenths]}{scale}"
    (one,), (other,) = find_numerals(said), find_numerals(f"{whole}.{tenths}{scale}")
    assert one.value == other.value is not None
