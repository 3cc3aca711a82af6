"""What a list may be narrowed to: the sellers, teams and items of scorecards that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.tables import ScorecardItemRow, ScorecardRow
from huaxiang.profile.coaching.tables import SellerRow


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a scorecard in use, with its names."""

    id: str
    title: str
    title_en: str


def sellers_heard(session: Session) -> Sequence[tuple[str, str]]:
    """Return key and name of the sellers who have recordings, by name."""
    rows = session.execute(
        select(RecordingRow.seller, SellerRow.name)
        .outerjoin(SellerRow, SellerRow.key == RecordingRow.seller)
        .where(RecordingRow.seller.is_not(None))
        .distinct()
    )
    return sorted(((str(key), str(name or key)) for key, name in rows), key=lambda one: (one[1], one[0]))


def team_names(session: Session) -> Sequence[str]:
    """Return the names of all teams."""
    query = select(SellerRow.team).where(SellerRow.team.is_not(None)).distinct().order_by(SellerRow.team)
    return [str(team) for team in session.scalars(query)]


def items_in_use(session: Session) -> Sequence[Item]:
    """Return the items of the scorecards that recordings have now, each id once, in their order.

    They are read from one recording of each scorecard: all recordings of it have the same items.
    """
    one_of_each = (
        select(ScorecardRow.definition, func.min(ScorecardRow.recording_id).label("recording_id"))
        .where(ScorecardRow.is_current)
        .group_by(ScorecardRow.definition)
        .subquery()
    )
    item = ScorecardItemRow
    rows = session.execute(
        select(item.item_id, item.title, item.title_en)
        .join(
            one_of_each,
            and_(
                one_of_each.c.definition == item.definition,
                one_of_each.c.recording_id == item.recording_id,
            ),
        )
        .order_by(item.definition, item.position)
    )
    found: dict[str, Item] = {}
    for identifier, title, title_en in rows:
        found.setdefault(identifier, Item(identifier, title, title_en))
    return list(found.values())
