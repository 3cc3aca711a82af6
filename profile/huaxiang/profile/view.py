"""The profile as JSON: every field, tag and step with its source, its time and its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, time

from sqlalchemy.orm import Session

from huaxiang.core.errors import NotFound
from huaxiang.core.types import Customer, Evidence, FieldValue, Json, Provenance, Tag
from huaxiang.profile.catalogue import Catalogue, MergeRule, load_catalogue
from huaxiang.profile.customers import CustomerStore, Identity, IdentityConflict
from huaxiang.profile.lifecycle import STAGE_TITLES, Lifecycle
from huaxiang.profile.rules import contradicted
from huaxiang.profile.state import Conversation, KnownCustomer, load_customers
from huaxiang.profile.values import time_text

LAST_CONVERSATIONS = 10


def profile(session: Session, customer_id: str, now: datetime) -> dict[str, Json]:
    """Return the JSON of ``GET /v1/customers/{external_id}/profile`` as of the UTC day of ``now``.

    Keys: ``id``, ``external_id``, ``version``, ``as_of``, ``updated_at``, ``identities``,
    ``conflicts``, ``lifecycle``, ``fields``, ``tags``, ``open_objections``, ``next_step``,
    ``conversations`` (the last ten, each tag with its strongest evidence) and
    ``conversation_count``; ``docs/profile.md`` describes each.
    ``version`` is material for an ETag: it changes with the customer, with the day, by which
    confidences fade and stages pass, and with the catalogue, and with nothing else.
    Raises NotFound.
    """
    catalogue = load_catalogue()
    known = _load(session, customer_id, catalogue, now)
    conflicts = CustomerStore().conflicts(session, customer_id)
    return {
        "id": known.id,
        "external_id": _external_id(known.identities),
        "version": version(known, catalogue, now),
        "as_of": _day(now).date().isoformat(),
        "updated_at": time_text(known.updated_at),
        "identities": [_identity_json(identity) for identity in known.identities],
        "conflicts": [_conflict_json(conflict) for conflict in conflicts],
        "lifecycle": _lifecycle_json(known.lifecycle),
        "fields": [_field_json(field, catalogue) for field in known.fields.values()],
        "tags": [_tag_json(tag, catalogue) for tag in known.tags],
        "open_objections": [_objection_json(tag, catalogue) for tag in open_objections(known.tags)],
        "next_step": _next_step_json(known.fields.get("next_step"), now),
        "conversations": [
            _conversation_json(conversation, catalogue)
            for conversation in known.conversations[:LAST_CONVERSATIONS]
        ],
        "conversation_count": len(known.conversations),
    }


def customer(session: Session, customer_id: str, now: datetime) -> Customer:
    """Return the merged customer as of the UTC day of ``now``; raises NotFound."""
    known = _load(session, customer_id, load_catalogue(), now)
    return Customer(
        id=known.id,
        external_id=_external_id(known.identities),
        phones=_phones(known.identities),
        lifecycle=known.lifecycle.stage.value,
        fields=tuple(known.fields.values()),
        tags=known.tags,
    )


def summary(known: KnownCustomer, catalogue: Catalogue, now: datetime) -> dict[str, Json]:
    """Return a customer as one line of a list: who, which stage, when last spoken to, what is open."""
    last = known.conversations[0].held_at if known.conversations else None
    name = known.fields.get("name") or known.fields.get("addressed_as")
    return {
        "id": known.id,
        "external_id": _external_id(known.identities),
        "phones": list(_phones(known.identities)),
        "name": name.value if name else None,
        "lifecycle": known.lifecycle.stage.value,
        "lifecycle_title": STAGE_TITLES[known.lifecycle.stage],
        "last_conversation_at": time_text(last) if last else None,
        "conversation_count": len(known.conversations),
        "tag_count": len(known.tags),
        "open_objection_count": len(open_objections(known.tags)),
        "next_step": _next_step_json(known.fields.get("next_step"), now),
        "version": version(known, catalogue, now),
        "updated_at": time_text(known.updated_at),
    }


def version(known: KnownCustomer, catalogue: Catalogue, now: datetime) -> str:
    """Return what the customer's JSON depends on, as material for an ETag."""
    return f"{known.version}-{_day(now):%Y%m%d}-{catalogue.digest[:8]}"


def as_of_day(now: datetime) -> datetime:
    """Return the start of the UTC day of ``now``: within a day a profile changes only by what is told."""
    return _day(now)


def open_objections(tags: Iterable[Tag]) -> list[Tag]:
    """Return the objections that were not answered when they last came up."""
    return [tag for tag in tags if tag.key.startswith("objection.") and tag.value == "open"]


