"""Decides which numerals are amounts of money and which are counts or measures.

A numeral with a unit says what it is. A bare one (六千四, 一百八) is money in a sales talk unless the
conversation says otherwise: the same figure with a unit, an age, a number read out. So a conversation
is read twice: ``AmountMemory`` first collects the figures that came with a unit.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from huaxiang.nlp.entities.bare_figures import (
    LOW_TEMPERATURE,
    LOWEST_BARE_AMOUNT,
    RANGE_JOIN,
    goes_on,
    is_counted,
    is_lower_end,
    is_neither,
    is_side,
    may_be_amount,
)
from huaxiang.nlp.entities.numerals import Number, Numeral, digits_of, find_numerals, tidy
from huaxiang.nlp.entities.set_phrases import set_phrases
from huaxiang.nlp.entities.units import (
    ANY_UNIT,
    COUNT_UNIT,
    MEASURE_UNIT,
    MONEY_UNIT,
    NEITHER,
    ORDINAL_BEFORE,
)

_TAIL_DIGIT = re.compile(r"(?:[一二两三四五六七八九]|\d(?!\d))(?![十百千万点年月天号个块毛元])")
# 三块五毛, 三百块零五毛, 十二块八毛五; 三块五毛利 is no change.
_CHANGE = re.compile(
    r"零?(?P<jiao>[一二两三四五六七八九1-9])[毛角](?![病毡巾利重坯不也都没])(?P<fen>[一二三四五六七八九1-9](?!\d))?"
)
_MEASURE_TAIL = re.compile(
    r"(?:半|[一二三四五六七八九]{1,2}|\d(?!\d)|(?<=米)\d{2})(?![\d十百千万点块毛元房室居厅个])"
)
_MONEY_BEFORE = re.compile(
    "(?:[赔付交补贵省赚亏花押退返扣减送收卖价钱元]|便宜|定金|首付|月租|一[个张台件平次人年月])$"
)
_PER_ONE = re.compile(f"一(?:{ANY_UNIT.pattern})")
_UNIT_PRICE_BEFORE = re.compile("(?:均价|单价|[一每]个?平(?:米|方)?)(?:现在|大概|差不多|就?是|在|才|约)*$")
_UNIT_PRICE_AFTER = re.compile("[一每/]个?平")
_TOTAL_BEFORE = re.compile("总价(?:大概|差不多|就?是|就?在|也就|才|约)*$")
# 一个月三百六 is no flat's price.
_RUNNING_BEFORE = re.compile("(?:[一每]个?(?:月|年|天|周|星期|礼拜|季度|小时|人|次|趟|平|平米|平方))$")
_CURRENCY_BEFORE = re.compile(r"(?:(?P<yuan>[¥￥])|(?P<foreign>[$€£]))\s?$")
_PRONOUN_BEFORE = re.compile("[我咱他她你您它们]$")
_CHILD = re.compile("孩|娃|闺女|儿子|姑娘|小")
_HIGHEST_SHORTENED = 1000  # 三百六 for 3,600,000: the 万 is left out below a thousand
_SAME_SCALE = (0.6, 1.6)
_MYRIAD = 10_000


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount at ``text[start:end]``: ``type`` is ``money`` (value in yuan) or ``number``.

    ``explicit`` tells that a unit was said with it.
    """

    start: int
    end: int
    type: str
    value: Number | None
    explicit: bool


