"""Finds numerals in Mandarin text, spoken (两千八, 十几, 四五十) or written by a recogniser (3万, 30,000).

The shape of a spoken numeral is found by one expression built up from the units 十 百 千 万 亿; its
value is computed by ``cn2an``. What that library does not take is taken off before: 俩 and 仨,
个 before 亿, a scale behind a decimal (一点五万), and everything that leaves
the value open (几, 多, 来, 好几, 三四, 上百).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import cn2an

from huaxiang.nlp.entities.units import ANY_UNIT

Number = int | float

_DIGIT = "[一二两三四五六七八九]"
_ONE = f"(?:一两|一二(?=[十百千万])|两三|二三|三四|三五|四五|五六|六七|七八|八九|几|{_DIGIT})"
_TENS = f"(?:{_ONE}?十{_ONE}?)"
_HUNDREDS = f"(?:{_ONE}百(?:零{_ONE}|{_TENS}|{_ONE})?)"
_THOUSANDS = f"(?:{_ONE}千(?:零(?:{_TENS}|{_ONE})|{_HUNDREDS}|{_ONE})?)"
_SECTION = f"(?:{_THOUSANDS}|{_HUNDREDS}|{_TENS}|{_ONE})"
_ABOUT = "(?:多|来|好几)"
_MYRIADS = f"(?:{_SECTION}{_ABOUT}?万(?:零{_SECTION}|{_SECTION})?)"
_HUNDRED_MILLIONS = f"(?:{_SECTION}{_ABOUT}?个?(?:来|多)?亿(?:零?(?:{_MYRIADS}|{_SECTION}))?)"
_DECIMAL = f"(?:(?:零|{_SECTION})点[零一二三四五六七八九]+(?!十|分|钟|刻))"
# 上百家, 上万块; not 线上千人大会 or 以上百分之八十.
_OVER_A_ROUND_ONE = f"(?<![线网以之路加])上(?:百|千|百万|千万|万|亿)(?=块|{ANY_UNIT.pattern})"
_SPOKEN = (
    f"(?:[好大](?=几))?(?:{_HUNDRED_MILLIONS}|{_DECIMAL}[万亿]?|{_MYRIADS}|{_SECTION})"
    f"|百(?:八十|十(?=[来多]|个|号))|千[儿把]?八百|万[儿把]?八千|{_OVER_A_ROUND_ONE}"
    "|[百千万](?=把|来)|零(?![零一二三四五六七八九百千万])|[俩仨]"
)
# 22,9008 is 二十二万九千八 misheard: digits, but no telling of what.
_GARBLED = r"\d+,\d{4,}"
_WRITTEN = (
    r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?:(?:[多来])?[万千百亿wWkK](?![A-Za-z])(?:\d+(?:千|百)\d?(?:百\d?)?|\d(?!\d))?)?"
)
_DIGIT_RUN = "[零〇幺一二三四五六七八九]{3,}"
_NUMERAL = re.compile(
    f"(?P<run>{_DIGIT_RUN}(?![十百千万点]))|(?P<spoken>{_SPOKEN})|(?P<garbled>{_GARBLED})|(?P<written>{_WRITTEN})"
)
_SUFFIX = re.compile("出头|好几|多(?!少)|来(?=[^，。？！、]|$)|几(?=[^，。？！、])|把(?=[块来个斤条万])|余")
_OPEN = re.compile("^[上百千万]|[几多来]|一两|一二|两三|二三|三四|三五|四五|五六|六七|七八|八九")
# 量块六 and 亮千 are 两块六 and 两千; 数量, 力量 and 一亮 are not.
_MISHEARD_TWO = re.compile(
    "(?<![数质重力容产销流电气肚能考测衡定计尽大少适含用剂较商打思估限批度量称漂明月光照发点透闪响])[量亮]"
    "(?=[百千万](?!分)|块[钱一二三四五六七八九，。]|个(?!头|不|没|人|大|尺|身|体|血|房))"
)
_TAIL_OF_NEXT = re.compile(f"(?:[百千万]){_DIGIT}$")
_SMALL_UNIT = re.compile("个(?!亿)|[天年次]|月")
_SPOKEN_DIGITS = str.maketrans("零〇幺一二三四五六七八九两", "0011234567892")
_SMALL = {"俩": 2, "仨": 3, "零": 0}
_SCALES = {"十": 10, "百": 100, "千": 1000, "k": 1000, "万": 10_000, "w": 10_000, "亿": 100_000_000}


@dataclass(frozen=True, slots=True)
class Numeral:
    """A numeral at ``text[start:end]``.

    ``value`` is ``None`` where the speaker left it open (四十多, 几万). ``digits`` holds the digits of
    a run read out one by one (幺三六五八…), which is an amount only by chance. ``decimal`` marks a
    spoken or written decimal point.
    """

    start: int
    end: int
    text: str
    value: Number | None
    digits: str = ""
    decimal: bool = False


def find_numerals(text: str) -> list[Numeral]:
    """Return every numeral of ``text`` from left to right, the longest reading at each place."""
    text = _MISHEARD_TWO.sub("两", text)  # one character for another: places stay
    found = []
    position = 0
    while match := _NUMERAL.search(text, position):
        numeral = _read(text, match)
        found.append(numeral)
        position = numeral.end
    return found


def digits_of(spoken: str) -> str:
    """Turn digits read one by one into Arabic ones: 幺三六 → 136."""
    return spoken.translate(_SPOKEN_DIGITS)


def _read(text: str, match: re.Match[str]) -> Numeral:
    start, end = match.span()
    if match["garbled"]:
        return Numeral(start, end, match.group(), None)
    if match["run"]:
        return Numeral(start, end, match.group(), None, digits=digits_of(match.group()))
    open_end = end
    if suffix := _SUFFIX.match(text, end):
        open_end = suffix.end()
    core = match.group()
    if _TAIL_OF_NEXT.search(core) and (ANY_UNIT if core.endswith("一") else _SMALL_UNIT).match(text, end):
        core, end, open_end = core[:-1], end - 1, end - 1  # 八百一个月 is 800 for one month
    decimal = "." in core or "点" in core
    # Behind the point digits are read out: the 三四 of 二点三四万 is no guess, that of 三四点五万 is one.
    is_open = open_end > end or bool(_OPEN.search(core.partition("点")[0]))
    value = None if is_open else (_written(core) if match["written"] else _spoken(core))
    return Numeral(start, open_end, text[start:open_end], value, decimal=decimal)


def _spoken(core: str) -> Number | None:
    value: Number | None
    if core in _SMALL:
        return _SMALL[core]
    if "点" in core and core[-1] in _SCALES:  # cn2an has no 一点五万
        value = _spoken(core[:-1])
        return None if value is None else tidy(Decimal(str(value)) * _SCALES[core[-1]])
    try:
        value = cn2an.cn2an(core.replace("个亿", "亿"), "smart")
    except (ValueError, KeyError):  # shapes it does not know, 一亿一 among them, stay without a value
        return None
    return tidy(Decimal(str(value)))


def _written(core: str) -> Number:
    """Read 3万, 1.5万, 1万2 (12,000), 2千8 or 30,000."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([十百千万亿k w]?)", core.replace(",", "").lower())
    total, last_scale = Decimal(0), 10
    for digits, scale_name in parts:
        scale = _SCALES.get(scale_name) or (last_scale // 10 if last_scale > 10 and len(digits) == 1 else 1)
        total += Decimal(digits) * scale
        last_scale = scale if scale_name else 10
    return tidy(total)


def tidy(value: Decimal) -> Number:
    """Return an int where ``value`` is whole, else a float."""
    return int(value) if value == value.to_integral_value() else float(value)
