"""Reads conditions: one key names the operator, the others narrow role and place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import regex
from yaml import Node

from huaxiang.core.types import FindingKind, Role
from huaxiang.nlp.labels import ACTS, ENTITY_TYPES, INTENTS, OBJECTIONS, SENTIMENTS
from huaxiang.quality.definition import (
    WHOLE,
    AllOf,
    AnsweredCondition,
    AnyOf,
    Condition,
    FindingCondition,
    KeywordCondition,
    MetricCondition,
    Not,
    PatternCondition,
    Place,
)
from huaxiang.quality.yaml_reader import Reader

_LABELS: Mapping[str, tuple[FindingKind, frozenset[str]]] = {
    "act": (FindingKind.ACT, frozenset(ACTS)),
    "intent": (FindingKind.INTENT, frozenset(INTENTS)),
    "objection": (FindingKind.OBJECTION, frozenset(OBJECTIONS)),
    "sentiment": (FindingKind.SENTIMENT, frozenset(SENTIMENTS)),
    "entity": (FindingKind.ENTITY, frozenset(ENTITY_TYPES)),
}
_UNITS = {"seconds": 86_400.0, "percent": 100.0, "turns": 100_000.0}
_NARROWING = {"role", "place"}
_NOTHING = AllOf(())


def read_condition(reader: Reader, node: Node) -> Condition:
    """Return the condition that a node writes; mistakes are noted in ``reader``."""
    operators = _operators()
    known = set(operators) | _NARROWING | {"confidence", "at_least", "unless", "above", "below"}
    given = reader.mapping(node, known | {"by", "followed_by", "within_turns", "share"})
    named = [key for key in given if key in operators]
    if len(named) != 1:
        if given:
            reader.wrong(node, f"a condition has exactly one of {', '.join(sorted(operators))}")
        return _NOTHING
    operator, allowed = operators[named[0]]
    for key in given:
        if key not in allowed | {named[0]}:
            reader.wrong(given[key], f"{key} does not go with {named[0]}")
    return operator(reader, named[0], given)


_Operator = Callable[[Reader, str, dict[str, Node]], Condition]


def _operators() -> dict[str, tuple[_Operator, set[str]]]:
    finding: tuple[_Operator, set[str]] = (
        _finding,
        _NARROWING | {"confidence", "at_least", "followed_by", "within_turns"},
    )
    return {
        **dict.fromkeys(_LABELS, finding),
        "keywords": (_keywords, _NARROWING | {"at_least"}),
        "pattern": (_pattern, _NARROWING | {"unless"}),
        "metric": (_metric, {"above", "below"}),
        "objections_answered": (_answered, {"within_turns", "share"}),
        "all": (_all, set()),
        "any": (_any, set()),
        "not": (_not, set()),
    }


def _finding(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    kind, inventory = _LABELS[name]
    node = given[name]
    nodes = reader.items(node) if isinstance(node.value, list) else [node]
    labels = frozenset(reader.choice(entry, inventory | {"any"}) for entry in nodes)
    return FindingCondition(
        kind=kind,
        labels=inventory if "any" in labels else labels,
        role=_role(reader, given),
        place=_place(reader, given),
        min_confidence=reader.number(given["confidence"], 0, 1) if "confidence" in given else 0.0,
        at_least=reader.whole(given["at_least"], 1, 1000) if "at_least" in given else 1,
        followed_by=_followed_by(reader, given),
        within_turns=_within_turns(reader, given),
    )


def _followed_by(reader: Reader, given: dict[str, Node]) -> FindingCondition | None:
    if "followed_by" not in given:
        if "within_turns" in given:
            reader.wrong(given["within_turns"], "within_turns goes with followed_by")
        return None
    condition = read_condition(reader, given["followed_by"])
    if isinstance(condition, FindingCondition):
        return condition
    if condition != _NOTHING:
        reader.wrong(given["followed_by"], f"what follows is one of {', '.join(sorted(_LABELS))}")
    return None


def _within_turns(reader: Reader, given: dict[str, Node]) -> int:
    return reader.whole(given["within_turns"], 1, 100) if "within_turns" in given else 2


def _keywords(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    words = tuple(reader.text(entry) for entry in reader.items(given[name]))
    at_least = 1
    if "at_least" in given:
        at_least = reader.whole(given["at_least"], 1, max(len(words), 1))
    return KeywordCondition(words, at_least, _role(reader, given), _place(reader, given))


def _pattern(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    return PatternCondition(
        pattern=_expression(reader, given[name]),
        unless=_expression(reader, given["unless"]) if "unless" in given else None,
        role=_role(reader, given),
        place=_place(reader, given),
    )


def _expression(reader: Reader, node: Node) -> str:
    expression = reader.text(node, 2000)
    try:
        regex.compile(expression)
    except (regex.error, RecursionError, OverflowError) as error:
        reader.wrong(node, f"not a regular expression: {error}")
        return "(?!)"
    return expression


def _metric(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    bounds = {key: reader.number(given[key], -1e12, 1e12) for key in ("above", "below") if key in given}
    if not bounds:
        reader.wrong(given[name], "a metric needs above or below")
    return MetricCondition(reader.text(given[name]), bounds.get("above"), bounds.get("below"))


def _answered(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    node = given[name]
    nodes = reader.items(node) if isinstance(node.value, list) else [node]
    return AnsweredCondition(
        by=frozenset(reader.choice(entry, ACTS) for entry in nodes),
        within_turns=_within_turns(reader, given),
        share=reader.number(given["share"], 0, 1) if "share" in given else 0.5,
    )


def _all(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    return AllOf(tuple(read_condition(reader, part) for part in reader.items(given[name])))


def _any(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    return AnyOf(tuple(read_condition(reader, part) for part in reader.items(given[name])))


def _not(reader: Reader, name: str, given: dict[str, Node]) -> Condition:
    return Not(read_condition(reader, given[name]))


def _role(reader: Reader, given: dict[str, Node]) -> Role | None:
    if "role" not in given:
        return None
    role = reader.choice(given["role"], ("agent", "customer", "both"))
    return Role(role) if role in ("agent", "customer") else None


def _place(reader: Reader, given: dict[str, Node]) -> Place:
    if "place" not in given:
        return WHOLE
    ends = reader.mapping(given["place"], {"first", "last"})
    if len(ends) != 1:
        reader.wrong(given["place"], "a place is either first or last")
        return WHOLE
    end, node = next(iter(ends.items()))
    units = reader.mapping(node, set(_UNITS))
    if len(units) != 1:
        reader.wrong(node, f"give one of {', '.join(sorted(_UNITS))}")
        return WHOLE
    unit, amount = next(iter(units.items()))
    return Place(end, reader.number(amount, 0, _UNITS[unit]), unit)
