"""Runs the lab: every item of the published scorecards over the history, against what people judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from huaxiang.quality.definition import Item, ScorecardDefinition
from huaxiang.quality.history.alike import Alike, ItemKey, alike, bits_of
from huaxiang.quality.history.judging import Rescored
from huaxiang.quality.history.lab import DEFAULT_FLOOR, ItemFigures, Occurrence, item_figures, suggests
from huaxiang.quality.history.proportions import false_discovery
from huaxiang.quality.review.queue import JudgedItem

DRIFT_RATE = 0.05
"""The false discovery rate that is held over all items when drift is told."""

Floors = Mapping[tuple[str, str], float]
"""Floors that somebody set, by the id of the scorecard and of the item."""


@dataclass(frozen=True, slots=True)
class LabItem:
    """One item in the lab: its figures, its floor, and whether it only suggests.

    ``drifts`` tells that its hits of late are more or fewer than before, the false discovery rate held.
    """

    key: ItemKey
    item: Item
    figures: ItemFigures
    floor: float
    suggests: bool
    drifts: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What the lab found: the items in the order of their scorecards, and those that are alike."""

    items: tuple[LabItem, ...]
    alike: tuple[Alike, ...]
    conversations: int


@dataclass
class _Column:
    """What one scorecard's items came to, call after call of the history; None where it was not meant."""

    passed: list[tuple[bool | None, ...] | None] = field(default_factory=list)


def run_lab(
    definitions: Sequence[ScorecardDefinition],
    rescored: Iterable[Rescored],
    judged: Mapping[str, Sequence[JudgedItem]],
    floors: Floors,
    zone: tzinfo,
) -> Report:
    """Return what the lab finds of each item.

    ``rescored`` has the whole history judged by ``definitions``, in their order. ``judged`` has what people
    said, by the id of the scorecard, under whatever version they saw: whether the seller did what an item
    asks does not depend on how the item looks for it, so what they said of an item measures each version.
    """
    calls: list[tuple[str, datetime]] = []
    columns = [_Column() for _ in definitions]
    for one in rescored:
        calls.append((one.recording_id, one.started_at))
        for column, marks in zip(columns, one.marks, strict=True):
            column.passed.append(None if marks is None else marks.passed)
    items: list[LabItem] = []
    sets = {}
    for definition, column in zip(definitions, columns, strict=True):
        reviews = judged.get(definition.id, ())
        for place, item in enumerate(definition.items):
            key = ItemKey(definition.reference, item.id)
            outcomes = [None if passed is None else passed[place] for passed in column.passed]
            occurrences = [
                Occurrence(recording_id, started_at, outcome)
                for (recording_id, started_at), outcome, passed in zip(
                    calls, outcomes, column.passed, strict=True
                )
                if passed is not None
            ]
            of_item = [review for review in reviews if review.item == item.id]
            floor = floors.get((definition.id, item.id), DEFAULT_FLOOR)
            figures = item_figures(occurrences, of_item, zone)
            items.append(LabItem(key, item, figures, floor, suggests(figures, floor), drifts=False))
            sets[key] = (item, bits_of(outcomes))
    return Report(tuple(_with_drift(items)), tuple(alike(sets)), len(calls))


def _with_drift(items: Sequence[LabItem]) -> Iterable[LabItem]:
    adjusted = false_discovery([item.figures.drift_p for item in items])
    for item, p in zip(items, adjusted, strict=True):
        yield LabItem(item.key, item.item, item.figures, item.floor, item.suggests, p < DRIFT_RATE)
