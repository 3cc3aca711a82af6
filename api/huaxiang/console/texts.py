"""The words of the pages in Chinese and English."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = {"zh": "zh-CN", "en": "en"}
"""Language of the switch → tag for ``lang``. The first is what a new visitor sees."""
DEFAULT_LANGUAGE = "zh"


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language, by key."""

    language: str
    words: Mapping[str, str]

    @property
    def tag(self) -> str:
        """The BCP 47 tag of the language."""
        return LANGUAGES[self.language]

    def __call__(self, key: str, **values: str | int | float) -> str:
        """Return the text of ``key`` with ``{name}`` filled in. Raises KeyError for an unknown key."""
        return self.words[key].format(**values) if values else self.words[key]

    def label(self, group: str, name: str) -> str:
        """Return the text of a label from data (``intent.reject``), or the name itself where it is new."""
        return self.words.get(f"{group}.{name}", name)


@cache
def texts(language: str) -> Texts:
    """Return the words of ``language``, of the default one where it is unknown."""
    chosen = language if language in LANGUAGES else DEFAULT_LANGUAGE
    words: dict[str, str] = {}
    for source in files("huaxiang.console").joinpath("locales", chosen).iterdir():
        words |= json.loads(source.read_text(encoding="utf-8"))
    return Texts(chosen, words)
