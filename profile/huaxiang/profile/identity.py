"""Recognises customers: phone numbers in one form, and what a customer reference is.

Numbers are validated with Google's libphonenumber metadata and written as E.164
(``+8613800138000``); an extension behind a switchboard stays, as in RFC 3966
(``+861062345678;ext=8001``), because everyone behind a switchboard shares its number.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers

from huaxiang.core.errors import InvalidInput

IdentityKind = Literal["crm_id", "phone"]
MAX_IDENTITY_CHARS = 200

_EXTENSION = re.compile(r"(?:[转轉]|分机|;ext=|ext\.?|#|(?<=\d{7})-(?=\d{1,6}$))\s*(\d{1,6})$", re.IGNORECASE)
_WRITTEN_AS_PHONE = re.compile(r"[+]?[\d\s().·/-]+")
_TRUNK_OR_INTERNATIONAL = re.compile(r"[+(]?0|[+]")
_MASKED = re.compile(r"[+\d][\d\s-]*[*＊xX•]{2,}[\d\s-]*")


@dataclass(frozen=True, slots=True)
class Reference:
    """A customer reference with what it was found to be; a phone is normalised."""

    kind: IdentityKind
    value: str


def normalise_phone(text: str, country: str = "CN") -> str | None:
    """Return the number as E.164, with ``;ext=`` where it has an extension; None if it is none.

    ``country`` (ISO 3166) is where a number without country code belongs. Taken are mobiles,
    landlines with area code, 400 and 800 numbers, full-width digits, ``+86``, ``0086``, spaces,
    hyphens and brackets, and an extension after 转, 分机, ``#``, ``ext`` or a last hyphen. The
    result normalises to itself.
    """
    parsed = _parse(text, country)
    if parsed is None:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{number};ext={parsed.extension}" if parsed.extension else number


def _parse(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    written = unicodedata.normalize("NFKC", text).strip()
    extension = _EXTENSION.search(written)
    number = written[: extension.start()] if extension else written
    if not _WRITTEN_AS_PHONE.fullmatch(number):
        return None  # letters, masks such as 138****8000: libphonenumber would read over them
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    parsed.extension = extension.group(1) if extension else None
    return parsed


def parse_reference(text: str, country: str = "CN") -> Reference:
    """Decide whether a customer reference is a phone number or a CRM id.

    It is a phone where it is a valid number that could be dialled as written: a mobile, a 400 or
    800 number, or any number with its leading 0 or +. A bare landline without the 0 is a CRM id,
    since ``2024000123`` is far more often a running number than a telephone in Guangzhou.
    Raises InvalidInput for an empty reference, one of more than 200 characters, and a masked
    number (``138****8000``), which would throw many customers together.
    """
    reference = clean_crm_id(text)
    if _MASKED.fullmatch(reference):
        raise InvalidInput("a masked phone number identifies nobody: send the whole one, or the CRM id")
    parsed = _parse(reference, country)
    if parsed is None:
        return Reference("crm_id", reference)
    bare_landline = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE and not (
        _TRUNK_OR_INTERNATIONAL.match(unicodedata.normalize("NFKC", reference).strip())
    )
    if bare_landline:
        return Reference("crm_id", reference)
    return Reference("phone", normalise_phone(reference, country) or reference)


def clean_crm_id(text: str) -> str:
    """Return a CRM id without the white space around it; raises InvalidInput for an unusable one."""
    identifier = text.strip()
    if not identifier or len(identifier) > MAX_IDENTITY_CHARS or not identifier.isprintable():
        raise InvalidInput(
            f"a customer id has 1 to {MAX_IDENTITY_CHARS} printable characters", field="external_id"
        )
    return identifier
