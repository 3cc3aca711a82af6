"""Reads where a condition is searched: first or last, or around the hits of another condition."""

from __future__ import annotations

from typing import cast

from yaml import MappingNode, Node, SequenceNode

from huaxiang.quality.condition_types import (
    WHOLE,
    AllOf,
    Anchored,
    AnyOf,
    Condition,
    HitChoice,
    MetadataCondition,
    MetricCondition,
    Not,
    OnlyWhere,
    Place,
    Side,
    Where,
)
from huaxiang.quality.fields import Fields
from huaxiang.quality.scope import ReadCondition, Scope
from huaxiang.quality.yaml_reader import Reader

UNITS = {"seconds": 86_400.0, "percent": 100.0, "turns": 100_000.0}
SIDES = ("before", "after", "around")
_PLACE_KEYS = {"first", "last", *SIDES, "hit", "turns", "seconds"}


def read_place(reader: Reader, node: Node, scope: Scope, read: ReadCondition) -> Where:
    """Return the place that a node writes; mistakes are noted in ``reader``."""
    fields = Fields(reader, node, reader.mapping(node, _PLACE_KEYS))
    kinds = [key for key in ("first", "last", *SIDES) if key in fields]
    if len(kinds) != 1:
        if fields.given or isinstance(node, MappingNode):
            reader.wrong(node, "one_place")
        return WHOLE
    if kinds[0] in SIDES:
        return _anchored(fields, cast("Side", kinds[0]), scope, read)
    for key in fields.given:
        if key != kinds[0]:
            reader.wrong(fields[key], "does_not_go", key=key, operator=kinds[0], allowed=", ".join(UNITS))
    return _end(reader, kinds[0], fields[kinds[0]])


def _end(reader: Reader, end: str, node: Node) -> Where:
    units = reader.mapping(node, set(UNITS))
    if len(units) != 1:
        reader.wrong(node, "one_unit", options=", ".join(sorted(UNITS)))
        return WHOLE
    unit, amount = next(iter(units.items()))
    read = reader.number(amount, 0, UNITS[unit])
    if read == 0 and amount.value.strip("0.") == "":
        reader.wrong(amount, "empty_place", unit=unit)
    return Place(end, read, unit)


def _anchored(fields: Fields, side: Side, scope: Scope, read: ReadCondition) -> Where:
    node = fields[side]
    named = not isinstance(node, MappingNode)
    of = scope.condition(node, read) if named else read(node)
    nearest, farthest, unit = _range(fields, side)
    hit = _hit(fields)
    if of is None:
        return WHOLE
    if (what := placeless(of)) is not None:
        fields.reader.wrong(node, "no_hits", what=what)
        return WHOLE
    return Anchored(side, of, hit, nearest, farthest, unit, node.value if named else type(of).__name__)


def _range(fields: Fields, side: Side) -> tuple[float, float, str]:
    units = [unit for unit in ("turns", "seconds") if unit in fields]
    if len(units) != 1:
        fields.reader.wrong(fields.node, "one_unit", options="seconds, turns")
        return 1.0, 1.0, "turns"
    unit, node = units[0], fields[units[0]]
    # Around a hit its own turn is looked at too; before and after it begin beside it.
    nearest = 0.0 if side == "around" or unit == "seconds" else 1.0
    if not isinstance(node, SequenceNode):
        farthest = _distance(fields.reader, node, unit)
    elif len(node.value) == 2:
        nearest, farthest = (_distance(fields.reader, part, unit) for part in node.value)
    else:
        fields.reader.wrong(node, "range_form")
        return 1.0, 1.0, unit
    if farthest < nearest:
        fields.reader.wrong(node, "range_order")
        farthest = nearest
    return nearest, farthest, unit


def _distance(reader: Reader, node: Node, unit: str) -> float:
    return reader.whole(node, 0, 100_000) if unit == "turns" else reader.number(node, 0, UNITS[unit])


def _hit(fields: Fields) -> HitChoice:
    if "hit" not in fields:
        return "any"
    node = fields["hit"]
    if str(node.value).isdigit():
        return fields.reader.whole(node, 1, 1000)
    word = fields.reader.choice(node, ("any", "each", "first", "last", "1", "2", "3"))
    if word == "first":
        return 1
    return cast("HitChoice", word) if word in ("each", "last") else "any"


def placeless(condition: Condition) -> str | None:
    """Return the name of the part of a condition that has no hits, or None where all have."""
    match condition:
        case Not():
            return "not"
        case MetricCondition():
            return "metric"
        case MetadataCondition():
            return "metadata"
        case OnlyWhere():
            return placeless(condition.part)
        case AllOf() | AnyOf():
            # One part with a place is enough to stand by.
            found = [placeless(part) for part in condition.parts]
            return found[0] if found and all(found) else None
        case _:
            return None
