"""Where a customer stands: 潜在 → 新客 → 活跃 → 忠诚 → 沉睡 → 流失, since when, and for what reasons.

``docs/profile.md`` has the rules as a table. A pure function of what is known and of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from huaxiang.core.types import FieldValue, Provenance, Tag
from huaxiang.profile.catalogue import LifecycleRules

REJECTION = "intent.reject"
INTEREST = frozenset(
    {"intent.purchase_intent", "intent.agree_next_step", "intent.request_demo", "intent.negotiate"}
)


class Stage(StrEnum):
    """A stage of the lifecycle."""

    PROSPECT = "prospect"
    NEW = "new"
    ACTIVE = "active"
    LOYAL = "loyal"
    DORMANT = "dormant"
    LOST = "lost"


STAGE_TITLES: Mapping[Stage, str] = {
    Stage.PROSPECT: "潜在",
    Stage.NEW: "新客",
    Stage.ACTIVE: "活跃",
    Stage.LOYAL: "忠诚",
    Stage.DORMANT: "沉睡",
    Stage.LOST: "流失",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact that the stage rests on, with where it comes from."""

    code: str
    message: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A stage; ``since`` is the moment from which it is known to hold, None where that is unknown."""

    stage: Stage
    since: datetime | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the stage is judged by.

    ``fields`` are the merged ones; ``purchase_counts`` what the CRM has said over time, oldest first,
    as (since, count); ``contacts`` the time of each conversation by recording id; ``tags`` those of
    each conversation by recording id.
    """

    fields: Mapping[str, FieldValue]
    purchase_counts: Sequence[tuple[datetime, int]]
    contacts: Mapping[str, datetime]
    tags: Mapping[str, Sequence[Tag]]


def lifecycle(facts: Facts, as_of: datetime, rules: LifecycleRules) -> Lifecycle:
    """Return the customer's stage on the day ``as_of``."""
    churned = _date_field(facts, "churned_at", as_of)
    purchased = _last_purchase(facts, as_of)
    if churned and (purchased is None or purchased.at <= churned.at):
        return Lifecycle(Stage.LOST, churned.at, (_reason("churned", "CRM 记为流失", churned),))
    if purchased is not None:
        return _of_buyer(facts, purchased, as_of, rules)
    return _of_prospect(facts, as_of, rules)


@dataclass(frozen=True, slots=True)
class _Fact:
    at: datetime
    provenance: Provenance


def _reason(code: str, message: str, fact: _Fact) -> Reason:
    return Reason(code, message, fact.provenance)


def _date_field(facts: Facts, name: str, as_of: datetime) -> _Fact | None:
    """Return a date of the CRM; one that lies ahead (by more than a time zone) has not happened."""
    field = facts.fields.get(name)
    if field is None or not isinstance(field.value, str):
        return None
    moment = datetime.combine(date.fromisoformat(field.value[:10]), time(), UTC)
    return _Fact(moment, field.provenance) if moment <= as_of + timedelta(days=1) else None


def _purchase_count(facts: Facts) -> int | None:
    field = facts.fields.get("purchase_count")
    return field.value if field is not None and isinstance(field.value, int) else None


def _last_purchase(facts: Facts, as_of: datetime) -> _Fact | None:
    """Return the last purchase; where only their number is known, when that was told."""
    dated = _date_field(facts, "last_purchase_at", as_of) or _date_field(facts, "first_purchase_at", as_of)
    if dated is not None or not _purchase_count(facts):
        return dated
    provenance = facts.fields["purchase_count"].provenance
    return _Fact(provenance.observed_at, provenance)


def _of_buyer(facts: Facts, purchased: _Fact, as_of: datetime, rules: LifecycleRules) -> Lifecycle:
    reasons = [_reason("last_purchase", "最近一次购买", purchased)]
    active = purchased
    contact = _last_contact(facts, without=REJECTION)
    if contact is not None:
        reasons.append(_reason("last_contact", "最近一次未被拒绝的沟通", contact))
        active = max(purchased, contact, key=lambda fact: fact.at)
    silent = _silent(active, as_of, rules, tuple(reasons))
    if silent is not None:
        return silent
    count = _purchase_count(facts)
    if count is not None:
        reasons.append(
            Reason("purchase_count", f"购买 {count} 次", facts.fields["purchase_count"].provenance)
        )
    if count is not None and count >= rules.loyal_purchases:
        return Lifecycle(Stage.LOYAL, _known_since(facts, rules.loyal_purchases), tuple(reasons))
    first = _date_field(facts, "first_purchase_at", as_of) or purchased
    new_until = first.at + timedelta(days=rules.new_days)
    if (count is None or count <= 1) and as_of < new_until:
        return Lifecycle(Stage.NEW, first.at, tuple(reasons))
    began = [moment for moment in (_known_since(facts, 2), new_until) if moment and moment <= as_of]
    return Lifecycle(Stage.ACTIVE, min(began, default=None), tuple(reasons))


def _of_prospect(facts: Facts, as_of: datetime, rules: LifecycleRules) -> Lifecycle:
    signal = _last_signal(facts)
    if signal is not None and signal.key == REJECTION:
        fact = _Fact(signal.observed_at, _heard(signal))
        return Lifecycle(Stage.LOST, fact.at, (_reason("rejected", "客户明确拒绝", fact),))
    contact = _last_contact(facts)
    if contact is None:
        return Lifecycle(Stage.PROSPECT, None, ())
    reasons = [_reason("last_contact", "最近一次沟通", contact)]
    if signal is not None:
        reasons.append(Reason("interest", "客户表示意向", _heard(signal)))
    silent = _silent(contact, as_of, rules, tuple(reasons))
    if silent is not None:
        return silent
    return Lifecycle(Stage.PROSPECT, min(facts.contacts.values()), tuple(reasons))


def _silent(
    active: _Fact, as_of: datetime, rules: LifecycleRules, reasons: tuple[Reason, ...]
) -> Lifecycle | None:
    for stage, days in ((Stage.LOST, rules.lost_days), (Stage.DORMANT, rules.active_days)):
        since = active.at + timedelta(days=days)
        if as_of >= since:
            return Lifecycle(stage, since, reasons)
    return None


def _last_contact(facts: Facts, without: str | None = None) -> _Fact | None:
    contacts = [
        (held_at, recording_id)
        for recording_id, held_at in facts.contacts.items()
        if without not in {tag.key for tag in facts.tags.get(recording_id, ())}
    ]
    if not contacts:
        return None
    held_at, recording_id = max(contacts)
    return _Fact(held_at, Provenance("conversation", recording_id, held_at))


def _last_signal(facts: Facts) -> Tag | None:
    """Return the last word on interest or refusal; within one conversation the later turn counts."""
    signals = [
        tag for tags in facts.tags.values() for tag in tags if tag.key == REJECTION or tag.key in INTEREST
    ]
    return max(
        signals,
        key=lambda tag: (tag.observed_at, max(e.turn for e in tag.evidence), tag.confidence, tag.key),
        default=None,
    )


def _heard(tag: Tag) -> Provenance:
    return Provenance(
        "conversation", tag.evidence[0].recording_id, tag.observed_at, tag.confidence, tag.evidence
    )


def _known_since(facts: Facts, purchases: int) -> datetime | None:
    since: datetime | None = None
    for told_at, count in facts.purchase_counts:
        if count < purchases:
            since = None
        elif since is None:
            since = told_at
    return since
