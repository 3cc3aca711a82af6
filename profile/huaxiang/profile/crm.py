"""What a CRM tells about a customer: one document, fields with times, written so that nothing is lost.

A document::

    {"fields": {"name": "…", "city": {"value": "…", "observed_at": "2026-11-01T09:00:00+08:00"},
                "industry": null, "门店编号": "SH-07"},
     "phones": ["…"], "observed_at": "2026-11-20T12:00:00Z"}

* A field that is absent is left alone. Null, or an empty text, clears it; what it was stays in the
  history. The same document twice changes nothing.
* ``observed_at`` says when the CRM knew it: for one field, or for the whole document. Without it the
  value holds now, and for as long as nothing else is told.
* A name that the catalogue does not know is a custom field, ``custom.<name>``: up to 57 letters,
  digits, spaces, ``_ - . /``; any JSON of up to 4 KiB; the latest value wins.
* ``fields.phone`` and ``phones`` also identify the customer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import InvalidField, InvalidInput
from huaxiang.core.types import Customer, FieldValue, Json, Provenance
from huaxiang.profile.catalogue import (
    CUSTOM_PREFIX,
    MAX_NAME_CHARS,
    Catalogue,
    FieldDefinition,
    load_catalogue,
)
from huaxiang.profile.customers import CustomerStore, IdentityConflict, Resolution
from huaxiang.profile.identity import clean_crm_id, normalise_phone
from huaxiang.profile.records import observe
from huaxiang.profile.tables import FieldValueRow
from huaxiang.profile.values import BadValue, Locale, read_time, read_value
from huaxiang.profile.view import customer

SOURCE = "crm"
MAX_FIELDS = 500
MAX_PHONES = 20
CLOCK_TOLERANCE = timedelta(days=1)
_CUSTOM_NAME = re.compile(r"\w[\w .\-/]*")


@dataclass(frozen=True, slots=True)
class ToldField:
    """One field as a document tells it; ``observed_at`` is None for "as of now"."""

    definition: FieldDefinition
    value: Json
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """A whole document, read and checked: fields, and phone numbers (E.164) that identify."""

    fields: tuple[ToldField, ...]
    phones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: ``changed`` is false where the CRM told nothing new."""

    customer_id: str
    created: bool
    changed: bool
    conflicts: tuple[IdentityConflict, ...] = ()


def put_customer(
    session: Session, external_id: str, document: Mapping[str, Json], *, country: str = "CN"
) -> Customer:
    """Write what the CRM tells about the customer ``external_id``, and return the merged customer.

    The document's form is this module's. Raises InvalidField, naming every wrong field, and
    InvalidInput; then nothing is written.
    """
    intake = CrmIntake(CustomerStore(country), load_catalogue(), Locale(country))
    written = intake.write(session, external_id, intake.read(document))
    return customer(session, written.customer_id, now())


