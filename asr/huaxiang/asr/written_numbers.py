"""Writes spoken numbers as people read them: amounts, dates, times, telephone numbers, per cent.

What is written follows GB/T 15835-2011: exact figures in Arabic digits; figures that are left open
(几十, 三四百), words that hold a numeral (一起, 万一, 十分), ordinals below ten, the lunar calendar and
weekdays in characters. Where a numeral can be read in two ways (八百一个月) it stays as it was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from huaxiang.asr.numerals import MIXED, SECTION, SPOKEN, digits_of, value_of, written_integer

_ONE = "[一二两三四五六七八九]"
_KEPT = re.compile(
    "十[分足全](?!钟|之)|十有八九|十之八九|十拿九稳|十全十美|十字|十指|十月怀胎|十万火急|十万八千里|十年八年|十天半|十天八天"
    "|双十[一二]|十一(?:黄金周|长假|假期|期间)|国庆十一|[百千万]儿八[百十千]|三十六计|七十二变|九九八十一|三百六十行"
    "|[一二三四]千(?:零一夜|金)|[一百]百个(?:放心|愿意|不)|一万个(?:放心|愿意|不)|五十步笑|二百五(?![十块元一万])|二十四(?:节气|孝)"
    "|三十而立|四十不惑|五十知天命|(?:大年|腊月|正月|冬月|年)(?:初|二|三)?[一二三四五六七八九十]+|初[一二三四五六七八九十]+"
    "|八九不离十|百分之百|百分百|一百二十个心|[四八]十年代末"
)
_RUN_CHARS = "零一二两三四五六七八九十百千万亿"
# Nothing exact: a figure goes on before or behind.
_OPEN_BEFORE = re.compile(r"(?:[几数.\d零〇幺周]|星期|礼拜|分之|负)$")
_OPEN_AFTER = re.compile(r"[几来\d〇幺余]|好几|分之|点[零一二三四五六七八九\d]|把[块来个斤]")
_SMALL_OPEN_AFTER = re.compile("多")
# 八百一个月 is 800 for one month, or 810 months; 五千克 is 5 kg or 5000 g.
_TAIL = re.compile(rf"[百千万亿]{_ONE}$|[百千万亿]\d$")
_COUNTED = re.compile(r"个|[天年次月台人件套位张份户家间平晚瓶期班节课门辆只条盒箱斤吨米亩桌顿碗场组周小]")
_TAIL_OF_ONE = re.compile("[百千万亿][一1]$")
_ENDS_FIGURE = re.compile(r"[，。？！、；：到至块元毛多左上以]|钱|$")
_KILO = re.compile("[克米瓦卡赫]")
_TEN_COUNTS = re.compile(
    r"个|多?[天年月号日点块元岁楼层米平斤吨度折倍台人件套位张份户家间次遍期班节课门辆只条盒箱秒]|分钟|小时|公里|公斤"
)
_MONEY_AFTER = re.compile(
    r"块(?:钱|(?=[一二三四五六七八九\d，。？！、]|$))|元(?![旦宵])|毛(?=钱|[，。？！、]|$)|分钱"
)
_YUAN_AND_TENTHS = re.compile(
    rf"(?<![{_RUN_CHARS}几\d.点第])(?P<yuan>{SPOKEN}|\d+)块(?P<tenths>{_ONE})(?![{_RUN_CHARS}几\d点多])"
)
_DECIMAL_UNIT = re.compile(
    r"[万亿折倍米平升吨斤度克%％瓦LTG]|公里|公斤|个(?:百分)?点|个?小时|个(?:亿|平方)|毫|厘|分贝|寸|千瓦|兆"
)
_DAY_PART = (
    "凌晨|清晨|清早|早上|早晨|上午|中午|正午|下午|傍晚|晚上|晚间|夜里|半夜|深夜|[今明昨后当]晚|[今明]早|今天|明天|后天|昨天|前天|号|日"
    "|(?:周|星期|礼拜)[一二三四五六日天末]"
)
_HOUR = rf"(?:二十[一二三四]?|十[一二]?|{_ONE}|\d{{1,2}})"
_MINUTE = f"(?:[二三四五]?十{_ONE}?|零{_ONE})"
_CLOCK_END = rf"(?:半|[一三]刻|钟(?!头)|整|(?P<minute>{_MINUTE})(?:分(?!之|钟))?)"
_CLOCK = re.compile(
    rf"(?:(?<![周期拜一二两三四五六七八九十百千万第几\d.])|(?<=[周期拜][一二三四五六]))(?P<hour>{_HOUR})点(?!{_ONE}(?![十刻])|\d)(?P<end>{_CLOCK_END})?"
)
_DAY_PART_BEFORE = re.compile(f"(?:{_DAY_PART})的?$")
_RANGE_TO_CLOCK = re.compile(
    rf"(?:[到至]|或者?)(?:{_DAY_PART})?(?:二十[一二三四]?|十[一二]?|{_ONE}点(?:半|钟|[二三四五]?十))"
)
_NO_HOUR_AFTER = re.compile("[儿吗]|建议|意见|要求|原因|好处|问题|钟头")
_PERCENT = re.compile(
    rf"百分之(?P<whole>零|\d+(?:\.\d+)?|{SPOKEN})(?:点(?P<fraction>[零一二三四五六七八九\d]+))?(?![{_RUN_CHARS}几多来\d点.]|到|至)"
)
_DECIMAL = re.compile(
    rf"(?<![{_RUN_CHARS}几第\d.点])(?P<whole>零|\d+|{SECTION})点(?!一过)(?P<fraction>[零一二三四五六七八九\d]+)(?![{_RUN_CHARS}几\d点分刻钟号月年多])"
)
_SCALED_DECIMAL = re.compile(
    rf"(?<![{_RUN_CHARS}几第\d.点])(?P<whole>零|\d+|{SECTION})点(?P<fraction>[零一二三四五六七八九\d]+)(?P<unit>[万亿])(?![{_RUN_CHARS}几\d])"
)
_DATE = re.compile(
    rf"(?<![{_RUN_CHARS}个第几数\d])(?P<month>十[一二]?|{_ONE}|\d{{1,2}})月(?:份(?![子])|(?=[底初末]|中旬|上旬|下旬)|"
    rf"(?P<day>三十一?|二十{_ONE}?|十{_ONE}?|{_ONE}|\d{{1,2}})(?=[号日]))"
)
_DAY = re.compile(
    rf"(?<![{_RUN_CHARS}小大第几头\d])(?P<day>三十一?|二十{_ONE}?|十{_ONE}?|{_ONE})号(?![线楼窗间库院码床店机车柜厅仓桌房门出站台厂员链用人]|教室)"
)
_YEAR = re.compile(
    r"(?<![零〇一二三四五六七八九\d])(?:[一二][零〇一二三四五六七八九]{3}|[零〇][零〇一二三四五六七八九])(?=年(?![前级半多]))"
)
_D = "[零〇幺一二三四五六七八九0-9]"
_DICTATED = re.compile(rf"(?<![{_RUN_CHARS}\d.]){_D}(?:[\s，,、-]?{_D}){{2,15}}(?![十百千万亿点两.\d])")
_GROUP = re.compile(f"{_D}+")
_SPELLED = re.compile("[零〇幺一二三四五六七八九]")
_PHONE = re.compile(r"1[3-9]\d{9}|0(?:10|2\d|[3-9]\d{2})\d{7,8}|[48]00\d{7}")
_NUMBER_NAMED_BEFORE = re.compile(
    r"(?:工号|尾号|编号|型号|房号|单号|卡号|批号|区号|门牌号?|密码|验证码|后四位)(?:就?是|为|：|:)?，?$"
)
_NUMERAL = re.compile(rf"(?P<mixed>{MIXED})|(?P<spoken>[{_RUN_CHARS}]+)")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """``text[start:end]`` as it was said is written ``written``."""

    start: int
    end: int
    written: str


def written_numbers(text: str) -> str:
    """Return ``text`` with its numbers as people read them."""
    parts, reached = [], 0
    for rewriting in rewritings(text):
        parts += [text[reached : rewriting.start], rewriting.written]
        reached = rewriting.end
    return "".join((*parts, text[reached:]))


def rewritings(text: str) -> list[Rewriting]:
    """Return what would be written otherwise than it was said, from left to right, none overlapping.

    A rule that comes first has its way: words that hold a numeral, telephone numbers, years, per cent,
    times, dates, decimals, other numerals.
    """
    taken = [match.span() for match in _KEPT.finditer(text)]
    found = []
    for rule in _RULES:
        for rewriting in rule(text):
            span = rewriting.start, rewriting.end
            if all(span[1] <= start or span[0] >= end for start, end in taken):
                taken.append(span)
                if text[slice(*span)] != rewriting.written:
                    found.append(rewriting)
    return sorted(found, key=lambda rewriting: rewriting.start)


def _dictated(text: str) -> Iterator[Rewriting]:
    """Numbers read out digit by digit: a telephone number is joined, another keeps its pauses."""
    for match in _DICTATED.finditer(text):
        if not _SPELLED.search(match.group()):
            continue
        digits = re.sub(r"\D", "", digits_of(match.group()))
        if _PHONE.fullmatch(digits):
            yield Rewriting(*match.span(), digits)
            continue
        groups = list(_GROUP.finditer(match.group()))
        long = len(digits) >= 7 and all(len(group.group()) >= 3 for group in groups)
        named = bool(_NUMBER_NAMED_BEFORE.search(text[: match.start()]))
        for group in groups:
            said = group.group()
            if long or len(said) >= 5 or (named and len(said) >= 3):
                start = match.start() + group.start()
                yield Rewriting(start, start + len(said), digits_of(said))


def _years(text: str) -> Iterator[Rewriting]:
    for match in _YEAR.finditer(text):
        yield Rewriting(*match.span(), digits_of(match.group()))


def _percents(text: str) -> Iterator[Rewriting]:
    for match in _PERCENT.finditer(text):
        yield Rewriting(*match.span(), f"{_decimal(match)}%")


def _clocks(text: str) -> Iterator[Rewriting]:
    """Times of day: an hour below ten needs a day, a part of one, or what only follows a clock's hour."""
    for match in _CLOCK.finditer(text):
        told = bool(_DAY_PART_BEFORE.search(text[: match.start()]))
        minute, end = match["minute"], match["end"]
        zero_minute = bool(minute) and minute.startswith("零") and not end.endswith("分")
        exact = bool(end) and not zero_minute
        ranged = bool(_RANGE_TO_CLOCK.match(text, match.end()))
        small = len(match["hour"]) == 1 and match["hour"] != "十"
        if not (told or exact or ranged or not small) or _NO_HOUR_AFTER.match(text, match.end()):
            continue
        yield Rewriting(match.start("hour"), match.end("hour"), _integer(match["hour"]))
        if minute and (told or not zero_minute):
            yield Rewriting(*match.span("minute"), _integer(minute.removeprefix("零")).zfill(2))


