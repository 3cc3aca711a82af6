"""Finds conditions that can never hold, and items that can never apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from huaxiang.quality.condition_types import AllOf, AnyOf, Condition, MetadataCondition, Not, OnlyWhere
from huaxiang.quality.definition import AppliesTo


class Why(NamedTuple):
    """Why something can never be, in English and Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Need:
    """What a fact has to be: one of ``values``, within bounds, or not told at all."""

    fact: str
    values: frozenset[str] | None = None
    above: float | None = None
    below: float | None = None
    untold: bool = False


def needs_of(applies_to: AppliesTo) -> tuple[Need, ...]:
    """Return what a scorecard's ``applies_to`` asks of a recording."""
    listed = (
        ("setting", applies_to.settings),
        ("direction", applies_to.directions),
        ("seller", applies_to.sellers),
        ("team", applies_to.teams),
    )
    needs = [Need(fact, values) for fact, values in listed if values]
    if applies_to.min_duration_s is not None or applies_to.max_duration_s is not None:
        needs.append(Need("duration", None, applies_to.min_duration_s, applies_to.max_duration_s))
    return tuple(needs)


def never(conditions: Iterable[Condition], needs: Iterable[Need] = ()) -> Why | None:
    """Return why conditions can never hold together, or None where they may.

    Looks for a part that is asked for and refused at once, and for facts that contradict each other.
    """
    parts = [part for condition in conditions for part in _parts(condition)]
    refused = {id(part.part): part.part for part in parts if isinstance(part, Not)}
    for part in parts:
        if id(part) in refused or any(part == other for other in refused.values()):
            return Why("a part is asked for and refused at once", "同一部分既要求成立又要求不成立")
        if isinstance(part, AnyOf) and part.parts:
            reasons = [never([choice], needs) for choice in part.parts]
            if all(reasons):
                return reasons[0]
    return _contradiction([*needs, *(need for part in parts for need in _needs(part))])


def _parts(condition: Condition) -> Iterator[Condition]:
    """Yield what has to hold for a condition to hold."""
    match condition:
        case AllOf():
            for part in condition.parts:
                yield from _parts(part)
        case OnlyWhere():
            yield from _parts(condition.applies)
            yield from _parts(condition.part)
        case _:
            yield condition


def _needs(condition: Condition) -> Iterator[Need]:
    if not isinstance(condition, MetadataCondition) or condition.exists is True:
        return
    if condition.exists is False:
        yield Need(condition.name, untold=True)
    elif condition.name != "tags":  # several tags may be there at once
        values = frozenset(condition.values) if condition.values else None
        yield Need(condition.name, values, condition.above, condition.below)


def _contradiction(needs: list[Need]) -> Why | None:
    for fact in dict.fromkeys(need.fact for need in needs):
        asked = [need for need in needs if need.fact == fact]
        if not _satisfiable(asked):
            return Why(f"{fact} cannot be all that is asked of it", f"{fact} 不可能同时满足各处的要求")
    return None


def _satisfiable(needs: list[Need]) -> bool:
    untold = [need.untold for need in needs]
    if any(untold):
        return all(untold)
    low = max((need.above for need in needs if need.above is not None), default=float("-inf"))
    high = min((need.below for need in needs if need.below is not None), default=float("inf"))
    listed = [need.values for need in needs if need.values is not None]
    if not listed:
        return low < high
    common = frozenset.intersection(*listed)
    return any(_number(value) is None or low < (_number(value) or 0.0) < high for value in common)


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