@dataclass(slots=True)
class AmountMemory:
    """The figures of one conversation that came with a unit."""

    money: Counter[Number] = field(default_factory=Counter)
    numbers: Counter[Number] = field(default_factory=Counter)
    myriads: list[float] = field(default_factory=list)
    unit_prices: list[Number] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Collect the figures of one turn that came with a unit."""
        for numeral in _open_to_reading(text):
            quantity = _with_unit(text, numeral)
            if quantity is not None and quantity.value is not None:
                (self.money if quantity.type == "money" else self.numbers)[quantity.value] += 1
            if "万" in numeral.text and numeral.value and (quantity is None or quantity.type == "money"):
                self.myriads.append(float(numeral.value) / _MYRIAD)
            if numeral.value and (
                _UNIT_PRICE_BEFORE.search(text[: numeral.start]) or _UNIT_PRICE_AFTER.match(text, numeral.end)
            ):
                self.unit_prices.append(numeral.value)

    def is_number(self, value: Number | None) -> bool:
        """Tell whether the figure was said as a count, and never as an amount."""
        return value is not None and value in self.numbers and value not in self.money

    def in_yuan(self, numeral: Numeral, before: str) -> Number | None:
        """Return a bare amount in yuan, with the 万 that the speaker left out put back.

        ``before`` is the turn up to the amount.
        """
        value = numeral.value
        if value is None or value >= _HIGHEST_SHORTENED or value in self.money:
            return value
        if _RUNNING_BEFORE.search(before):
            return value
        low, high = _SAME_SCALE
        if _TOTAL_BEFORE.search(before) and any(value < price for price in self.unit_prices):
            return tidy(Decimal(str(value)) * _MYRIAD)  # a total is not less than one square metre
        if any(low <= value / myriad <= high for myriad in self.myriads):
            return tidy(Decimal(str(value)) * _MYRIAD)
        return value


def find_quantities(text: str, memory: AmountMemory) -> list[Quantity]:
    """Return the amounts and counts of one turn from left to right."""
    numerals = _open_to_reading(text)
    found: list[Quantity] = []
    for position, numeral in enumerate(numerals):
        if found and numeral.start < found[-1].end:
            continue
        following = numerals[position + 1] if position + 1 < len(numerals) else None
        quantity = _range(text, numeral, following) or _single(
            text, numeral, memory, found[-1] if found else None
        )
        if quantity is not None:
            found.append(quantity)
    return found


def _open_to_reading(text: str) -> list[Numeral]:
    passages = set_phrases(text)
    return [
        numeral
        for numeral in find_numerals(text)
        if all(numeral.end <= start or end <= numeral.start for start, end in passages)
    ]


def _range(text: str, first: Numeral, second: Numeral | None) -> Quantity | None:
    """Read 四万八到五万二 or 两到三个 as one open quantity."""
    if second is None or first.digits or second.digits or ORDINAL_BEFORE.search(text[: first.start]):
        return None
    join = RANGE_JOIN.match(text, first.end)
    if (join is None or join.end() != second.start) and not _is_guess(text, first, second):
        return None
    whole = _with_unit(text, second)
    if whole is not None:
        return Quantity(first.start, whole.end, whole.type, None, explicit=True)
    rising = first.value is not None and second.value is not None and first.value < second.value
    if rising and (second.value or 0) >= _HIGHEST_SHORTENED and not NEITHER.match(text, second.end):
        kind = "number" if is_counted(text, first) else "money"
        return Quantity(first.start, second.end, kind, None, explicit=False)
    return None


def _single(text: str, numeral: Numeral, memory: AmountMemory, last: Quantity | None) -> Quantity | None:
    explicit = _with_unit(text, numeral)
    if explicit is not None:
        return explicit
    if _has_other_unit(text, numeral) or not may_be_amount(text, numeral) or is_lower_end(text, numeral):
        return None
    before = text[: numeral.start]
    counted = memory.is_number(numeral.value) and not (
        _MONEY_BEFORE.search(before) or _PER_ONE.match(text, numeral.end)
    )
    if last is not None and last.type == "number":
        counted = counted or goes_on(text, numeral, last.start, last.end, last.value)
    if counted or is_counted(text, numeral) or is_side(text, numeral):
        return Quantity(numeral.start, numeral.end, "number", numeral.value, explicit=False)
    return Quantity(numeral.start, numeral.end, "money", memory.in_yuan(numeral, before), explicit=False)


def _is_guess(text: str, first: Numeral, second: Numeral) -> bool:
    """Tell whether both are one guess, as a recogniser may write it: 两、三千, 2、3千."""
    if first.value is None or second.value is None or text[first.end : second.start] != "、":
        return False
    return 2 <= first.value < 9 and str(second.value)[0] == str(first.value + 1)


def _with_unit(text: str, numeral: Numeral) -> Quantity | None:
    if numeral.digits or ORDINAL_BEFORE.search(text[: numeral.start]):
        return None
    if currency := _CURRENCY_BEFORE.search(text[: numeral.start]):
        value = numeral.value if currency["yuan"] else None
        return Quantity(currency.start(), numeral.end, "money", value, explicit=True)
    if numeral.text in ("俩", "仨"):
        return _pair(text, numeral)
    if numeral.text in ("几", "好几", "大几", "几多", "一两"):
        return None
    if match := MONEY_UNIT.match(text, numeral.end):
        return _money(text, numeral, match)
    if is_neither(text, numeral):
        return None
    if match := MEASURE_UNIT.match(text, numeral.end):
        return _measure(text, numeral, match)
    if match := COUNT_UNIT.match(text, numeral.end):
        return _count(text, numeral, match)
    return None


def _money(text: str, numeral: Numeral, unit: re.Match[str]) -> Quantity | None:
    end = unit.end()
    if unit["fen"] and numeral.value == 1:
        return None  # 一分钱 is an idiom
    if unit["foreign"]:
        return Quantity(numeral.start, end, "money", None, explicit=True)
    step = Decimal(1) if unit["yuan"] else Decimal("0.1") if unit["jiao"] else Decimal("0.01")
    open_end = text[end : end + 1] in ("多", "来") and not text.startswith("多少", end)
    tail = None if open_end or unit.group().endswith("钱") else _TAIL_DIGIT.match(text, end)
    if tail and (tail.group() in "一1" or numeral.decimal) and ANY_UNIT.match(text, tail.end()):
        tail = None  # 两块一斤 is two yuan a pound
    if numeral.value is not None and unit.group() == "块" and (change := _CHANGE.match(text, end)):
        return _with_change(text, numeral, change)
    if numeral.value == 1 and unit.group() == "块" and not tail:
        return None
    if open_end:
        end += 1
        end += text.startswith("钱", end)
    if numeral.value is None or open_end:
        return Quantity(numeral.start, end, "money", None, explicit=True)
    value = Decimal(str(numeral.value)) * step
    if tail:
        value += int(digits_of(tail.group())) * step / 10
        end = tail.end()
    return Quantity(numeral.start, end, "money", tidy(value), explicit=True)


def _with_change(text: str, numeral: Numeral, change: re.Match[str]) -> Quantity:
    """Read 十二块八毛五; in 三块五毛一斤 the 一 belongs to the pound."""
    value = Decimal(str(numeral.value)) + Decimal(digits_of(change["jiao"])) / 10
    end = change.end("fen") if change["fen"] else change.end()
    of_the_next = ANY_UNIT.match(text, end) or NEITHER.match(text, end) or text.startswith("分期", end)
    if change["fen"] and of_the_next and (text.startswith("分期", end) or not text.startswith("分", end)):
        end -= 1
    elif change["fen"]:
        value += Decimal(digits_of(change["fen"])) / 100
        end += text.startswith("分", end) and not text.startswith("分期", end)
    end += text.startswith("钱", end)
    return Quantity(numeral.start, end, "money", tidy(value), explicit=True)


def _measure(text: str, numeral: Numeral, unit: re.Match[str]) -> Quantity | None:
    start, end, value = numeral.start, unit.end(), numeral.value
    tail = _MEASURE_TAIL.match(text, end)
    if tail and not ANY_UNIT.match(text, tail.end()) and value is not None:
        digits = tail.group()
        part = Decimal("0.5") if digits == "半" else Decimal(f"0.{digits_of(digits)}")
        value, end = tidy(Decimal(str(value)) + part), tail.end()
    elif value == 1:
        return None
    if sign := LOW_TEMPERATURE.search(text[:start]):
        start -= 2
        value = -value if value is not None and sign.group() == "零下" else value
    return Quantity(start, end, "number", value, explicit=True)


def _count(text: str, numeral: Numeral, unit: re.Match[str]) -> Quantity | None:
    before, name = text[: numeral.start], unit.group()
    small = len(numeral.text) <= 2 if numeral.value is None else numeral.value < LOWEST_BARE_AMOUNT
    if numeral.value == 1 or numeral.text == "二":
        return None
    if (name == "分" and numeral.value == LOWEST_BARE_AMOUNT) or (
        name == "头" and numeral.text in ("两", "零")
    ):
        return None
    if (name in ("位", "名") and small) or (name == "期" and before.endswith("分")):
        return None
    return Quantity(numeral.start, unit.end(), "number", numeral.value, explicit=True)


def _pair(text: str, numeral: Numeral) -> Quantity | None:
    if _PRONOUN_BEFORE.search(text[: numeral.start]) or not _CHILD.match(text, numeral.end):
        return None
    return Quantity(numeral.start, numeral.end, "number", numeral.value, explicit=False)


def _has_other_unit(text: str, numeral: Numeral) -> bool:
    end = numeral.end
    return bool(
        numeral.digits
        or is_neither(text, numeral)
        or MEASURE_UNIT.match(text, end)
        or COUNT_UNIT.match(text, end)
        or MONEY_UNIT.match(text, end)
    )
