"""Puts what one recording says into its customer's profile, and takes it out again.

A recording's contribution is its tags, the fields heard in it, and its entry among the conversations.
It is always replaced as a whole, so merging is idempotent, the order of recordings plays no part, and
merging a recording again with fewer findings leaves nothing of the earlier ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import delete, select, union
from sqlalchemy.orm import Session

from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import FieldValue, Insights, Json, Recording, Scorecard, Skipped, Tag, Transcript
from huaxiang.profile.claims import observed_at
from huaxiang.profile.customers import CustomerStore, IdentityConflict
from huaxiang.profile.heard import heard_fields
from huaxiang.profile.records import evidence_rows, field_row, tag_row
from huaxiang.profile.tables import ConversationRow, FieldValueRow, TagRow
from huaxiang.profile.tags import tags_from
from huaxiang.profile.values import time_text

FEATURE = "profile"
_Row: TypeAlias = TagRow | FieldValueRow | ConversationRow


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging a recording did.

    ``customer_id`` is None where the recording belongs to no customer; ``skipped`` then says why.
    """

    customer_id: str | None
    tags: tuple[Tag, ...] = ()
    fields: tuple[FieldValue, ...] = ()
    changed: bool = False
    conflict: IdentityConflict | None = None
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class _Contribution:
    tags: tuple[Tag, ...]
    fields: tuple[FieldValue, ...]
    conversation: ConversationRow


def merge_recording(
    session: Session,
    recording: Recording,
    transcript: Transcript,
    insights: Insights,
    scorecard: Scorecard | None = None,
    *,
    country: str = "CN",
) -> Merged:
    """Replace what a recording contributed to the profile of the customer it refers to.

    The customer is found or made by ``recording.metadata.customer_ref``, a CRM id or a phone number.
    Without a reference nobody is invented: what the recording contributed before is taken out, and
    the result says ``no_customer_reference``, or ``unusable_customer_reference`` for one that can
    identify nobody. Flushes, never commits; doing it twice changes nothing.
    """
    customers = CustomerStore(country)
    reference = recording.metadata.customer_ref
    if reference is None or not reference.strip():
        return _nobody(session, recording, "no_customer_reference", "no customer was named")
    try:
        found = customers.resolve_reference(session, reference, f"recording:{recording.id}")
    except InvalidInput as error:
        return _nobody(session, recording, "unusable_customer_reference", error.message)
    contribution = _Contribution(
        tags=tags_from(recording, transcript, insights),
        fields=heard_fields(recording, transcript, insights, country),
        conversation=_conversation(recording, transcript, scorecard, found.customer_id),
    )
    changed = _replace(session, customers, recording.id, contribution)
    return Merged(
        found.customer_id, contribution.tags, contribution.fields, changed or found.changed, found.conflict
    )


def unmerge_recording(session: Session, recording_id: str) -> bool:
    """Take out all that a recording contributed; returns whether there was anything.

    The customer stays, also one that only this recording had made: what is known otherwise hangs on it.
    """
    customers = CustomerStore()
    owners = _owners(session, recording_id)
    _lock(session, customers, owners)
    _take_out(session, recording_id)
    for customer_id in sorted(owners):
        customers.touch(session, customer_id)
    return bool(owners)


def _nobody(session: Session, recording: Recording, code: str, message: str) -> Merged:
    changed = unmerge_recording(session, recording.id)
    return Merged(None, changed=changed, skipped=(Skipped(FEATURE, code, message),))


def _replace(
    session: Session, customers: CustomerStore, recording_id: str, contribution: _Contribution
) -> bool:
    """Write a contribution in place of the earlier one; returns whether they differ."""
    customer_id = contribution.conversation.customer_id
    concerned = {customer_id, *_owners(session, recording_id)}
    _lock(session, customers, concerned)
    rows: list[_Row] = [
        *(tag_row(tag, customer_id, recording_id) for tag in contribution.tags),
        *(field_row(field, customer_id, recording_id) for field in contribution.fields),
        contribution.conversation,
    ]
    stored: list[_Row] = [
        *session.scalars(select(TagRow).where(TagRow.recording_id == recording_id)),
        *session.scalars(select(FieldValueRow).where(FieldValueRow.recording_id == recording_id)),
        *session.scalars(select(ConversationRow).where(ConversationRow.recording_id == recording_id)),
    ]
    if _content(rows) == _content(stored):
        return False
    _take_out(session, recording_id)
    session.add_all(rows)
    session.flush()
    for concerned_id in sorted(concerned):
        customers.touch(session, concerned_id)
    return True


def _take_out(session: Session, recording_id: str) -> None:
    for table in (TagRow, FieldValueRow, ConversationRow):
        session.execute(delete(table).where(table.recording_id == recording_id))


def _lock(session: Session, customers: CustomerStore, customer_ids: set[str]) -> None:
    for customer_id in sorted(
        customer_ids
    ):  # always in the same order, so that two merges never wait in a ring
        customers.lock(session, customer_id)


def _owners(session: Session, recording_id: str) -> set[str]:
    """Return the customers that a recording has contributed to: one, or none."""
    tables = (TagRow, FieldValueRow, ConversationRow)
    found = union(*(select(table.customer_id).where(table.recording_id == recording_id) for table in tables))
    return set(session.scalars(found))


def _content(rows: Sequence[_Row]) -> list[str]:
    """Return rows as comparable text, without the ids that every writing makes anew."""
    return sorted(
        json.dumps(
            [
                type(row).__name__,
                {
                    column.key: getattr(row, column.key)
                    for column in row.__table__.columns
                    if column.key != "id"
                },
            ],
            sort_keys=True,
            default=time_text,
        )
        for row in rows
    )


def _conversation(
    recording: Recording, transcript: Transcript, scorecard: Scorecard | None, customer_id: str
) -> ConversationRow:
    metadata = recording.metadata
    summary: dict[str, Json] = {
        "title": metadata.title,
        "direction": metadata.direction.value if metadata.direction else None,
        "turns": len(transcript.turns),
        "scorecard": scorecard.definition if scorecard else None,
        "auto_failed": scorecard.auto_failed if scorecard else None,
        "auto_failed_evidence": _auto_fail_evidence(scorecard),
    }
    return ConversationRow(
        recording_id=recording.id,
        customer_id=customer_id,
        held_at=observed_at(recording),
        seller=metadata.seller,
        setting=metadata.setting.value if metadata.setting else None,
        duration_ms=transcript.duration_ms,
        score=scorecard.score if scorecard else None,
        possible=scorecard.possible if scorecard else None,
        summary=summary,
    )


def _auto_fail_evidence(scorecard: Scorecard | None) -> list[Json]:
    if scorecard is None or not scorecard.auto_failed:
        return []
    return [
        row
        for item in scorecard.items
        if item.auto_fail and item.passed is False
        for row in evidence_rows(item.evidence)
    ]
