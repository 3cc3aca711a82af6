"""Finds dates and times said in Mandarin: weekdays, clock times, relative days, months and years.

A time is a sequence of parts in fixed order (year, month, day, weekday, part of the day, clock),
each optional, each with an expression of its own. Durations (三天, 两个月), greetings (下午好) and vague
words (以后, 现在) are not times. Each mention keeps its parts by name, so that ``time_resolution`` can
place it in the calendar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from huaxiang.nlp.entities.units import ANY_UNIT

_D = "[一二三四五六七八九]"
_HOUR = r"(?:二十[一二三四]?|十[一二]?|[一二两三四五六七八九零]|\d{1,2})"
_HOUR_PAIR = "(?:一两|两三|三四|四五|五六|六七|七八|八九|九十)"
_MINUTE = f"(?:[二三四五]?十{_D}?|零{_D})"
_DAY_NUMBER = rf"(?:三十一?|二十{_D}?|十{_D}?|{_D}|\d{{1,2}})"
_MONTH_NUMBER = rf"(?:十[一二]?|{_D}|1[0-2]|0?[1-9])"
_COUNT = r"(?:[一二两三四五六七八九十百几半]+|\d+)"
_SHIFT = "上上个?|下下个?|上一?个?|下一?个?|这一?个?"
DAY_PART = (
    "凌晨|清晨|大清早|清早|一大早|早上|早晨|上午|中午|正午|晌午|下午|傍晚|晚上|晚间|夜里|夜晚|半夜|深夜"
    "|上昼|下昼|朝早|晏昼|头晌|后晌|下晌"
)
FESTIVAL = (
    "双十一|双十二|双11|双12|六一八|618|元旦|春节|过年|过完年|除夕|年三十|大年初[一二三四五六七]|小年(?!轻)|元宵节?|清明"
    "|五一|端午|中秋|国庆|圣诞|[暑寒]假(?![班作工])"
)

_ALONE = (
    re.compile(rf"(?P<ago>{_COUNT}(?:年|个月|天|个星期|个礼拜|周)(?:之|以)?前)(?!面|半)"),
    re.compile(
        rf"(?P<term>(?:{_SHIFT}|本)季度|(?:第[一二三四1-4]|(?<![头前每一])[二三四2-4])季度|季度末|(?:{_SHIFT})学期|上半年|下半年"
        r"|年底|年初|年末|年前|年后(?!再)|年中)"
    ),
)
_YEAR = re.compile(
    r"(?P<year>大前年|大后年|前年|去年|旧年|今年|明年|后年|上一年(?!级)|下一年(?!级)"
    r"|(?:一九|二零|二〇)[零〇一二三四五六七八九]{2}年|(?:19|20)\d{2}年"
    r"|(?!七八|八九)[零〇一二七八九][零〇一二三四五六七八九]年(?![前级半多])|(?<!\d)0\d年|[零〇七八九]几年)"
    r"(?:的?(?P<year_part>年?底|年?初|年中|同期|上半年|下半年|第?[一二三四1-4]季度|春天|夏天|秋天|冬天|梅雨季)|的?(?P<year_festival>"
    rf"{FESTIVAL}))?"
)
_FESTIVAL = re.compile(rf"(?P<festival>过年前(?!后)|{FESTIVAL})(?P<eve>前一天)?")
_MONTH = re.compile(
    rf"(?:(?P<month_offset>{_SHIFT}|本|当|每个?)月|(?P<lunar_month>腊月|正月|冬月)"
    rf"|(?<![个第统])(?P<month>七八|{_MONTH_NUMBER})月份?(?!饼|台|嫂|子)|(?P<bare_month>月)(?=底|初(?!{_D}|十)|末|中(?!国)|头))"
    rf"(?P<month_part>上旬|中旬|下旬|底|初(?!{_D}|十)|末|头(?!一)|中(?!午|介|秋|间|国))?"
)
_DAY = re.compile(
    rf"(?<![小大])(?P<day>{_DAY_NUMBER})号(?![线楼窗间库院码床店机车柜厅仓桌房门出站台厂员链用]|教室)"
)
_DAY_AFTER_MONTH = re.compile(
    rf"(?P<day>{_DAY_NUMBER})(?:号|日)|(?P<loose_day>初{_D}|初十|十{_D}|二十{_D}?|三十一?|[1-3]?\d)(?![\d个天块万千百多来几年月点元十])"
)
_RELATIVE_DAY = re.compile(
    "(?P<relative_day>大前天|大后天|(?:前天|昨天|今天|明天|后天)(?!天)|昨日|今日|明日|昨儿个?|今儿个?|明儿个?|后儿个?"
    "|昨个|今个|明个|听日|寻日)|(?P<relative_part>(?:[昨今明后当]晚|[今明]早|[昨今]夜)上?)"
)
_WEEKDAY = re.compile(
    rf"(?P<week_offset>再下一个|{_SHIFT}|本|每个?)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天末]|[1-7](?![\d.%A-Za-z万千百亿块元点折号]|{ANY_UNIT.pattern}))(?!个|天内)"
)
_WEEK = re.compile(rf"(?P<whole_week>{_SHIFT}|本)(?:周|星期|礼拜)(?!边|围|期|年)")
_DAY_PART = re.compile(f"(?P<day_part>{DAY_PART})")
_CLOCK = re.compile(
    rf"(?:(?P<hour>{_HOUR_PAIR}|{_HOUR})点(?!(?!一过){_D}(?![十刻分]))"
    rf"(?:(?P<half>半)|(?P<quarter>[一三])刻|(?P<minute>{_MINUTE}|\d{{1,2}}(?!\d))分?(?!之|钟)"
    r"|钟(?!头)|整|多(?!少|了))?"
    r"|(?P<clock>(?<!\d)\d{1,2}[:：]\d{2}(?![:：\d]))(?:\s?(?P<meridiem>[ap])\.?m\.?)?)"
)
# The end of a range leaves out the month that its beginning said: 六月二十到二十三, 六月三号到六号.
_LAST_DAY = re.compile(
    rf"[\u4e00-\u9fff]?[到至~-](?P<day>(?>{_DAY_NUMBER}))(?:[号日](?![线楼])|(?=[，。？！、；,吧呢都这]|之间|$))"
)
_OFF_WORK = re.compile("(?P<off_work>下班(?:前(?!后))?)")
_START = re.compile(
    r"[0-9一二三四五六七八九十零〇两几半上下这本当每再大前昨今明后去旧第季年月周星礼腊正冬双元春过除小清端中国圣"
    r"暑寒凌早傍晚夜深朝晏头晌听寻]"
)
_PER_WEEK = re.compile("[一每两三](?:周|星期|礼拜).[次节趟回遍]")
_NUMERAL_BEFORE = re.compile(
    r"[零一二两三四五六七八九十百千万亿几第\d点.]$|[\d一二两三四五六七八九十百千万几][块毛]$"
)
# A word such as 去年 is a time whatever numeral happens to stand before it (万一明年).
_SELF_CONTAINED = re.compile("[去今明旧大前后国圣元春端中清暑寒过]")
_WEEKENDS = re.compile(r"[一两二三四五六七八九十几俩\d]个?$")
_SURE_CLOCK = re.compile("之?前(?!面|提|台)|以前|[之以]后|后(?!面|台|悔)|左右|一过")


@dataclass(frozen=True, slots=True)
class TimeMention:
    """A time said at ``text[start:end]`` and its named parts."""

    start: int
    end: int
    parts: Mapping[str, str]


def find_times(text: str) -> list[TimeMention]:
    """Return every date and time of ``text`` from left to right."""
    found = []
    position = 0
    while start := _START.search(text, position):
        mention = _parse(text, start.start())
        if mention is not None:
            found.append(mention)
            if last := _range_end(text, mention):
                found.append(last)
                mention = last
        position = start.end() if mention is None else mention.end
    return found


def _range_end(text: str, first: TimeMention) -> TimeMention | None:
    """Read the last day of 六月二十到二十三, in the month of the first."""
    days, months = {"day", "loose_day"}, {"month", "month_offset", "lunar_month"}
    said = first.parts.keys()
    if not (said & days and said & months and said <= days | months | {"year"}):
        return None
    match = _LAST_DAY.match(text, first.end)
    if match is None:
        return None
    kept = {name: value for name, value in first.parts.items() if name not in days}
    return TimeMention(match.start("day"), match.end(), kept | _named(match))


def _parse(text: str, start: int) -> TimeMention | None:
    for alone in _ALONE:
        if (match := alone.match(text, start)) and not _NUMERAL_BEFORE.search(text[:start]):
            return TimeMention(start, match.end(), _named(match))
    parts, end = _day_parts(text, start)
    if not parts and (match := _WEEK.match(text, start)):
        return TimeMention(start, match.end(), _named(match))
    has_day = bool(parts)
    for component in (_DAY_PART, _CLOCK):
        position = end + 1 if has_day and text.startswith("的", end) else end
        if match := component.match(text, position):
            parts |= _named(match)
            end = match.end()
    if has_day and "hour" not in parts and (match := _OFF_WORK.match(text, end)):
        parts |= _named(match)
        end = match.end()
    if not parts or _is_no_time(text, start, end, parts, has_day):
        return None
    return TimeMention(start, end, parts)


def _day_parts(text: str, start: int) -> tuple[dict[str, str], int]:
    """Read year, festival, month, day, relative day and weekday in that order."""
    parts: dict[str, str] = {}
    end = start
    for component in (_YEAR, _FESTIVAL, _MONTH, _DAY, _RELATIVE_DAY, _WEEKDAY):
        after_month = component is _DAY and (bool({"month", "lunar_month", "month_offset"} & set(parts)))
        pattern = _DAY_AFTER_MONTH if after_month else component
        if (component is _FESTIVAL and "year" in parts) or (component is _RELATIVE_DAY and parts):
            continue
        if not (match := pattern.match(text, end)):
            continue
        if component is _WEEKDAY and match.group() == "周末" and not parts and _WEEKENDS.search(text[:start]):
            continue  # 六个周末 are a duration
        if component is _WEEKDAY and _PER_WEEK.search(text[max(0, end - 1) : match.end() + 1]):
            continue  # 一周四次 is four times a week
        if (
            end == start
            and not _SELF_CONTAINED.match(text, start)
            and component in (_MONTH, _DAY, _YEAR, _FESTIVAL)
            and _NUMERAL_BEFORE.search(text[:start])
        ):
            continue
        parts |= _named(match)
        end = match.end()
    return parts, end


def _named(match: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in match.groupdict().items() if value is not None}


def _is_no_time(text: str, start: int, end: int, parts: Mapping[str, str], has_day: bool) -> bool:
    if has_day:
        return parts.get("month_offset", "").startswith("每") and not {"day", "loose_day"} & set(parts)
    before = text[max(0, start - 3) : start]
    clock = "hour" in parts or "clock" in parts
    if "day_part" in parts:
        return not clock  # a part of the day alone is a habit (晚上睡觉戴) or a greeting, no time
    return "hour" in parts and _is_no_clock(text, end, before, parts)


def _is_no_clock(text: str, end: int, before: str, parts: Mapping[str, str]) -> bool:
    """Tell a clock time from 一点 (a little), 三点建议 (three points) and 百分之三点."""
    precise = bool({"half", "quarter", "minute"} & set(parts)) and "零" not in parts.get("minute", "")
    if _NUMERAL_BEFORE.search(before) or before.endswith("之"):
        return True
    if precise:
        return parts["hour"] in ("一", "1") and text.startswith("点", end)  # 一点半点
    if (
        _SURE_CLOCK.match(text, end)
        and parts["hour"] not in ("一", "零")
        and not before.endswith(("这", "那"))
    ):
        return False
    if parts["hour"] in ("一", "零") or before.endswith(("有", "快", "慢", "差", "这", "那")):
        return True
    return text[end - 1] in "多" or bool(
        re.match("[几零多]|要求|建议|意见|原因|好处|问题|吗|子|心|钱|儿|水(?![电管])", text[end:])
    )
