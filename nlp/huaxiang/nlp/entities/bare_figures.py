"""What a figure without a unit is: an amount, a count whose unit was left out, or neither.

六千四 is money in a sales talk. It is a count where the words before it count (播放三百), where it is one
side of a thing (六百乘九百) or where the unit of the last count goes on (大桶二十升，小桶十二); it is
neither where it is an age, a rate, a number to dial or the lower end of a range of those.
"""

from __future__ import annotations

import re

from huaxiang.nlp.entities.numerals import Number, Numeral, find_numerals
from huaxiang.nlp.entities.units import NEITHER, ONE_WORD, ORDINAL_BEFORE

LOWEST_BARE_AMOUNT = 10
LOW_TEMPERATURE = re.compile("零[上下]$")
RANGE_JOIN = re.compile("(?:块钱?|元)?[到至~-]")
_IDENTIFIER_BEFORE = re.compile(
    "(?:(?:分机号?|[零〇幺一二三四五六七八九\\d]{7}转|总机转|工号|尾号|编号|型号|房号|单号|卡号|批号|区号|门牌号?|密码|验证码|后四位)(?:就?是|为|：|:)?，?|限速|[A-Za-z.-])$"
)
_AGE_BEFORE = re.compile(
    "(?:[爸妈爷奶公婆]|老太太|老爷子|老头|岁数了?，?)(?:都|快|也|才|已经|就)?$|今年(?:都|快)?$"
)
_AGE_AFTER = re.compile("大寿|高寿|的(?:老?爷爷|老?奶奶|大爷|大妈|老人|老太太|老爷子)")
_LEAST_AGE = 30
# Before a bare figure: a rate (年化八, 成功率大概九十) and a ratio (一比二十) are neither,
# what is watched, driven or measured is a count. 功率八千 stays what its unit says.
_RATE_BEFORE = re.compile(
    "(?:年化(?:收益)?|成功率|(?<!功)率)(?:是|为|有|到|在|达到?|大概|差不多|约)*$|(?<![\\d一二两三四五六七八九十百千万亿点])[一1]比$"
)
_SHARE_SAID = re.compile("(?:个点|百分之|[%％])[^。？！]*$")  # 让五个点，下回再十二
_COUNTED_BEFORE = re.compile(
    "(?:(?:播放|阅读|浏览|访问|点赞|粉丝|在线|里程|海拔|[直外内]径)[量数]?|跑(?:了|出来))(?:就?是|才|就?有|到|大概|差不多)*$"
)
_BY = re.compile("乘以?|[×xX*]")
_BY_BEFORE = re.compile("(?:乘以?|[×xX*])$")
_RESULT = re.compile("等于|[就那]?是|得|一共|总共")
_SERVICE_LINE = re.compile("(?:电话|热线|客服)")
_HEADED = re.compile("^[，、,；]?(?P<head>[\u4e00-\u9fff]{2,3})$")
_CLAUSE_END = re.compile("[，。？！、,；]|$")
_LIKE_SIZE = 10


def may_be_amount(text: str, numeral: Numeral) -> bool:
    """Tell whether a figure that has no unit may be money, by its size and what stands around it."""
    before = text[: numeral.start]
    if numeral.decimal and not re.search("[万千亿kKwW]", numeral.text):
        return False  # a bare decimal is a rate, a score or a version
    if ORDINAL_BEFORE.search(before) or LOW_TEMPERATURE.search(before) or _IDENTIFIER_BEFORE.search(before):
        return False
    if _RATE_BEFORE.search(before) or (
        numeral.value in (400, 800) and _SERVICE_LINE.match(text, numeral.end)
    ):
        return False
    if numeral.value is None:
        return bool(re.search(r"[百千万亿]|\d{3}", numeral.text)) and numeral.text not in (
            "百来",
            "万来",
            "千来",
        )
    if numeral.value < LOWEST_BARE_AMOUNT or (numeral.value < 100 and _SHARE_SAID.search(before)):
        return False
    aged = (
        _AGE_BEFORE.search(before)
        or text.startswith("了", numeral.end)
        or _AGE_AFTER.match(text, numeral.end)
    )
    return not (_LEAST_AGE <= numeral.value < 100 and aged) and numeral.text != "十"


def is_neither(text: str, numeral: Numeral) -> bool:
    """Tell whether what follows makes the numeral a duration, a share, a word with 一 or the like."""
    if numeral.text == "一" and ONE_WORD.match(text, numeral.end):
        return True
    return bool(NEITHER.match(text, numeral.end))


def is_counted(text: str, numeral: Numeral) -> bool:
    """Tell whether the words before count or measure something: 播放三百, 跑了三万."""
    return bool(_COUNTED_BEFORE.search(text[: numeral.start]))


def is_lower_end(text: str, numeral: Numeral) -> bool:
    """Tell whether the figure begins a range that is neither: 三十到四十岁, 十五到二十号."""
    join = RANGE_JOIN.match(text, numeral.end)
    return join is not None and any(
        upper.start == join.end() and is_neither(text, upper) for upper in find_numerals(text)
    )


def is_side(text: str, numeral: Numeral) -> bool:
    """Tell whether the figure is one side of 六百乘九百; 五百乘三十等于 is a sum."""
    if join := _BY.match(text, numeral.end):
        others = [other for other in find_numerals(text) if other.start == join.end()]
    elif join := _BY_BEFORE.search(text[: numeral.start]):
        others = [other for other in find_numerals(text) if other.end == join.start()]
    else:
        return False
    last_end = max([numeral.end, *(other.end for other in others)])
    return any(_alike(numeral.value, other.value) for other in others) and not _RESULT.match(text, last_end)


def goes_on(text: str, numeral: Numeral, start: int, end: int, value: Number | None) -> bool:
    """Tell whether the unit of the last count, at ``text[start:end]``, goes on: 大桶二十升，小桶十二.

    ``value`` is that count's. Both figures have heads of like make (大桶 and 小桶, 早班 and 晚班) and
    are of like size.
    """
    if not _CLAUSE_END.match(text, numeral.end):
        return False
    headed = _HEADED.match(text[end : numeral.start])
    if headed is None or not _alike(numeral.value, value):
        return False
    head = headed["head"]
    first = text[max(0, start - len(head)) : start]
    shared = [one == other for one, other in zip(head, first, strict=False)]
    return len(first) == len(head) and any(shared) and not all(shared)


def _alike(one: Number | None, other: Number | None) -> bool:
    return one is not None and other is not None and one <= other * _LIKE_SIZE and other <= one * _LIKE_SIZE
