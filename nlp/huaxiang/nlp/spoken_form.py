"""Text with its numbers as they are spoken, for models that were trained on speech.

Transcripts write 8800, 30% and 13658820991; the corpus that the models learned from writes 八千八,
百分之三十 and 幺三六…. A model reads the spoken form, and what it finds is placed in the text as it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import cn2an

from huaxiang.core.types import Turn
from huaxiang.nlp.classifier import Classifier, LabelScore, TurnLabels

_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_DICTATED = str.maketrans("0123456789", "零幺二三四五六七八九")
_WRITTEN = re.compile(
    r"(?<![\dA-Za-z.,])(?:(?P<dictated>\d{7,})|(?P<year>(?:19|20)\d{2})(?=年)|(?P<percent>\d+(?:\.\d+)?)[%％]"
    r"|(?P<clock>\d{1,2})[:：](?P<minute>\d{2})|(?P<number>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?P<unit>[万亿千百]*))(?![\dA-Za-z])"
)
_SCALES = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
# 二百 and 二千 are said 两百 and 两千; a last unit is left out: 八千八.
_TWO = re.compile("(?<!十)二(?=[千万亿])|^二(?=百)")
_LAST_UNIT = re.compile("(千[一二三四五六七八九])百$|(百[一二三四五六七八九])十$|(万[一二三四五六七八九])千$")
_NO_UNIT = re.compile(
    "(?![个块元年月天次人台套件条张份户家间平方米斤吨瓶班节课趟位名岁分秒小公辆只箱盒包号度%多])"
)


@dataclass(frozen=True, slots=True)
class SpokenForm:
    """A text as it is spoken, and for each place where the two part, both offsets."""

    text: str
    _spoken_at: tuple[int, ...]
    _written_at: tuple[int, ...]

    def written_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where ``text[start:end]`` stands in the original; a number is there whole."""
        return self._written(start, False), self._written(end, True)

    def _written(self, spoken: int, is_end: bool) -> int:
        """Pieces alternate: as it stands, rewritten, as it stands …; a rewritten one counts whole."""
        piece = bisect_right(self._spoken_at, spoken - 1 if is_end and spoken else spoken) - 1
        if piece % 2 == 0:
            return self._written_at[piece] + spoken - self._spoken_at[piece]
        return self._written_at[piece + 1] if is_end else self._written_at[piece]


def spoken_form(text: str) -> SpokenForm:
    """Return ``text`` with its written numbers as they are spoken."""
    parts: list[str] = []
    spoken_at, written_at, length, reached = [0], [0], 0, 0
    for match in _WRITTEN.finditer(text):
        parts += [text[reached : match.start()], _spoken(text, match)]
        length += match.start() - reached
        spoken_at.append(length)
        written_at.append(match.start())
        length += len(parts[-1])
        spoken_at.append(length)
        written_at.append(match.end())
        reached = match.end()
    return SpokenForm("".join((*parts, text[reached:])), tuple(spoken_at), tuple(written_at))


class SpokenClassifier:
    """Lets a classifier read turns as they are spoken; its spans come back as places in the text."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    @property
    def source(self) -> str:
        """The classifier's own."""
        return self._classifier.source

    def classify(self, turns: Sequence[Turn]) -> Sequence[TurnLabels]:
        """Return the labels of each turn, in order. Raises what the classifier raises."""
        forms = [spoken_form(turn.text) for turn in turns]
        spoken = [replace(turn, text=form.text) for turn, form in zip(turns, forms, strict=True)]
        return [
            _placed(labels, form)
            for labels, form in zip(self._classifier.classify(spoken), forms, strict=True)
        ]


def _placed(labels: TurnLabels, form: SpokenForm) -> TurnLabels:
    def one(score: LabelScore) -> LabelScore:
        start, end = form.written_span(score.char_start, score.char_end)
        return replace(score, char_start=start, char_end=end)

    return replace(
        labels,
        intents=tuple(one(score) for score in labels.intents),
        acts=tuple(one(score) for score in labels.acts),
        objection=None if labels.objection is None else one(labels.objection),
        sentiment=None if labels.sentiment is None else one(labels.sentiment),
    )


def _spoken(text: str, match: re.Match[str]) -> str:
    if match["dictated"]:
        return match["dictated"].translate(_DICTATED)
    if match["year"]:
        return match["year"].translate(_DIGITS)
    if match["percent"]:
        return f"百分之{_decimal(match['percent'])}"
    if match["clock"]:
        minute = int(match["minute"])
        return f"{_count(Decimal(match['clock']))}点{_count(Decimal(minute)) if minute else ''}"
    number = match["number"].replace(",", "")
    if match["unit"] == "" and (number.startswith("0") and number.isdecimal()):
        return number.translate(_DIGITS)
    value = Decimal(number)
    if "." in number and match["unit"][:1] not in _SCALES:
        return _decimal(number)
    if "." in number:
        value *= _SCALES[match["unit"][0]]
        if value != int(value):
            return _decimal(number) + match["unit"]
        return _count(value, short=bool(_NO_UNIT.match(text, match.end()))) + match["unit"][1:]
    short = not match["unit"] and bool(_NO_UNIT.match(text, match.end()))
    return _count(value, short=short) + match["unit"]


def _decimal(number: str) -> str:
    whole, _, fraction = number.partition(".")
    spoken = _count(Decimal(whole))
    return f"{spoken}点{fraction.translate(_DIGITS)}" if fraction else spoken


def _count(value: Decimal, *, short: bool = False) -> str:
    if value == 2:
        return "两"
    spoken: str = cn2an.an2cn(int(value), "low")
    if spoken.startswith("一十"):
        spoken = spoken[1:]
    if short:
        spoken = _LAST_UNIT.sub(lambda match: next(filter(None, match.groups())), spoken)
    return _TWO.sub("两", spoken)