def _dates(text: str) -> Iterator[Rewriting]:
    for match in _DATE.finditer(text):
        yield Rewriting(*match.span("month"), _integer(match["month"]))
        if match["day"]:
            yield Rewriting(*match.span("day"), _integer(match["day"]))
    for match in _DAY.finditer(text):
        yield Rewriting(*match.span("day"), _integer(match["day"]))


def _decimals(text: str) -> Iterator[Rewriting]:
    for match in _SCALED_DECIMAL.finditer(text):
        yield Rewriting(*match.span(), f"{_decimal(match)}{match['unit']}")
    for match in _DECIMAL.finditer(text):
        clock = match["whole"].isdecimal() and match["fraction"].isdecimal()  # 10点40, or 10.40
        if not (clock or match["whole"] in "一两") or _DECIMAL_UNIT.match(text, match.end()):
            yield Rewriting(*match.span(), _decimal(match))


def _tenths_of_yuan(text: str) -> Iterator[Rewriting]:
    """两块五 is 2块5, but 两块五个 may be five things."""
    for match in _YUAN_AND_TENTHS.finditer(text):
        if not _COUNTED.match(text, match.end()):
            yield Rewriting(*match.span("yuan"), _integer(match["yuan"]))
            yield Rewriting(*match.span("tenths"), _integer(match["tenths"]))


