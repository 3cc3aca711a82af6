"""Values of Mandarin numerals, spoken (两万三千五), written (23500) or half and half (2万3千5)."""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_MYRIAD, _HUNDRED_MILLION = 10_000, 100_000_000
_ONE = "[一二两三四五六七八九]"
_TENS = f"(?:{_ONE}?十{_ONE}?)"
_HUNDREDS = f"(?:{_ONE}百(?:零{_ONE}|{_TENS}|{_ONE})?)"
_THOUSANDS = f"(?:{_ONE}千(?:零(?:{_TENS}|{_ONE})|{_HUNDREDS}|{_ONE})?)"
SECTION = f"(?:{_THOUSANDS}|{_HUNDREDS}|{_TENS}|{_ONE})"
_MYRIADS = f"(?:{SECTION}万(?:零?{SECTION})?)"
SPOKEN = f"(?:{SECTION}亿(?:零?(?:{_MYRIADS}|{SECTION}))?|{_MYRIADS}|{SECTION})"
"""A closed numeral as it is spoken: no 几, no 三四十, nothing left open."""

_ANY = rf"(?:\d|{_ONE})"
_BELOW_MYRIAD = rf"(?:{_ANY}千)?(?:零?{_ANY}百)?(?:零?{_ANY}?十)?{_ANY}?"
MIXED = rf"(?:\d+(?:\.\d+)?(?:[百千]?[万亿]|[百千])(?:零?{_BELOW_MYRIAD}|\d{{4}})?)"
"""A numeral that a recogniser wrote half in digits: 3万5, 3百, 1万2千, 2千8."""

_TOKEN = re.compile(rf"(\d+(?:\.\d+)?|{_ONE})?([十百千])?")


def value_of(numeral: str) -> Decimal:
    """Return the value of what ``SPOKEN`` or ``MIXED`` matches whole.

    A last digit right after a unit counts in tenths of it, as people say it: 三千五 is 3500.
    """
    total, unit = Decimal(0), 1
    rest = numeral
    for mark, scale in (("亿", _HUNDRED_MILLION), ("万", _MYRIAD)):
        head, found, tail = rest.partition(mark)
        if found:
            total += _section(head, 1) * scale
            rest, unit = tail, scale
    return total + _section(rest, unit)


def digits_of(spoken: str) -> str:
    """Turn digits read out one by one into Arabic ones: 幺三六 is 136."""
    return "".join(str(_DIGITS.get(char, char)) for char in spoken)


def written_integer(value: int) -> str:
    """Write a count as people read it: 3500, 3万, 12.5万, 128600, 1.2亿.

    From ten thousand on, 万 or 亿 stand where at most one decimal is left (GB/T 15835-2011, 5.1.3).
    """
    for scale, mark in ((_HUNDRED_MILLION, "亿"), (_MYRIAD, "万")):
        if value >= scale:
            if value % (scale // 10) == 0:
                return f"{_plain(Decimal(value) / scale)}{mark}"
            if scale == _HUNDRED_MILLION and value % _MYRIAD == 0:
                return f"{value // _MYRIAD}万"
    return str(value)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _section(text: str, last_unit: int) -> Decimal:
    """Return the value of what stands below 万; ``last_unit`` is the unit right before it."""
    total, zero = Decimal(0), False
    for match in _TOKEN.finditer(text.replace("零", "0零")):
        digits, scale = match.groups()
        if digits == "0":
            zero = True
        elif digits or scale:
            count = Decimal(_DIGITS[digits]) if digits in _DIGITS else Decimal(digits or 1)
            if scale:
                last_unit = _SCALES[scale]
                total += count * last_unit
            else:
                tenths = last_unit >= 10 and len(digits) == 1 and not zero
                if tenths and last_unit > 10:
                    count = count * last_unit / 10
                total += count
            zero = False
    return total
