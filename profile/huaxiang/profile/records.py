"""Between table rows and the dataclasses: evidence, tags and field values, and the history of a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from huaxiang.core.types import Evidence, FieldValue, Provenance, Tag, new_id
from huaxiang.profile.tables import FieldValueRow, TagRow
from huaxiang.profile.values import value_hash


def evidence_rows(evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
    """Return evidence as it is stored."""
    return [asdict(item) for item in evidence]


def evidence_from(rows: Iterable[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """Return stored evidence; raises ValueError for a span that does not fit its quote."""
    return tuple(Evidence(**row) for row in rows)


def tag_row(tag: Tag, customer_id: str, recording_id: str) -> TagRow:
    """Return a tag as a row of its customer and recording."""
    return TagRow(
        id=new_id(),
        customer_id=customer_id,
        recording_id=recording_id,
        key=tag.key,
        value=tag.value,
        confidence=tag.confidence,
        source=tag.source,
        observed_at=tag.observed_at,
        evidence=evidence_rows(tag.evidence),
    )


def tag_from(row: TagRow) -> Tag:
    """Return a stored tag."""
    return Tag(
        key=row.key,
        value=row.value,
        confidence=row.confidence,
        source=row.source,
        observed_at=row.observed_at,
        evidence=evidence_from(row.evidence),
    )


def field_row(field: FieldValue, customer_id: str, recording_id: str | None = None) -> FieldValueRow:
    """Return one observation of a field as a row."""
    provenance = field.provenance
    return FieldValueRow(
        id=new_id(),
        customer_id=customer_id,
        recording_id=recording_id,
        name=field.name,
        value=field.value,
        value_hash=value_hash(field.value),
        source=provenance.source,
        source_id=provenance.source_id,
        rule=provenance.rule,
        confidence=provenance.confidence,
        first_observed_at=provenance.observed_at,
        observed_at=provenance.observed_at,
        superseded_at=None,
        evidence=evidence_rows(provenance.evidence),
    )


def field_from(row: FieldValueRow) -> FieldValue:
    """Return a stored observation of a field."""
    return FieldValue(
        name=row.name,
        value=row.value,
        provenance=Provenance(
            source=row.source,
            source_id=row.source_id,
            observed_at=row.observed_at,
            confidence=row.confidence,
            evidence=evidence_from(row.evidence),
            rule=row.rule,
        ),
    )


def observe(
    history: list[FieldValueRow], told: FieldValue, customer_id: str, *, at_present: bool
) -> FieldValueRow | None:
    """Add what one source tells about one field to that source's history; returns a new row, if any.

    ``history`` holds the source's rows of the field and is changed in place. ``at_present`` says
    that no time was given: the value holds now, whatever was told before. The value observed last
    is the present one; an older one that comes late joins the history. Telling the same thing
    again changes nothing but the time until which it is known to hold.
    """
    present = next((row for row in history if row.superseded_at is None), None)
    digest = value_hash(told.value)
    moment = told.provenance.observed_at
    if present is not None and present.value_hash == digest:
        if not at_present:
            present.first_observed_at = min(present.first_observed_at, _reach(history, present, moment))
            present.observed_at = max(present.observed_at, moment)
        return None
    known = next((row for row in history if row.value_hash == digest and _spans(row, moment)), None)
    overtaken = present is not None and moment < present.observed_at and not at_present
    if known is not None:
        if present is not None and not overtaken:  # told at one and the same time: the later word holds
            present.superseded_at, known.superseded_at = moment, None
        return None
    row = field_row(told, customer_id)
    if overtaken:
        row.superseded_at = min(
            time
            for other in history
            for time in (other.first_observed_at, other.observed_at)
            if time > moment
        )
    elif present is not None:
        present.superseded_at = moment
    history.append(row)
    return row


def _spans(row: FieldValueRow, moment: datetime) -> bool:
    return row.first_observed_at <= moment <= row.observed_at


def _reach(history: list[FieldValueRow], present: FieldValueRow, moment: datetime) -> datetime:
    """Return how far back ``present`` holds when it is told for ``moment``: not past another value."""
    between = any(moment <= row.observed_at <= present.observed_at for row in history if row is not present)
    return present.first_observed_at if between else moment
