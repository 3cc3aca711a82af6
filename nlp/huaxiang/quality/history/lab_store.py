"""Keeps what the lab found of each item, and the floors that people set; nothing of it is overwritten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import InvalidInput
from huaxiang.core.types import new_id
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.lab import DEFAULT_FLOOR, ItemFigures, suggests
from huaxiang.quality.history.lab_json import alike_json, figures_json, figures_of
from huaxiang.quality.history.lab_run import Floors, Report
from huaxiang.quality.history.tables import FloorRow, LabRow
from huaxiang.quality.references import refers_to

Suggesting = Collection[tuple[str, str]]
"""Items that only suggest, by ``id @ version`` of their scorecard and their id."""


@dataclass(frozen=True, slots=True)
class Twin:
    """An item that says nearly the same as another; figures as in ``alike.Alike``."""

    definition: str
    item: str
    jaccard: float
    phi: float
    both: int
    same_definition: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What the lab last found of an item; ``suggests`` tells that it was under its floor then."""

    definition: str
    item: str
    computed_at: datetime
    suggests: bool
    figures: ItemFigures
    floor: float
    drifts: bool
    alike: tuple[Twin, ...]


class LabStore:
    """Writes and reads figures and floors; flushes, and leaves the commit to the caller."""

    def save(self, session: Session, report: Report) -> None:
        """Add what the lab found; it is then in force for the items that it is about."""
        moment = now()
        session.add_all(
            LabRow(
                id=new_id(),
                definition=item.key.definition,
                item_id=item.key.item,
                computed_at=moment,
                suggests=item.suggests,
                figures={
                    "figures": figures_json(item.figures),
                    "floor": item.floor,
                    "drifts": item.drifts,
                    "alike": [
                        alike_json(pair, item.key)
                        for pair in report.alike
                        if item.key in (pair.first, pair.second)
                    ],
                },
            )
            for item in report.items
        )
        session.flush()

    def found(self, session: Session, definitions: Iterable[str]) -> Mapping[tuple[str, str], Found]:
        """Return what was last found of each item of these versions, by version and item."""
        rows = session.scalars(_newest().where(LabRow.definition.in_(list(definitions))))
        return {(row.definition, row.item_id): _found(row.figures, row) for row in rows}

    def suggesting(self, session: Session) -> frozenset[tuple[str, str]]:
        """Return the items that were last found under their floor, by version and item."""
        rows = session.execute(
            _newest().where(LabRow.suggests).with_only_columns(LabRow.definition, LabRow.item_id)
        )
        return frozenset((definition, item) for definition, item in rows)

    def set_floor(self, session: Session, scorecard: str, item: str, floor: float, by: str) -> None:
        """Set the precision (0–1) under which an item only suggests; 0 lets it count whatever it is.

        What the lab last found of the item's versions is judged by it at once. Raises InvalidInput.
        """
        if not 0 <= floor <= 1:
            raise InvalidInput("a floor is a share from 0 to 1", fields="floor")
        session.add(
            FloorRow(id=new_id(), scorecard=scorecard, item_id=item, floor=floor, set_by=by, set_at=now())
        )
        versions = _newest().where(refers_to(LabRow.definition, scorecard), LabRow.item_id == item)
        moment = now()
        for row in list(session.scalars(versions)):
            figures = {**row.figures, "floor": floor}
            session.add(
                LabRow(
                    id=new_id(),
                    definition=row.definition,
                    item_id=item,
                    computed_at=moment,
                    suggests=suggests(figures_of(row.figures["figures"]), floor),
                    figures=figures,
                )
            )
        session.flush()

    def floors(self, session: Session) -> Floors:
        """Return the floors in force, by scorecard and item; an item without one has ``DEFAULT_FLOOR``."""
        rows = session.execute(
            select(FloorRow.scorecard, FloorRow.item_id, FloorRow.floor).order_by(
                FloorRow.set_at, FloorRow.id
            )
        )
        return {(scorecard, item): floor for scorecard, item, floor in rows}

    def floor_log(self, session: Session, scorecard: str) -> Sequence[FloorRow]:
        """Return every floor that was ever set of a scorecard's items, oldest first."""
        return session.scalars(
            select(FloorRow).where(FloorRow.scorecard == scorecard).order_by(FloorRow.set_at, FloorRow.id)
        ).all()


def floored(definition: ScorecardDefinition, suggesting: Suggesting) -> ScorecardDefinition:
    """Return a scorecard whose items under their floor only suggest."""
    return definition.suggesting({item for version, item in suggesting if version == definition.reference})


def floor_of(floors: Floors, scorecard: str, item: str) -> float:
    """Return the floor in force of an item."""
    return floors.get((scorecard, item), DEFAULT_FLOOR)


def _newest() -> Select[LabRow]:
    """Select the row in force of each item of each version."""
    last = (
        select(LabRow.definition, LabRow.item_id, func.max(LabRow.computed_at).label("computed_at"))
        .group_by(LabRow.definition, LabRow.item_id)
        .subquery()
    )
    return select(LabRow).join(
        last,
        (LabRow.definition == last.c.definition)
        & (LabRow.item_id == last.c.item_id)
        & (LabRow.computed_at == last.c.computed_at),
    )


def _found(stored: Mapping[str, Any], row: LabRow) -> Found:
    return Found(
        definition=row.definition,
        item=row.item_id,
        computed_at=row.computed_at,
        suggests=row.suggests,
        figures=figures_of(stored["figures"]),
        floor=stored["floor"],
        drifts=stored["drifts"],
        alike=tuple(Twin(**twin) for twin in stored["alike"]),
    )
