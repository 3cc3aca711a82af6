"""The error rate counts what was misheard, and not how it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.asr.error_rate import CharacterErrors, count_errors, error_rate, joined, normalise_for_scoring


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("兩千塊錢", "两千块钱"),
        ("三千五", "3500"),
        ("三千五", "3,500"),
        ("一万二", "1.2万"),
        ("一万二", "1万2"),
        ("一万一千五百二", "11520"),
        ("百分之三十", "30%"),
        ("百分之三点五", "3.5％"),
        ("三点五折", "3.5折"),
        ("十点三十", "10:30"),
        ("二零二六年", "2026年"),
        ("幺三八一二三四五六七八", "138-1234-5678"),
        ("两百五", "250"),
        ("一百万", "100万"),
        ("十五点五万", "155000"),
        ("嗯，您好啊！", "您好"),
        ("ＥＲＰ系统", "erp 系统"),
    ],
)
def test_two_ways_to_write_the_same_words_are_equal(one: str, other: str) -> None:
    assert normalise_for_scoring(one) == normalise_for_scoring(other)
    assert count_errors(one, other).errors == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("三千五", "三千五十"), ("十个", "十一个"), ("三四十个", "三十个"), ("万一", "万二"), ("不贵", "贵")],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert normalise_for_scoring(one) != normalise_for_scoring(other)


@settings(deadline=None)
@given(st.text("零〇一二两三十百千万亿点05。.:%,个元年", max_size=24))
def test_no_spelled_digit_and_no_mark_is_left_of_any_numerals(text: str) -> None:
    assert not set("零〇一二两三。.:%,") & set(normalise_for_scoring(text))


@settings(deadline=None)
@given(st.integers(0, 10**12))
def test_every_whole_number_reads_as_its_digits(number: int) -> None:
    assert normalise_for_scoring(f"{number:,}元") == f"{number}元"


def test_errors_are_told_apart() -> None:
    assert count_errors("今天签合同", "今天千合同吧") == CharacterErrors(1, 0, 1, 5)
    assert count_errors("今天签合同", "今天") == CharacterErrors(0, 3, 0, 5)


def test_turns_are_joined_so_that_their_numbers_do_not_run_together() -> None:
    assert count_errors(joined(["一共三百", "五十个"]), joined(["一共300", "50个"])).errors == 0


def test_the_rate_is_pooled_and_the_worst_come_first() -> None:
    rate = error_rate(
        {
            "good": CharacterErrors(0, 0, 0, 90),
            "bad": CharacterErrors(5, 0, 0, 10),
            "invented": CharacterErrors(0, 0, 5, 0),
        }
    )
    assert rate.rate == pytest.approx(0.10)
    assert [key for key, _ in rate.worst] == ["invented", "bad", "good"]
    assert (rate.substitutions, rate.deletions, rate.insertions, rate.utterances) == (5, 0, 5, 3)


def test_the_interval_holds_the_rate_and_is_the_same_each_time() -> None:
    counts = {str(place): CharacterErrors(place % 4, 0, 0, 10) for place in range(40)}
    first, second = error_rate(counts), error_rate(counts)
    assert first == second
    assert first.low < first.rate < first.high


def test_without_reference_there_is_no_rate() -> None:
    with pytest.raises(ValueError, match="reference"):
        error_rate({"a": CharacterErrors(0, 0, 1, 0)})
    with pytest.raises(ValueError, match="reference"):
        error_rate({})
