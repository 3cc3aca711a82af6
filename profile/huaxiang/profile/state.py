"""Loads all that is known of some customers and merges it; everything else reads this."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.core.types import FieldValue, Json, Tag
from huaxiang.profile.catalogue import Catalogue, MergeRule
from huaxiang.profile.confidence import combined, faded
from huaxiang.profile.customers import CustomerStore, Identity
from huaxiang.profile.lifecycle import Facts, Lifecycle, lifecycle
from huaxiang.profile.records import field_from, tag_from
from huaxiang.profile.rules import merge_field
from huaxiang.profile.tables import ConversationRow, CustomerRow, FieldValueRow, TagRow
from huaxiang.profile.values import value_hash


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of a customer with the tags that it gave."""

    recording_id: str
    held_at: datetime
    seller: str | None
    setting: str | None
    duration_ms: int
    score: float | None
    possible: float | None
    summary: Mapping[str, Json]
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer with everything merged as of one day; conversations are newest first."""

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    identities: tuple[Identity, ...]
    fields: Mapping[str, FieldValue]
    tags: tuple[Tag, ...]
    conversations: tuple[Conversation, ...]
    lifecycle: Lifecycle


def load_customers(
    session: Session, customer_ids: Sequence[str], catalogue: Catalogue, as_of: datetime
) -> dict[str, KnownCustomer]:
    """Return the customers with these ids, merged as of ``as_of``; unknown ids are left out.

    The result depends on what is stored, never on the order in which it was stored.
    """
    customers = session.scalars(
        select(CustomerRow).where(CustomerRow.id.in_(customer_ids)).execution_options(populate_existing=True)
    )
    identities = _by_customer(CustomerStore().identities(session, customer_ids))
    fields = _by_customer(
        session.scalars(select(FieldValueRow).where(FieldValueRow.customer_id.in_(customer_ids)))
    )
    tags = _by_customer(session.scalars(select(TagRow).where(TagRow.customer_id.in_(customer_ids))))
    conversations = _by_customer(
        session.scalars(select(ConversationRow).where(ConversationRow.customer_id.in_(customer_ids)))
    )
    return {
        row.id: _merged(
            row,
            identities[row.id],
            fields[row.id],
            _conversations(conversations[row.id], tags[row.id]),
            catalogue,
            as_of,
        )
        for row in customers
    }


class _OfCustomer(Protocol):
    @property
    def customer_id(self) -> str: ...


Item = TypeVar("Item", bound=_OfCustomer)


def _by_customer(items: Iterable[Item]) -> dict[str, list[Item]]:
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        grouped[item.customer_id].append(item)
    return grouped


def _merged(
    row: CustomerRow,
    identities: Sequence[Identity],
    field_rows: Sequence[FieldValueRow],
    conversations: tuple[Conversation, ...],
    catalogue: Catalogue,
    as_of: datetime,
) -> KnownCustomer:
    fields = merged_fields(field_rows, catalogue, as_of)
    facts = Facts(
        fields=fields,
        purchase_counts=_purchase_counts(field_rows),
        contacts={conversation.recording_id: conversation.held_at for conversation in conversations},
        tags={conversation.recording_id: conversation.tags for conversation in conversations},
    )
    return KnownCustomer(
        id=row.id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        identities=tuple(identities),
        fields=fields,
        tags=merged_tags(conversations, catalogue, as_of),
        conversations=conversations,
        lifecycle=lifecycle(facts, as_of, catalogue.lifecycle),
    )


def merged_fields(
    rows: Iterable[FieldValueRow], catalogue: Catalogue, as_of: datetime
) -> dict[str, FieldValue]:
    """Return each field's value by its rule, out of what every source says at present."""
    observations: dict[str, list[FieldValue]] = defaultdict(list)
    for row in rows:
        if row.superseded_at is None and row.value is not None:
            observations[row.name].append(field_from(row))
    merged = {
        name: merge_field(catalogue.field(name), observations[name], as_of) for name in sorted(observations)
    }
    return {name: field for name, field in merged.items() if field is not None}


def merged_tags(
    conversations: Sequence[Conversation], catalogue: Catalogue, as_of: datetime
) -> tuple[Tag, ...]:
    """Return the tags of all conversations as one list, one for each key and value, newest first.

    A tag heard several times has the evidence of each, newest first, and the combined confidence
    of all, each faded by its age. Of a key that merges by ``latest`` only the value of the last
    conversation that has it is kept.
    """
    by_key: dict[str, list[Tag]] = defaultdict(list)
    for conversation in conversations:
        for tag in conversation.tags:
            by_key[tag.key].append(tag)
    merged: list[Tag] = []
    for key, tags in by_key.items():
        definition = catalogue.tag(key)
        tags.sort(key=_tag_rank, reverse=True)
        if definition.merge is MergeRule.LATEST:
            tags = [tag for tag in tags if value_hash(tag.value) == value_hash(tags[0].value)]
        equal: dict[str, list[Tag]] = defaultdict(list)
        for tag in tags:
            equal[value_hash(tag.value)].append(tag)
        merged.extend(_one_tag(same, definition.half_life_days, as_of) for same in equal.values())
    return tuple(sorted(merged, key=_tag_rank, reverse=True))


def _one_tag(same: Sequence[Tag], half_life_days: float, as_of: datetime) -> Tag:
    return replace(
        same[0],
        confidence=combined(faded(tag.confidence, tag.observed_at, as_of, half_life_days) for tag in same),
        evidence=tuple(evidence for tag in same for evidence in tag.evidence),
    )


def _tag_rank(tag: Tag) -> tuple[datetime, float, str, str, str]:
    return tag.observed_at, tag.confidence, tag.key, value_hash(tag.value), tag.evidence[0].recording_id


def _conversations(rows: Sequence[ConversationRow], tag_rows: Sequence[TagRow]) -> tuple[Conversation, ...]:
    tags: dict[str, list[Tag]] = defaultdict(list)
    for tag_row in tag_rows:
        tags[tag_row.recording_id].append(tag_from(tag_row))
    return tuple(
        Conversation(
            recording_id=row.recording_id,
            held_at=row.held_at,
            seller=row.seller,
            setting=row.setting,
            duration_ms=row.duration_ms,
            score=row.score,
            possible=row.possible,
            summary=row.summary,
            tags=tuple(sorted(tags[row.recording_id], key=_tag_rank, reverse=True)),
        )
        for row in sorted(rows, key=lambda row: (row.held_at, row.recording_id), reverse=True)
    )


def _purchase_counts(rows: Iterable[FieldValueRow]) -> list[tuple[datetime, int]]:
    return sorted(
        (row.first_observed_at, row.value)
        for row in rows
        if row.name == "purchase_count" and row.source == "crm" and isinstance(row.value, int)
    )
