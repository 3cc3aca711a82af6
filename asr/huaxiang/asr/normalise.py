"""From what a recogniser emits to Mandarin as people read it; the raw text is kept beside it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Protocol

from opencc import OpenCC

from huaxiang.asr.questions import asks
from huaxiang.asr.written_numbers import written_numbers

_CJK = r"\u3400-\u9fff\uf900-\ufaff"
_MARKS = "，。？！、；："
_SENTENCE_ENDS = "？！。"
_GAP = re.compile(rf"(?<=[{_CJK}0-9，。？！、；：])\s+|\s+(?=[{_CJK}，。？！、；：])")
_BEFORE_MARK = re.compile(r"\s+(?=[,.?!;:，。？！、；：])")
_PAUSE = re.compile(rf"(?<=[{_CJK}])\s+(?=[{_CJK}])|(?<=[0-9])\s+(?=[0-9])")
_FULL_WIDTH = {",": "，", "?": "？", "!": "！", ";": "；", ":": "："}
_NEAR_CJK = re.compile(rf"(?<=[{_CJK}])[,?!;:]|[,?!;:](?=\s*[{_CJK}])")
_FULL_STOP = re.compile(rf"(?<=[{_CJK}])\.(?!\d)")
_RUN_OF_MARKS = re.compile(rf"[{_MARKS}]{{2,}}")
# OpenCC leaves 著 as it is, since it is both 着 (看著) and itself (著名): what no word claims is 着.
_ZHUO = re.compile(
    "(?<![原显名土编专巨卓昭拙])(?<!^论)(?<![^讨议谈争评]论)著(?!名(?!字)|作(?!业)|称|者|述|录)"
)


class TextNormaliser(Protocol):
    """Makes recognised text readable."""

    def readable(self, raw: str) -> str:
        """Return the readable form of one turn."""


@dataclass(frozen=True)
class MandarinNormaliser:
    """Simplified script, full-width punctuation, written numbers, an end mark, questions marked."""

    _simplifier: OpenCC = field(default_factory=lambda: OpenCC("t2s"))

    def readable(self, raw: str) -> str:
        """Return the readable form of one turn; a turn of no letters and no digits gives ``""``.

        NFC, traditional characters to simplified ones (OpenCC t2s, and 著 to 着 but in words of its own),
        pauses between characters to commas, ASCII punctuation beside Mandarin to full width, repeated
        marks to one, numbers as people read them (``written_numbers``), a mark at the end: ``？`` where
        the last clause asks, else ``。``.
        """
        text = self._simplifier.convert(unicodedata.normalize("NFC", raw)).strip()
        text = _ZHUO.sub("着", text)
        text = _BEFORE_MARK.sub("", text)
        text = _NEAR_CJK.sub(lambda match: _FULL_WIDTH[match.group()], text)
        text = _FULL_STOP.sub("。", text)
        text = _PAUSE.sub("，", text)
        text = _GAP.sub("", text)
        text = _RUN_OF_MARKS.sub(lambda match: _strongest(match.group()), text).lstrip(_MARKS)
        text = written_numbers(text)
        if not any(char.isalnum() for char in text):
            return ""
        return _ended(_questions_marked(text))


def _questions_marked(text: str) -> str:
    """Turn the full stop after a clause that asks into a question mark."""
    parts = re.split(r"([。？！])", text)
    for index in range(1, len(parts), 2):
        if parts[index] == "。" and asks(_last_clause(parts[index - 1])):
            parts[index] = "？"
    return "".join(parts)


def _ended(text: str) -> str:
    body = text.rstrip("，、；：")
    if body[-1] in _SENTENCE_ENDS:
        return body
    return body + ("？" if asks(_last_clause(body)) else "。")


def _strongest(marks: str) -> str:
    return next((mark for mark in _SENTENCE_ENDS if mark in marks), marks[0])


def _last_clause(text: str) -> str:
    return re.split(r"[，、；：。？！]", text)[-1]
