"""What can be wrong in a rule file: every mistake has a place, a cause and a cure, in Chinese and English."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import yaml


@cache
def mistake_words() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return cause and cure by code and language (``en``, ``zh``), from mistakes.yaml."""
    text = files("huaxiang.quality").joinpath("mistakes.yaml").read_text(encoding="utf-8")
    return {
        code: {language: (words[0], words[1]) for language, words in texts.items()}
        for code, texts in yaml.safe_load(text).items()
    }


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong in a file, and where (lines and columns count from 1)."""

    line: int
    column: int
    code: str
    values: tuple[tuple[str, str | float], ...] = ()

    @property
    def message(self) -> str:
        """The cause, in English."""
        return self.words()[0]

    @property
    def cure(self) -> str:
        """What to do about it, in English."""
        return self.words()[1]

    def words(self, language: str = "en") -> tuple[str, str]:
        """Return cause and cure in ``en`` or ``zh``."""
        texts = mistake_words()[self.code]
        cause, cure = texts["zh" if language == "zh" else "en"]
        values = dict(self.values)
        return cause.format(**values), cure.format(**values)


def nearest_of(value: str, options: Collection[str]) -> str | None:
    """Return the option that is spelt most like a word, or None where none is alike."""
    return next(iter(get_close_matches(value, sorted(options), n=1, cutoff=0.6)), None)


def nearest_words(value: str, options: Collection[str]) -> dict[str, str]:
    """Return the cure of an unknown word, in both languages: the nearest right one where there is one."""
    near = nearest_of(value, options)
    if near is not None:
        return {"nearest": f"did you mean {near!r}?", "nearest_zh": f"是不是 {near!r}？"}
    return {
        "nearest": f"use one of these: {_some(options)}" if options else "there is none here",
        "nearest_zh": f"可用：{_some(options)}" if options else "这里一个也没有",
    }


def _some(options: Collection[str]) -> str:
    shown = sorted(options)[:30]
    return ", ".join(shown) + (" …" if len(options) > len(shown) else "")
