"""The words of the pages: both languages say everything, and nothing is asked for that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

import pytest

import huaxiang.console
from huaxiang.console.texts import LANGUAGES, Texts, texts
from huaxiang.core.types import FindingKind, RecordingStatus, Role, Setting

CONSOLE = Path(huaxiang.console.__path__[0])
# Groups whose names come from data: labels, states, reasons.
FROM_DATA = frozenset({
    "act", "by", "case", "correction", "direction", "entity", "error", "identity", "intent",
    "item", "kind", "lifecycle", "metric", "objection", "part", "progress", "reason", "role",
    "scorecard", "sentiment", "setting", "since", "skipped", "sort", "source", "state", "status",
    "step",
})  # fmt: skip
FROM_DATA |= {"case", "case_done", "did", "every", "hindrance", "origin", "preset", "verdict", "wrong"}


@pytest.fixture(params=LANGUAGES)
def text(request: pytest.FixtureRequest) -> Texts:
    return texts(request.param)


def placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


def test_both_languages_have_the_same_keys_with_the_same_blanks() -> None:
    chinese, english = texts("zh").words, texts("en").words
    assert chinese.keys() == english.keys()
    assert {key for key in chinese if placeholders(chinese[key]) != placeholders(english[key])} == set()


def test_no_key_stands_in_two_files() -> None:
    for language in LANGUAGES:
        keys = [
            key
            for path in (CONSOLE / "locales" / language).glob("*.json")
            for key in json.loads(path.read_text("utf-8"))
        ]
        assert len(keys) == len(set(keys)) == len(texts(language).words)


def test_every_key_in_the_templates_and_modules_is_there(text: Texts) -> None:
    used = set()
    for path in [*CONSOLE.rglob("templates/**/*.html"), *CONSOLE.rglob("*.py")]:
        used |= set(re.findall(r'\b(?:t|text)\(\s*[\'"]([a-z_.]+)[\'"]\s*[,)]', path.read_text("utf-8")))
    assert len(used) > 50
    assert used <= text.words.keys()


def test_every_key_is_used() -> None:
    sources = "".join(
        path.read_text("utf-8") for path in [*CONSOLE.rglob("templates/**/*.html"), *CONSOLE.rglob("*.py")]
    )
    unused = {
        key
        for key in texts("zh").words
        if key.split(".")[0] not in FROM_DATA and not re.search(rf"[\"']{re.escape(key)}[\"']", sources)
    }
    assert unused == set()


def test_every_value_of_the_domain_has_a_word(text: Texts) -> None:
    for group, values in (
        ("kind", FindingKind),
        ("status", RecordingStatus),
        ("role", Role),
        ("setting", Setting),
    ):
        assert {f"{group}.{value}" for value in values} <= text.words.keys()


def test_an_unknown_language_is_chinese() -> None:
    assert texts("fr").language == "zh"


def test_a_label_that_nobody_translated_is_shown_as_it_is(text: Texts) -> None:
    assert text.label("intent", "brand_new") == "brand_new"