def _numerals(text: str) -> Iterator[Rewriting]:
    for match in _NUMERAL.finditer(text):
        numeral = match.group()
        if not re.fullmatch(f"{SPOKEN}|{MIXED}", numeral):
            continue  # 三四十, 五十六十, 万一: no single value
        if _OPEN_BEFORE.search(text[: match.start()]) or _OPEN_AFTER.match(text, match.end()):
            continue
        if _has_two_readings(text, match) or not _is_figure(text, match):
            continue
        value = value_of(numeral)
        if value == int(value):
            yield Rewriting(*match.span(), written_integer(int(value)))


def _has_two_readings(text: str, match: re.Match[str]) -> bool:
    if _TAIL_OF_ONE.search(match.group()):
        return not _ENDS_FIGURE.match(text, match.end())
    counted = _TAIL.search(match.group()) and _COUNTED.match(text, match.end())
    return bool(counted) or (match.group().endswith("千") and bool(_KILO.match(text, match.end())))


def _is_figure(text: str, match: re.Match[str]) -> bool:
    """Tell a figure from a numeral that is better left in characters: 三个人, 十来天, 两家."""
    numeral = match.group()
    if numeral == "十":
        return bool(_TEN_COUNTS.match(text, match.end())) and not _SMALL_OPEN_AFTER.match(text, match.end())
    if len(numeral) > 1:
        return True
    return numeral != "一" and bool(_MONEY_AFTER.match(text, match.end()))


def _integer(numeral: str) -> str:
    return numeral if numeral.isdecimal() else str(int(value_of(numeral)))


def _decimal(match: re.Match[str]) -> str:
    whole = match["whole"]
    if whole == "零":
        digits = "0"
    elif whole.replace(".", "").isdecimal():
        digits = whole
    else:
        digits = written_integer(int(value_of(whole)))
    return f"{digits}.{digits_of(match['fraction'])}" if match["fraction"] else digits


_RULES: tuple[Callable[[str], Iterator[Rewriting]], ...] = (
    _dictated,
    _years,
    _percents,
    _clocks,
    _dates,
    _decimals,
    _tenths_of_yuan,
    _numerals,
)