def _load(session: Session, customer_id: str, catalogue: Catalogue, now: datetime) -> KnownCustomer:
    known = load_customers(session, [customer_id], catalogue, _day(now)).get(customer_id)
    if known is None:
        raise NotFound("no such customer")
    return known


def _day(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def _external_id(identities: Iterable[Identity]) -> str | None:
    """Return the first CRM id; further ones are among the identities."""
    return next((identity.value for identity in identities if identity.kind == "crm_id"), None)


def _phones(identities: Iterable[Identity]) -> tuple[str, ...]:
    return tuple(identity.value for identity in identities if identity.kind == "phone")


def _identity_json(identity: Identity) -> Mapping[str, Json]:
    return {
        "kind": identity.kind,
        "value": identity.value,
        "source": identity.source,
        "since": time_text(identity.created_at),
    }


def _conflict_json(conflict: IdentityConflict) -> Mapping[str, Json]:
    return {
        "customer_id": conflict.customer_id,
        "other_customer_id": conflict.other_customer_id,
        "kind": conflict.kind,
        "value": conflict.value,
        "source": conflict.source,
        "noted_at": time_text(conflict.noted_at),
    }


def _evidence_json(evidence: Iterable[Evidence]) -> list[Json]:
    return [asdict(item) for item in evidence]


def _provenance_json(provenance: Provenance) -> dict[str, Json]:
    return {
        "source": provenance.source,
        "source_id": provenance.source_id,
        "observed_at": time_text(provenance.observed_at),
        "confidence": round(provenance.confidence, 4),
        "rule": provenance.rule or None,
        "evidence": _evidence_json(provenance.evidence),
    }


def _field_json(field: FieldValue, catalogue: Catalogue) -> dict[str, Json]:
    definition = catalogue.field(field.name)
    others: Sequence[Json] = [
        {"value": other.value, **_provenance_json(other.provenance)} for other in field.others
    ]
    union = definition.merge is MergeRule.UNION
    return {
        "name": field.name,
        "title": definition.zh,
        "title_en": definition.en,
        "group": definition.group,
        "type": definition.type.value,
        "merge": definition.merge.value,
        "sensitive": definition.sensitive,
        "value": field.value,
        **_provenance_json(field.provenance),
        "contradicted": contradicted(field, definition.merge),
        "members": others if union else [],
        "others": [] if union else others,
    }


def _tag_json(tag: Tag, catalogue: Catalogue) -> dict[str, Json]:
    definition = catalogue.tag(tag.key)
    return {
        "key": tag.key,
        "title": definition.zh,
        "title_en": definition.en,
        "value": tag.value,
        "confidence": round(tag.confidence, 4),
        "source": tag.source,
        "observed_at": time_text(tag.observed_at),
        "recordings": len({evidence.recording_id for evidence in tag.evidence}),
        "evidence": _evidence_json(tag.evidence),
    }


def _objection_json(tag: Tag, catalogue: Catalogue) -> dict[str, Json]:
    return {"type": tag.key.removeprefix("objection."), **_tag_json(tag, catalogue)}


def _next_step_json(field: FieldValue | None, now: datetime) -> dict[str, Json] | None:
    """Return the step agreed last; ``overdue`` is null where no time was agreed."""
    if field is None or not isinstance(field.value, Mapping):
        return None
    due_at = field.value.get("due_at")
    overdue = None
    if isinstance(due_at, str):
        due = datetime.fromisoformat(due_at)
        overdue = (due if due.tzinfo else due.replace(tzinfo=UTC)) < _day(now)
    return {**field.value, "overdue": overdue, **_provenance_json(field.provenance)}


def _lifecycle_json(lifecycle: Lifecycle) -> dict[str, Json]:
    return {
        "stage": lifecycle.stage.value,
        "title": STAGE_TITLES[lifecycle.stage],
        "since": time_text(lifecycle.since) if lifecycle.since else None,
        "reasons": [
            {"code": reason.code, "message": reason.message, **_provenance_json(reason.provenance)}
            for reason in lifecycle.reasons
        ],
    }


def _conversation_json(conversation: Conversation, catalogue: Catalogue) -> dict[str, Json]:
    return {
        "recording_id": conversation.recording_id,
        "held_at": time_text(conversation.held_at),
        "seller": conversation.seller,
        "setting": conversation.setting,
        "duration_ms": conversation.duration_ms,
        "score": conversation.score,
        "possible": conversation.possible,
        "summary": dict(conversation.summary),
        "tags": [_tag_json(replace(tag, evidence=tag.evidence[:1]), catalogue) for tag in conversation.tags],
    }
