"""Writes a seller with what follows from it for the library."""

from __future__ import annotations

from sqlalchemy.orm import Session

from huaxiang.profile.coaching.library import Library
from huaxiang.profile.coaching.sellers import Seller, SellerStore, SellerValues


def write_seller(session: Session, key: str, values: SellerValues, *, by: str) -> Seller:
    """Register a seller, or change one who is registered; leaves the commit to the caller.

    Withdrawn consent takes their passages out of the library at once. Raises InvalidInput and Conflict.
    """
    sellers = SellerStore()
    if not sellers.get(session, key).registered:
        return sellers.add(session, key, values, by=by)
    changed = sellers.update(session, key, values, by=by)
    Library().consent_changed(session, changed.key, by=by)
    return changed