class CrmIntake:
    """Reads documents and writes them. Takes the caller's session, flushes, never commits."""

    def __init__(self, customers: CustomerStore, catalogue: Catalogue, locale: Locale) -> None:
        self._customers = customers
        self._catalogue = catalogue
        self._locale = locale

    def read(self, document: Mapping[str, Json]) -> Told:
        """Check a document; raises InvalidField naming every wrong field, and InvalidInput."""
        unknown = set(document) - {"fields", "phones", "observed_at"}
        if unknown:
            raise InvalidInput("a customer document has fields, phones and observed_at, and nothing else")
        given = document.get("fields") or {}
        if not isinstance(given, Mapping) or len(given) > MAX_FIELDS:
            raise InvalidField(f"fields: not an object of at most {MAX_FIELDS} fields", fields="fields")
        problems: dict[str, str] = {}
        observed_at = self._moment("observed_at", document.get("observed_at"), problems)
        told: dict[str, ToldField] = {}
        for position, (name, value) in enumerate(given.items(), start=1):
            field = self._field(name, position, value, observed_at, problems)
            if field is not None and field.definition.name in told:
                problems[field.definition.name] = "given twice"
            elif field is not None:
                told[field.definition.name] = field
        phones = self._phones(document.get("phones"), problems)
        if problems:
            raise InvalidField(
                "; ".join(f"{name}: {problem}" for name, problem in problems.items()),
                fields=",".join(problems),
            )
        own = told.get("phone")
        identifying = (*((str(own.value),) if own and own.value else ()), *phones)
        return Told(tuple(told.values()), tuple(dict.fromkeys(identifying)))

    def write(self, session: Session, external_id: str, told: Told) -> Written:
        """Write a document that was read; raises InvalidInput for an unusable ``external_id``."""
        identifier = clean_crm_id(external_id)
        first = told.phones[0] if told.phones else None
        found = self._customers.resolve(session, crm_id=identifier, phone=first, source=SOURCE)
        found_again = [
            self._customers.resolve(session, crm_id=identifier, phone=phone, source=SOURCE)
            for phone in told.phones[1:]
        ]
        if not found.created:
            self._customers.lock(session, found.customer_id)
        changed = self._write_fields(session, found, identifier, told.fields)
        if changed and not found.created:
            self._customers.touch(session, found.customer_id)
        resolutions = (found, *found_again)
        return Written(
            found.customer_id,
            found.created,
            changed or any(resolution.changed for resolution in resolutions),
            tuple(resolution.conflict for resolution in resolutions if resolution.conflict),
        )

    def _write_fields(
        self, session: Session, found: Resolution, external_id: str, fields: Sequence[ToldField]
    ) -> bool:
        history = {} if found.created else self._history(session, found.customer_id, external_id)
        moment = now()
        changed = False
        for field in fields:
            past = history.setdefault(field.definition.name, [])
            if not past and field.value is None:
                continue  # nothing to clear
            told = FieldValue(
                field.definition.name,
                field.value,
                Provenance(SOURCE, external_id, min(field.observed_at or moment, moment)),
            )
            added = observe(past, told, found.customer_id, at_present=field.observed_at is None)
            if added is not None:
                session.add(added)
            changed = changed or added is not None or any(session.is_modified(row) for row in past)
        session.flush()
        return changed

    def _history(
        self, session: Session, customer_id: str, external_id: str
    ) -> dict[str, list[FieldValueRow]]:
        """Return all that this CRM id has told of a customer, by field."""
        rows = session.scalars(
            select(FieldValueRow)
            .where(
                FieldValueRow.customer_id == customer_id,
                FieldValueRow.source == SOURCE,
                FieldValueRow.source_id == external_id,
            )
            .execution_options(populate_existing=True)  # as it is now that the customer is locked
        )
        history: dict[str, list[FieldValueRow]] = {}
        for row in rows:
            history.setdefault(row.name, []).append(row)
        return history

    def _field(
        self,
        name: str,
        position: int,
        given: Json,
        observed_at: datetime | None,
        problems: dict[str, str],
    ) -> ToldField | None:
        definition = self._catalogue.field(name)
        custom = definition.name.removeprefix(CUSTOM_PREFIX)
        if len(definition.name) > MAX_NAME_CHARS or not _CUSTOM_NAME.fullmatch(custom):
            problems[f"fields[{position}]"] = "its name is not of up to 57 letters, digits, spaces, _ - . /"
            return None
        value = given
        if isinstance(given, Mapping) and "value" in given and set(given) <= {"value", "observed_at"}:
            value = given["value"]
            observed_at = self._moment(name, given.get("observed_at"), problems) or observed_at
        try:
            return ToldField(definition, read_value(definition, value, self._locale), observed_at)
        except BadValue as error:
            problems[name] = str(error)
            return None

    def _moment(self, name: str, given: Json, problems: dict[str, str]) -> datetime | None:
        if given is None:
            return None
        try:
            moment = read_time(given, self._locale)
        except BadValue as error:
            problems[name] = f"observed_at: {error}" if name != "observed_at" else str(error)
            return None
        if moment > now() + CLOCK_TOLERANCE:
            problems[name] = "observed_at lies in the future"
            return None
        return moment

    def _phones(self, given: Json, problems: dict[str, str]) -> tuple[str, ...]:
        if given is None:
            return ()
        if isinstance(given, str) or not isinstance(given, Sequence) or len(given) > MAX_PHONES:
            problems["phones"] = f"not a list of at most {MAX_PHONES} phone numbers"
            return ()
        numbers = [
            normalise_phone(phone, self._locale.country) if isinstance(phone, str) else None
            for phone in given
        ]
        if None in numbers:
            problems["phones"] = f"number {numbers.index(None) + 1} is not a valid phone number"
        return tuple(number for number in numbers if number)
