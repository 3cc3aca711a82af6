"""Whether a conversation was won, by what the CRM says of its customer (``docs/coaching.md``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from huaxiang.core.types import FieldValue, Provenance
from huaxiang.profile.coaching.calls import CallOutcome, Outcome
from huaxiang.profile.records import field_from
from huaxiang.profile.tables import FieldValueRow

DEFAULT_WINDOW_DAYS = 30
PURCHASES = frozenset({"first_purchase_at", "last_purchase_at"})
DEAL, DEAL_CLOSED, CHURNED = "deal_status", "deal_closed_at", "churned_at"
FIELDS = PURCHASES | {DEAL, DEAL_CLOSED, CHURNED}
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that the CRM told of a customer's purchases or deal; ``since`` is when it first said so."""

    field: FieldValue
    since: datetime
    present: bool


@dataclass(frozen=True, slots=True)
class CrmHistory:
    """All that the CRM ever told of a customer's case; ``last`` is its last word on anything at all."""

    last: Provenance
    told: tuple[Told, ...] = ()


def outcome(
    held_at: datetime,
    known: bool,
    crm: CrmHistory | None,
    as_of: datetime,
    window_days: int = DEFAULT_WINDOW_DAYS,
    zone: tzinfo = UTC,
) -> CallOutcome:
    """Return how the case went within ``window_days`` of a conversation held at ``held_at``.

    ``known`` says that the conversation has a customer, ``crm`` is what the CRM ever told of them, present
    and past, None for nothing. In this order:

    * a purchase, or a deal that the CRM calls won, from the day of the conversation to the end of the
      window: ``won``. Days are those of ``zone``; the day itself counts, as most CRMs tell no hour;
    * a deal called lost, or the customer's churn, in that time: ``lost``;
    * the window is not over, or the CRM's present word is that the deal is open: ``open``;
    * the window is over without any of these, for a customer whom the CRM knows: ``lost``;
    * no customer, or one of whom the CRM has told nothing: ``unknown``.
    """
    if crm is None:
        return CallOutcome(Outcome.UNKNOWN, "not_in_crm" if known else "no_customer")
    first = held_at.astimezone(zone).date()
    last = first + timedelta(days=window_days)
    for kind, reason_of in ((Outcome.WON, _win), (Outcome.LOST, _loss)):
        found = [
            (day, reason, provenance)
            for day, reason, provenance in _events(crm.told, reason_of, zone)
            if first <= day <= last
        ]
        if found:
            _, reason, provenance = min(found, key=lambda event: (event[0], event[1]))
            return CallOutcome(kind, reason, provenance)
    still_open = next(
        (t for t in crm.told if t.present and t.field.name == DEAL and t.field.value == "open"), None
    )
    if still_open is not None:
        return CallOutcome(Outcome.OPEN, "deal_open", still_open.field.provenance)
    if as_of.astimezone(zone).date() <= last:
        return CallOutcome(Outcome.OPEN, "window_open")
    return CallOutcome(Outcome.LOST, "nothing_in_window", crm.last)


def outcomes(
    session: Session,
    held: Mapping[str, tuple[str | None, datetime]],
    as_of: datetime,
    window_days: int,
    zone: tzinfo,
) -> dict[str, CallOutcome]:
    """Return the outcome of each conversation by its id, from its customer and when it was held."""
    crm = _crm_histories(session, {customer for customer, _ in held.values() if customer is not None})
    return {
        recording_id: outcome(
            held_at,
            customer is not None,
            None if customer is None else crm.get(customer),
            as_of,
            window_days,
            zone,
        )
        for recording_id, (customer, held_at) in held.items()
    }


def _win(told: Told) -> str | None:
    if told.field.name in PURCHASES:
        return "purchase"
    return "deal_won" if (told.field.name, told.field.value) == (DEAL, "won") else None


def _loss(told: Told) -> str | None:
    if told.field.name == CHURNED:
        return "churned"
    return "deal_lost" if (told.field.name, told.field.value) == (DEAL, "lost") else None


def _events(
    told: Sequence[Told], reason_of: Callable[[Told], str | None], zone: tzinfo
) -> Iterator[tuple[date, str, Provenance]]:
    """Give the days on which something happened that ``reason_of`` names."""
    closed = next((t for t in told if t.present and t.field.name == DEAL_CLOSED), None)
    for item in told:
        reason = reason_of(item)
        if reason is None:
            continue
        if item.field.name == DEAL:
            dated = _day(closed) if closed is not None and item.present else None
            yield dated or item.since.astimezone(zone).date(), reason, item.field.provenance
        elif (day := _day(item)) is not None:
            yield day, reason, item.field.provenance


def _day(told: Told) -> date | None:
    return date.fromisoformat(told.field.value[:10]) if isinstance(told.field.value, str) else None


def _crm_histories(session: Session, customer_ids: set[str]) -> dict[str, CrmHistory]:
    """Return what the CRM told of these customers; those of whom it told nothing are left out."""
    row = FieldValueRow
    told: dict[str, list[Told]] = defaultdict(list)
    last: dict[str, Provenance] = {}
    wanted = sorted(customer_ids)
    for start in range(0, len(wanted), _BATCH):
        of_these = (row.source == "crm", row.customer_id.in_(wanted[start : start + _BATCH]))
        for customer_id, source_id, observed_at in session.execute(
            select(row.customer_id, func.max(row.source_id), func.max(row.observed_at))
            .where(*of_these)
            .group_by(row.customer_id)
        ):
            last[customer_id] = Provenance("crm", source_id, observed_at)
        for found in session.scalars(select(row).where(*of_these, row.name.in_(FIELDS))):
            if found.value is not None:
                told[found.customer_id].append(
                    Told(field_from(found), found.first_observed_at, found.superseded_at is None)
                )
    return {customer: CrmHistory(said, tuple(told[customer])) for customer, said in last.items()}
