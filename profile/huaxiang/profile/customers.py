"""Customers and their identities: found by CRM id or phone number, created when nobody is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import InvalidField, InvalidInput, NotFound, StorageError
from huaxiang.core.types import new_id
from huaxiang.profile.identity import IdentityKind, clean_crm_id, normalise_phone, parse_reference
from huaxiang.profile.tables import CustomerRow, IdentityConflictRow, IdentityRow

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Identity:
    """One way to recognise a customer, who told it, and when."""

    customer_id: str
    kind: IdentityKind
    value: str
    source: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IdentityConflict:
    """Two customers that one source holds to be the same.

    ``customer_id`` was used; ``kind`` and ``value`` stayed with ``other_customer_id``.
    """

    customer_id: str
    other_customer_id: str
    kind: IdentityKind
    value: str
    source: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Resolution:
    """The customer found or made, and the conflict that showed on the way.

    ``changed`` says that a customer, an identity or a conflict was written.
    """

    customer_id: str
    created: bool = False
    changed: bool = False
    conflict: IdentityConflict | None = None


class CustomerStore:
    """Finds and makes customers. Takes the caller's session, flushes, never commits.

    ``country`` (ISO 3166) is where phone numbers without country code belong.
    """

    def __init__(self, country: str = "CN") -> None:
        self._country = country

    def resolve(
        self, session: Session, *, crm_id: str | None = None, phone: str | None = None, source: str
    ) -> Resolution:
        """Return the customer of a CRM id, a phone number, or both; makes one where there is none.

        Whichever of the two is new is linked to the customer that the other one found. Where they
        lead to two customers, or the phone's customer already has another CRM id, the CRM id
        decides, the phone stays where it is, and the conflict is recorded and returned: joining
        two customers is a decision for a person. Safe against others who do the same at once.

        Raises InvalidField for a phone that is none, InvalidInput without any identity.
        """
        number = None
        if phone is not None:
            number = normalise_phone(phone, self._country)
            if number is None:
                raise InvalidField("phone: not a valid phone number", fields="phone")
        identifier = None if crm_id is None else clean_crm_id(crm_id)
        if identifier is None and number is None:
            raise InvalidInput("a customer is found by a CRM id, a phone number or both")
        for _ in range(ATTEMPTS):
            try:
                with session.begin_nested():
                    return self._resolve_once(session, identifier, number, source)
            except IntegrityError as error:
                lost_race = error  # another transaction made this identity first: look again
        raise StorageError("a customer's identity kept changing while it was looked up") from lost_race

    def resolve_reference(self, session: Session, reference: str, source: str) -> Resolution:
        """Return the customer of a reference that is a CRM id or a phone number, made if need be.

        An id that the CRM has given wins over its reading as a phone number. Raises InvalidInput.
        """
        known = self._owner(session, "crm_id", clean_crm_id(reference))
        if known is not None:
            return Resolution(known)
        parsed = parse_reference(reference, self._country)
        if parsed.kind == "crm_id":
            return self.resolve(session, crm_id=parsed.value, source=source)
        return self.resolve(session, phone=parsed.value, source=source)

    def find(self, session: Session, reference: str) -> str:
        """Return the id of the customer with this CRM id, phone number or own id.

        Raises NotFound.
        """
        identifier = reference.strip()
        if not identifier.isprintable():
            raise NotFound("no such customer")
        number = normalise_phone(identifier, self._country)
        found = (
            self._owner(session, "crm_id", identifier)
            or session.scalar(select(CustomerRow.id).where(CustomerRow.id == identifier))
            or (self._owner(session, "phone", number) if number else None)
        )
        if found is None:
            raise NotFound("no such customer")
        return found

    def identities(self, session: Session, customer_ids: Iterable[str]) -> Sequence[Identity]:
        """Return the identities of some customers, oldest first."""
        rows = session.scalars(
            select(IdentityRow)
            .where(IdentityRow.customer_id.in_(list(customer_ids)))
            .order_by(IdentityRow.created_at, IdentityRow.id)
        )
        return [_identity(row) for row in rows]

    def conflicts(self, session: Session, customer_id: str) -> Sequence[IdentityConflict]:
        """Return the recorded conflicts that a customer is part of, oldest first."""
        rows = session.scalars(
            select(IdentityConflictRow)
            .where(
                (IdentityConflictRow.customer_id == customer_id)
                | (IdentityConflictRow.other_customer_id == customer_id)
            )
            .order_by(IdentityConflictRow.noted_at, IdentityConflictRow.id)
        )
        return [_conflict(row) for row in rows]

    def lock(self, session: Session, customer_id: str) -> None:
        """Hold the customer until the transaction ends, so that changes to one come one by one.

        Raises NotFound.
        """
        statement = select(CustomerRow.id).where(CustomerRow.id == customer_id).with_for_update()
        if session.scalar(statement) is None:
            raise NotFound("no such customer")

    def touch(self, session: Session, customer_id: str) -> None:
        """Count a change of the customer: ``version`` goes up by one and ``updated_at`` is now."""
        session.execute(
            update(CustomerRow)
            .where(CustomerRow.id == customer_id)
            .values(version=CustomerRow.version + 1, updated_at=now())
            .execution_options(synchronize_session=False)
        )

    def _resolve_once(
        self, session: Session, crm_id: str | None, phone: str | None, source: str
    ) -> Resolution:
        by_crm = self._owner(session, "crm_id", crm_id) if crm_id else None
        by_phone = self._owner(session, "phone", phone) if phone else None
        if by_crm is not None:
            if phone is None or by_phone == by_crm:
                return Resolution(by_crm)
            if by_phone is not None:
                return self._in_conflict(session, Resolution(by_crm), by_phone, phone, source)
            return self._link(session, by_crm, "phone", phone, source)
        if by_phone is None or phone is None:
            return self._create(session, crm_id, phone, source)
        if crm_id is None:
            return Resolution(by_phone)
        if self._has_crm_id(session, by_phone):
            made = self._create(session, crm_id, None, source)
            return self._in_conflict(session, made, by_phone, phone, source)
        return self._link(session, by_phone, "crm_id", crm_id, source)

    def _owner(self, session: Session, kind: IdentityKind, value: str) -> str | None:
        return session.scalar(
            select(IdentityRow.customer_id).where(IdentityRow.kind == kind, IdentityRow.value == value)
        )

    def _has_crm_id(self, session: Session, customer_id: str) -> bool:
        statement = select(IdentityRow.id).where(
            IdentityRow.customer_id == customer_id, IdentityRow.kind == "crm_id"
        )
        return session.scalar(statement.limit(1)) is not None

    def _create(self, session: Session, crm_id: str | None, phone: str | None, source: str) -> Resolution:
        moment = now()
        customer = CustomerRow(id=new_id(), created_at=moment, updated_at=moment, version=1)
        session.add(customer)
        session.flush()
        if crm_id:
            self._add_identity(session, customer.id, "crm_id", crm_id, source)
        if phone:
            self._add_identity(session, customer.id, "phone", phone, source)
        return Resolution(customer.id, created=True, changed=True)

    def _link(
        self, session: Session, customer_id: str, kind: IdentityKind, value: str, source: str
    ) -> Resolution:
        self._add_identity(session, customer_id, kind, value, source)
        self.touch(session, customer_id)
        return Resolution(customer_id, changed=True)

    def _add_identity(
        self, session: Session, customer_id: str, kind: IdentityKind, value: str, source: str
    ) -> None:
        session.add(
            IdentityRow(
                id=new_id(),
                customer_id=customer_id,
                kind=kind,
                value=value,
                source=source,
                created_at=now(),
            )
        )
        session.flush()

    def _in_conflict(
        self, session: Session, chosen: Resolution, other_customer_id: str, phone: str, source: str
    ) -> Resolution:
        known = session.scalar(
            select(IdentityConflictRow).where(
                IdentityConflictRow.customer_id == chosen.customer_id,
                IdentityConflictRow.other_customer_id == other_customer_id,
                IdentityConflictRow.kind == "phone",
                IdentityConflictRow.value == phone,
            )
        )
        changed = known is None or chosen.changed
        if known is None:
            known = IdentityConflictRow(
                id=new_id(),
                customer_id=chosen.customer_id,
                other_customer_id=other_customer_id,
                kind="phone",
                value=phone,
                source=source,
                noted_at=now(),
            )
            session.add(known)
            session.flush()
            self.touch(session, chosen.customer_id)
            self.touch(session, other_customer_id)
        return Resolution(chosen.customer_id, chosen.created, changed, _conflict(known))


def _identity(row: IdentityRow) -> Identity:
    kind: IdentityKind = "crm_id" if row.kind == "crm_id" else "phone"
    return Identity(row.customer_id, kind, row.value, row.source, row.created_at)


def _conflict(row: IdentityConflictRow) -> IdentityConflict:
    kind: IdentityKind = "crm_id" if row.kind == "crm_id" else "phone"
    return IdentityConflict(row.customer_id, row.other_customer_id, kind, row.value, row.source, row.noted_at)
