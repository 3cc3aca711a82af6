"""Reads field values as a CRM writes them into the one form in which they are kept and compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from huaxiang.core.database import within_reach
from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import Json
from huaxiang.profile.catalogue import FieldDefinition, FieldType
from huaxiang.profile.identity import normalise_phone

MAX_TEXT_CHARS = 1000
MAX_LIST_ITEMS = 100
MAX_CUSTOM_BYTES = 4096
MAX_NUMBER = Decimal(10) ** 15
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no database takes NUL, no encoding lone surrogates
_TRUE, _FALSE = {"true", "yes", "y", "1", "是"}, {"false", "no", "n", "0", "否"}


class BadValue(ValueError):
    """A value that its field cannot take; the message says what would do and never holds the value."""


@dataclass(frozen=True, slots=True)
class Locale:
    """How bare values are to be read: phone numbers without country code, times without zone."""

    country: str = "CN"
    zone: tzinfo | None = None


def read_value(definition: FieldDefinition, value: Json, locale: Locale) -> Json:
    """Return ``value`` in the form that the field keeps; None for null and for an empty text.

    Dates are ISO 8601, times aware UTC ending in ``Z``, yuan numbers with at most two decimals,
    phones E.164, choices the catalogue's keys (their Chinese titles are understood), lists without
    repeats. Raises BadValue, also for a field that only conversations fill.
    """
    if definition.heard_only:
        raise BadValue("heard in conversations, not written")
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    return _READERS[definition.type](definition, value, locale)


def value_hash(value: Json) -> str:
    """Return the SHA-256 of a value's canonical JSON: equal values have equal hashes."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _text(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or _UNSTORABLE.search(value):
        raise BadValue(f"not a text of at most {MAX_TEXT_CHARS} characters")
    return value


def _decimal(value: Json) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadValue("not a number")
    try:
        number = Decimal(str(value).replace(",", ""))
    except InvalidOperation as error:
        raise BadValue("not a number") from error
    if not number.is_finite() or abs(number) > MAX_NUMBER:
        raise BadValue("not a number below 10^15")
    return number


def _json_number(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _integer(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    number = _decimal(value)
    if number != number.to_integral_value() or number < 0:
        raise BadValue("not a whole number from 0")
    return int(number)


def _number(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    return _json_number(_decimal(value))


def _yuan(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    amount = _decimal(value.removeprefix("¥").removesuffix("元") if isinstance(value, str) else value)
    if amount != round(amount, 2):
        raise BadValue("not an amount in yuan with at most two decimals")
    return _json_number(amount)


def _boolean(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, str | int) else ""
    if word not in _TRUE | _FALSE:
        raise BadValue("not true or false")
    return word in _TRUE


def _date(definition: FieldDefinition, value: Json, locale: Locale) -> Json:
    if not isinstance(value, str):
        raise BadValue("not a date such as 2026-11-24")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        pass  # a time of day may follow: then the date is the one in the writer's zone
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadValue("not a date such as 2026-11-24") from error
    return (moment.astimezone(locale.zone) if moment.tzinfo and locale.zone else moment).date().isoformat()


def read_time(value: Json, locale: Locale) -> datetime:
    """Return an ISO 8601 time as aware UTC; without offset it is in the locale's zone, if it has one.

    Raises BadValue.
    """
    if not isinstance(value, str):
        raise BadValue("not a time such as 2026-11-24T09:30:00+08:00")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None and locale.zone is None:
            raise BadValue("a time without its offset: write 2026-11-24T09:30:00+08:00")
        return within_reach(moment if moment.tzinfo else moment.replace(tzinfo=locale.zone))
    except (ValueError, InvalidInput) as error:
        if isinstance(error, BadValue):
            raise
        raise BadValue("not a time such as 2026-11-24T09:30:00+08:00") from error


def time_text(moment: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC with ``Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _datetime(_definition: FieldDefinition, value: Json, locale: Locale) -> Json:
    return time_text(read_time(value, locale))


def _choice(definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    for key, title in definition.choices.items():
        if isinstance(value, str) and value.casefold() in (key, title):
            return key
    raise BadValue(f"not one of {', '.join(definition.choices)}")


def _phone(_definition: FieldDefinition, value: Json, locale: Locale) -> Json:
    number = normalise_phone(str(value), locale.country) if isinstance(value, str | int) else None
    if number is None:
        raise BadValue("not a valid phone number (a landline needs its area code)")
    return number


def _email(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    if not isinstance(value, str) or len(value) > 254 or not _EMAIL.fullmatch(value):
        raise BadValue("not an e-mail address")
    return value


def _list(definition: FieldDefinition, value: Json, locale: Locale) -> Json:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, Sequence) or len(items) > MAX_LIST_ITEMS:
        raise BadValue(f"not a list of at most {MAX_LIST_ITEMS} texts")
    texts = [_text(definition, item.strip() if isinstance(item, str) else item, locale) for item in items]
    kept: list[Json] = [text for text in dict.fromkeys(texts) if text]
    return kept or None


def _any(_definition: FieldDefinition, value: Json, _locale: Locale) -> Json:
    try:
        size_bytes = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except ValueError as error:
        raise BadValue("not a JSON value") from error
    if size_bytes > MAX_CUSTOM_BYTES:
        raise BadValue(f"more than {MAX_CUSTOM_BYTES} bytes")
    return value


_READERS: Mapping[FieldType, Callable[[FieldDefinition, Json, Locale], Json]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.YUAN: _yuan,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.CHOICE: _choice,
    FieldType.PHONE: _phone,
    FieldType.EMAIL: _email,
    FieldType.LIST: _list,
    FieldType.ANY: _any,
}
