"""Numbers are written as people read them; what is no exact figure stays as it was said."""

from __future__ import annotations

import json
from pathlib import Path

import cn2an
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from huaxiang.asr.error_rate import normalise_for_scoring
from huaxiang.asr.numerals import value_of
from huaxiang.asr.written_numbers import rewritings, written_numbers
from huaxiang.core.evidence import span_times
from huaxiang.core.types import Role, Turn, Word


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("三万块", "3万块"),
        ("一共两百三", "一共230"),
        ("六千四", "6400"),
        ("四百零五", "405"),
        ("二十三万八", "23.8万"),
        ("十二万八千六", "128600"),
        ("一亿两千万", "1.2亿"),
        ("两百多", "200多"),
        ("二十多万", "20多万"),
        ("两块五", "2块5"),
        ("一点二万", "1.2万"),
        ("零点八", "0.8"),
        ("三点五折", "3.5折"),
        ("百分之三十", "30%"),
        ("百分之三点五", "3.5%"),
        ("四十个人", "40个人"),
        ("十五天", "15天"),
        ("十天", "10天"),
        # times and dates
        ("下周二下午三点", "下周二下午3点"),
        ("周四三点半", "周四3点半"),
        ("周六十点半", "周六10点半"),
        ("九点到十点", "9点到10点"),
        ("三点零五分", "3点05分"),
        ("五点一过就来", "五点一过就来"),
        ("三月五号", "3月5号"),
        ("二零二六年", "2026年"),
        # read out digit by digit, with pauses or not
        ("幺三六五八八二零九九一", "13658820991"),
        ("幺三六，五八八二，零九九一", "13658820991"),
        ("零幺零，八八二六三幺零零", "01088263100"),
        ("工号九五二七", "工号9527"),
        # what a recogniser leaves half done
        ("3万5", "3.5万"),
        ("3百多", "300多"),
        ("1千2百", "1200"),
        ("1万2千8", "12800"),
        ("3点5折", "3.5折"),
        ("百分之30", "30%"),
        ("幺三六58820991", "13658820991"),
    ],
)
def test_figures_are_written_in_digits(said: str, written: str) -> None:
    assert written_numbers(said) == written


@pytest.mark.parametrize(
    "said",
    [
        # words that hold a numeral
        "一起", "一下", "万一", "三心二意", "一些", "十分", "十分满意", "第一", "一般", "五金", "千万别",
        "十全十美", "双十一", "八九不离十", "一五一十", "百分之百", "万儿八千", "成百上千", "一百个放心",
        "二百五",
        # left open
        "十几个", "几十块", "三四百", "四五千块", "两三天", "十来个", "二十来个", "好几百", "一万二三",
        "百分之二三十", "数十万",
        # below ten, without a unit that asks for digits
        "一个人", "三个", "两家", "三天", "有三点建议", "便宜一点", "三块屏", "三室两厅",
        # readable in two ways
        "八百一个月", "二十万一车", "五千克", "两千瓦",
        # the lunar calendar, weekdays, shares
        "大年三十", "正月十五", "腊月二十八", "周二", "星期三", "三分之一", "千分之十五",
        # written already
        "3万块", "1,200元", "13658820991", "2.5折", "A4纸", "T90",
    ],
)  # fmt: skip
def test_what_is_no_exact_figure_stays(said: str) -> None:
    assert written_numbers(said) == said


@given(st.integers(10, 999_999_999))
def test_a_spoken_count_keeps_its_value(value: int) -> None:
    spoken = cn2an.an2cn(value, "low")
    assert value_of(spoken) == cn2an.cn2an(spoken, "smart") == value
    sentence = f"一共{spoken}块钱"
    assert normalise_for_scoring(written_numbers(sentence)) == normalise_for_scoring(sentence)
    assert not set(written_numbers(sentence)) & set("二三四五六七八九十百千零")


@given(st.sampled_from("百千万"), st.integers(1, 9), st.integers(2, 9))
def test_a_last_digit_counts_in_tenths_of_its_unit(unit: str, count: int, last: int) -> None:
    spoken = f"{'一两三四五六七八九'[count - 1]}{unit}{'零一二三四五六七八九'[last]}"
    assert value_of(spoken) == cn2an.cn2an(spoken, "smart")
    assert value_of(f"{count}{unit}{last}") == value_of(spoken)


numeric_text = st.text("零一二两三四五六七八九十百千万亿点半多几个块号月年周分之幺第，35.%", max_size=16)


@settings(max_examples=400, deadline=None)
@given(numeric_text)
def test_rewritings_lie_in_the_text_in_order(text: str) -> None:
    reached = 0
    for rewriting in rewritings(text):
        assert reached <= rewriting.start < rewriting.end <= len(text)
        assert rewriting.written
        reached = rewriting.end


@example(2, 23_000)
@given(st.integers(2, 12), st.integers(10, 999_999))
def test_a_written_number_is_heard_where_it_was_said(lead: int, value: int) -> None:
    spoken = "我" * lead + cn2an.an2cn(value, "low") + "块钱对"
    words = tuple(Word(100 * at, 100 * at + 100, char, 0.9) for at, char in enumerate(spoken))
    text = written_numbers(spoken)
    turn = Turn(0, Role.AGENT, 0, 100 * len(spoken), text, spoken, words=words)
    start_ms, end_ms = span_times(turn, lead, text.index("块"))
    assert start_ms == 100 * lead
    assert end_ms == 100 * spoken.index("块")


@pytest.mark.shared
def test_the_error_rate_of_the_corpus_does_not_change_by_how_numbers_are_written(shared_dir: Path) -> None:
    lines = (shared_dir / "corpus" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [turn["text"] for line in lines for turn in json.loads(line)["turns"]]
    written = [written_numbers(text) for text in texts]
    assert sum(text != other for text, other in zip(texts, written, strict=True)) > 2000
    changed = [
        place
        for place, (text, other) in enumerate(zip(texts, written, strict=True))
        if normalise_for_scoring(text) != normalise_for_scoring(other)
    ]
    assert changed == []
    assert [place for place, text in enumerate(written) if written_numbers(text) != text] == []
