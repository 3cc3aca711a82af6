"""Finds telephone numbers, read out digit by digit or written, and gives their digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from huaxiang.nlp.entities.numerals import digits_of

_DIGIT = r"[零〇幺一二两三四五六七八九0-9]"
# People pause and recognisers put commas between the groups of a number.
_RUN = re.compile(rf"(?:\+?86[-\s]?)?{_DIGIT}(?:[\s,，、-]?{_DIGIT}){{9,12}}(?!{_DIGIT}|[十百千万亿])")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}")
_SERVICE = re.compile(r"[48]00\d{7}")


@dataclass(frozen=True, slots=True)
class PhoneMention:
    """A telephone number at ``text[start:end]``; ``digits`` are national, as dialled."""

    start: int
    end: int
    digits: str


def find_phones(text: str) -> list[PhoneMention]:
    """Return the telephone numbers of ``text``: mobile, landline with area code, 400 and 800."""
    found = []
    for match in _RUN.finditer(text):
        digits = re.sub(r"\D", "", digits_of(match.group()))
        digits = digits.removeprefix("86") if len(digits) > 12 else digits
        if any(form.fullmatch(digits) for form in (_MOBILE, _LANDLINE, _SERVICE)):
            found.append(PhoneMention(*match.span(), digits))
    return found
