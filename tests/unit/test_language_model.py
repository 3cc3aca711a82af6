"""How likely a word is after two others."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.asr.language_model import (
    SHIPPED_SENTENCES,
    START,
    WordTrigrams,
    read_sentences,
    write_sentences,
)
from huaxiang.core.errors import ModelCorrupt

CALLS = Path(__file__).parents[1] / "data" / "calls"
WORDS = ("多少", "钱", "前", "一年", "贵")
ORDINARY = {word: count for count, word in enumerate(WORDS, start=1)}
SENTENCES = (("多少", "钱"), ("多少", "钱", "一年"), ("一年", "多少", "钱"), ("多少", "贵"))

sentences = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), max_size=8)


@given(sentences, st.sampled_from((START, *WORDS)), st.sampled_from((START, *WORDS)))
def test_the_words_after_any_history_share_all_probability(
    said: list[list[str]], before: str, last: str
) -> None:
    model = WordTrigrams(said, ORDINARY)
    total = sum(math.exp(model.log_probability(word, before, last)) for word in WORDS)
    assert total == pytest.approx(1.0, abs=1e-6)


def test_what_is_said_after_a_word_is_likelier_than_what_is_not() -> None:
    model = WordTrigrams(SENTENCES, ORDINARY)
    assert model.log_probability("钱", START, "多少") > model.log_probability("前", START, "多少")


def test_two_words_before_tell_more_than_one() -> None:
    model = WordTrigrams(SENTENCES, ORDINARY)
    assert model.log_probability("钱", "一年", "多少") > model.log_probability("钱", START, "多少")


def test_after_an_unheard_history_only_the_word_itself_counts() -> None:
    model = WordTrigrams(SENTENCES, ORDINARY)
    assert model.log_probability("钱", "贵", "前") == pytest.approx(model.log_unigram("钱"))


def test_a_word_that_no_table_knows_is_possible() -> None:
    assert math.isfinite(WordTrigrams(SENTENCES, ORDINARY).log_probability("鑫", START, START))


def test_the_estimate_is_that_of_witten_and_bell() -> None:
    model = WordTrigrams([("多少", "钱"), ("多少", "贵")], {"多少": 1, "钱": 1, "贵": 1, "前": 1})
    single = (1 + 3 * 0.25) / (4 + 3)
    pair = (1 + 2 * single) / (2 + 2)
    triple = (1 + 2 * pair) / (2 + 2)
    assert model.log_probability("钱", START, "多少") == pytest.approx(math.log(triple))


def test_sentences_are_read_as_they_were_written(tmp_path: Path) -> None:
    first, second = tmp_path / "first.gz", tmp_path / "second.gz"
    for path in (first, second):
        write_sentences(path, SENTENCES, {"two.jsonl": "abc", "one.jsonl": "def"}, ["b", "a"])
    assert read_sentences(first) == list(SENTENCES)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "words.gz"
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"words\.gz"):
        read_sentences(path)


def test_the_shipped_sentences_hold_none_of_the_demo_calls() -> None:
    shipped = {"".join(sentence) for sentence in read_sentences(SHIPPED_SENTENCES)}
    for truth in CALLS.glob("*.json"):
        turns = json.loads(truth.read_text(encoding="utf-8"))["turns"]
        longest = max((part for turn in turns for part in turn["text"].split("，")), key=len)
        assert not any(longest in sentence for sentence in shipped), truth.stem
