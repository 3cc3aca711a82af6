"""Places a time that was said in the calendar, counted from when the conversation began.

The value is ISO 8601 at the precision that was said: a year (2025), a month (2026-05), a week
(2026-W25), a day or a day with a clock time and offset. What cannot be placed (lunar dates, 上学期,
a clock time without a day) has no value.

Conventions, where speech leaves a choice: a bare weekday is the coming one, today included; a day
of the month without month is the coming one; a month or a date without year is the one nearest to
the call; a clock time without 上午 or 下午 is in the afternoon from one to six.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from huaxiang.core.types import Json
from huaxiang.nlp.entities.numerals import digits_of, find_numerals

_DAYS = {
    "大前": -3, "前": -2, "昨": -1, "寻": -1, "今": 0, "当": 0, "明": 1, "听": 1, "后": 2, "大后": 3,
}  # fmt: skip
_YEARS = {
    "大前年": -3, "前年": -2, "去年": -1, "旧年": -1, "上一年": -1,
    "今年": 0, "明年": 1, "下一年": 1, "后年": 2, "大后年": 3,
}  # fmt: skip
_WEEKDAYS = {name: index for index, name in enumerate("一二三四五六日")} | {"天": 6, "末": 5}
_WEEKDAYS |= {str(index + 1): index for index in range(7)}
_FESTIVALS = {
    "元旦": (1, 1), "五一": (5, 1), "六一八": (6, 18), "618": (6, 18), "国庆": (10, 1), "双十一": (11, 11),
    "双11": (11, 11), "双十二": (12, 12), "双12": (12, 12), "圣诞": (12, 25),
}  # fmt: skip
_AFTERNOON = ("下午", "傍晚", "晚", "夜", "下昼", "晏昼", "后晌", "下晌")
_NOON = ("中午", "正午", "晌午")
_SMALL_HOURS = ("凌晨", "半夜", "深夜")
_LAST_AFTERNOON_HOUR = 6
_FIRST_YEAR_OF_LAST_CENTURY = 50


def resolve(parts: Mapping[str, str], now: datetime | None) -> Json:
    """Return the ISO 8601 value of a time's parts, or ``None`` where it cannot be placed.

    ``now`` is the local, aware time at which the conversation began.
    """
    if now is None:
        return parts["year"] and _spoken_year(parts["year"]) if set(parts) == {"year"} else None
    if "ago" in parts:
        return _ago(parts["ago"], now)
    if "whole_week" in parts:
        return _iso_week(now.date() + timedelta(weeks=_shift(parts["whole_week"])))
    if "term" in parts:
        return _term(parts["term"], now)
    day = _day(parts, now.date())
    if isinstance(day, date):
        return _with_clock(day, parts, now)
    return day


def _day(parts: Mapping[str, str], today: date) -> date | str | None:
    """Return a date, a coarser period as text, or nothing."""
    if "relative_day" in parts or "relative_part" in parts:
        said = parts.get("relative_day") or parts["relative_part"]
        prefix = next(name for name in sorted(_DAYS, key=len, reverse=True) if said.startswith(name))
        return today + timedelta(days=_DAYS[prefix])
    if "lunar_month" in parts or parts.get("month_offset", "").startswith("每"):
        return None
    if {"month", "month_offset", "bare_month", "day"} & set(parts):
        return _calendar_day(parts, today)
    if "weekday" in parts:
        return _weekday(parts, today)
    if "festival" in parts or "year_festival" in parts:
        return _festival(parts, today)
    if "year" in parts:
        year = _year(parts["year"], today)
        return None if year is None else f"{year:04d}"
    return None


def _calendar_day(parts: Mapping[str, str], today: date) -> date | str | None:
    month = _month(parts, today)
    if month is None:
        return None
    year, number = month
    said = parts.get("day") or parts.get("loose_day")
    if said is None:
        return f"{year:04d}-{number:02d}"
    day = _number(said)
    if day is None or said.startswith("初"):
        return None
    if not 1 <= day <= monthrange(year, number)[1]:
        return None
    found = date(year, number, day)
    if not {"month", "month_offset"} & set(parts) and found < today:
        year, number = _add_months(today, 1)
        return date(year, number, day) if day <= monthrange(year, number)[1] else None
    return found


def _month(parts: Mapping[str, str], today: date) -> tuple[int, int] | None:
    if "month_offset" in parts:
        return _add_months(today, _shift(parts["month_offset"]))
    if "month" not in parts:
        return today.year, today.month
    number = _number(parts["month"])
    if number is None or not 1 <= number <= 12:
        return None
    if "year" in parts:
        year = _year(parts["year"], today)
        return None if year is None else (year, number)
    months_away = (number - today.month + 5) % 12 - 5
    return _add_months(today, months_away)


def _weekday(parts: Mapping[str, str], today: date) -> date | None:
    offset, index = parts.get("week_offset", ""), _WEEKDAYS[parts["weekday"]]
    if offset.startswith(("每", "再")):
        return None
    monday = today - timedelta(days=today.weekday())
    if offset:
        return monday + timedelta(weeks=_shift(offset), days=index)
    return today + timedelta(days=(index - today.weekday()) % 7)


def _festival(parts: Mapping[str, str], today: date) -> date | None:
    place = _FESTIVALS.get(parts.get("festival") or parts["year_festival"])
    if place is None:
        return None
    if "year" in parts:
        year = _year(parts["year"], today)
        if year is None:
            return None
        found = date(year, *place)
    else:
        found = date(today.year, *place)
        found = found if found >= today else found.replace(year=today.year + 1)
    return found - timedelta(days=1) if parts.get("eve") == "前一天" else found


def _with_clock(day: date, parts: Mapping[str, str], now: datetime) -> str:
    clock = _clock(parts)
    if clock is None:
        return day.isoformat()
    hour, minute = clock
    moment = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) + timedelta(hours=hour, minutes=minute)
    return moment.isoformat(timespec="minutes")


def _clock(parts: Mapping[str, str]) -> tuple[int, int] | None:
    if "clock" in parts:
        hour_text, minute_text = parts["clock"].replace("：", ":").split(":")
        hour, minute = int(hour_text), int(minute_text)
    elif "hour" in parts:
        number = _number(parts["hour"])
        if number is None:
            return None
        hour, minute = number, _minute(parts)
    else:
        return None
    if hour > 24 or minute > 59:
        return None
    return _hour_of_day(hour, parts), minute


def _hour_of_day(hour: int, parts: Mapping[str, str]) -> int:
    part = parts.get("day_part", "") + parts.get("relative_part", "")
    if parts.get("meridiem") == "p" or any(word in part for word in _AFTERNOON if part not in _SMALL_HOURS):
        return hour + 12 if hour <= 12 and not (hour == 12 and "下午" in part) else hour
    if part in _NOON:
        return hour + 12 if hour <= 3 else hour
    if part in _SMALL_HOURS:
        return hour % 12
    if not part and 1 <= hour <= _LAST_AFTERNOON_HOUR and "meridiem" not in parts and "clock" not in parts:
        return hour + 12
    return hour


def _minute(parts: Mapping[str, str]) -> int:
    if "half" in parts:
        return 30
    if "quarter" in parts:
        return 15 if parts["quarter"] == "一" else 45
    return _number(parts["minute"].lstrip("零")) or 0 if "minute" in parts else 0


def _ago(said: str, now: datetime) -> str | None:
    count = 0.5 if said.startswith("半") else _number(said)
    if count is None:
        return None
    if "年" in said:
        return f"{now.year - int(count):04d}" if count >= 1 else None
    if "月" in said:
        year, month = _add_months(now.date(), -int(count))
        return f"{year:04d}-{month:02d}"
    days = count * (1 if "天" in said else 7)
    return (now.date() - timedelta(days=int(days))).isoformat()


def _term(said: str, now: datetime) -> str | None:
    if said in ("年底", "年末"):
        return f"{now.year:04d}-12"
    return f"{now.year:04d}-01" if said == "年初" else None


def _year(said: str, today: date) -> int | None:
    if said in _YEARS:
        return today.year + _YEARS[said]
    spoken = _spoken_year(said)
    return int(spoken) if spoken else None


def _spoken_year(said: str) -> str | None:
    digits = digits_of(said.removesuffix("年"))
    if not digits.isdigit():
        return None
    if len(digits) == 2:
        century = "19" if int(digits) >= _FIRST_YEAR_OF_LAST_CENTURY else "20"
        return century + digits
    return digits


def _shift(offset: str) -> int:
    steps = offset.count("上") or offset.count("下")
    return -steps if "上" in offset else steps


def _add_months(day: date, months: int) -> tuple[int, int]:
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1


def _iso_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def _number(said: str) -> int | None:
    numerals = find_numerals(said)
    value = numerals[0].value if numerals else None
    return int(value) if value is not None else None
