"""Names that conditions refer to: named conditions of the file, and rules of this and other files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from yaml import Node

from huaxiang.quality.condition_types import AllOf, Anchored, AnyOf, Condition, Not, OnlyWhere
from huaxiang.quality.mistakes import nearest_words
from huaxiang.quality.yaml_reader import Reader

MAX_RESOLVED_DEPTH = 100
MAX_RESOLVED_SIZE = 2_000
"""Conditions within conditions, names followed: deeper or larger ones could not be judged."""

ReadCondition = Callable[[Node], Condition | None]


@dataclass
class Scope:
    """Resolves names to conditions, each read once; unknown names and cycles become mistakes.

    ``named`` and ``rules`` are the nodes of the file's own; ``library`` are the rules of other files.
    """

    reader: Reader
    named: Mapping[str, Node] = field(default_factory=dict)
    rules: Mapping[str, Node] = field(default_factory=dict)
    library: Mapping[str, Condition] = field(default_factory=dict)
    used_rules: set[str] = field(default_factory=set)
    _resolved: dict[str, Condition | None] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def condition(self, node: Node, read: ReadCondition) -> Condition | None:
        """Return the condition that a node names, or None after noting why there is none."""
        name = self.reader.text(node, 64)
        if not name:
            return None
        if name not in self.named:
            self.reader.wrong(node, "unknown_condition", value=name, **nearest_words(name, self.named))
            return None
        return self._resolve(f"condition {name}", node, lambda: read(self.named[name]))

    def rule(self, node: Node, read: ReadCondition) -> Condition | None:
        """Return the condition of the rule that a node names, or None after noting why there is none."""
        name = self.reader.text(node, 64)
        if not name:
            return None
        if name in self.rules:
            return self.own_rule(name, node, read)
        if name in self.library:
            self.used_rules.add(name)
            return self.library[name]
        known = {*self.rules, *self.library}
        self.reader.wrong(node, "unknown_rule", value=name, **nearest_words(name, known))
        return None

    def own_rule(self, name: str, node: Node, read: ReadCondition) -> Condition | None:
        """Return the condition of a rule of this file, which ``read`` makes of the rule's mapping."""
        return self._resolve(f"rule {name}", node, lambda: read(self.rules[name]))

    def bounded(self, node: Node, condition: Condition | None) -> Condition | None:
        """Return a condition, or None after noting that it is too large with its names followed."""
        if condition is not None and (excess := too_large(condition)) is not None:
            self.reader.wrong(node, excess[0], limit=excess[1], what="conditions")
            return None
        return condition

    def _resolve(self, key: str, node: Node, read: Callable[[], Condition | None]) -> Condition | None:
        if key in self._resolved:
            return self._resolved[key]
        if key in self._open:
            path = [*self._open[self._open.index(key) :], key]
            self.reader.wrong(node, "cycle", path=" → ".join(part.split(" ", 1)[1] for part in path))
            return None
        self._open.append(key)
        condition = read()
        self._open.pop()
        condition = self.bounded(node, condition)
        self._resolved[key] = condition
        return condition


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions that a condition is made of, and the one that it stands by."""
    match condition:
        case AllOf() | AnyOf():
            return condition.parts
        case Not():
            return (condition.part,)
        case OnlyWhere():
            return condition.applies, condition.part
        case _:
            place = getattr(condition, "place", None)
            return (place.of,) if isinstance(place, Anchored) else ()


def too_large(condition: Condition) -> tuple[str, int] | None:
    """Return what is too much of a condition, its names followed, and the limit; None where nothing is.

    Conditions are trees to those who judge and compare them, so a few names could stand for a tree that
    nobody gets through. Shared parts are looked at once here.
    """
    depth, size = _extent(condition)
    if depth > MAX_RESOLVED_DEPTH:
        return "too_deep", MAX_RESOLVED_DEPTH
    return ("too_many", MAX_RESOLVED_SIZE) if size > MAX_RESOLVED_SIZE else None


def _extent(condition: Condition) -> tuple[int, int]:
    """Return how deep conditions are nested, and how many there are, one met twice counted twice."""
    known: dict[int, tuple[int, int]] = {}
    stack: list[tuple[Condition, bool]] = [(condition, False)]
    while stack:
        current, ready = stack.pop()
        if id(current) in known:
            continue
        parts = parts_of(current)
        if ready or not parts:
            extents = [known[id(part)] for part in parts]
            depth = 1 + max((depth for depth, _ in extents), default=0)
            known[id(current)] = depth, 1 + sum(size for _, size in extents)
        else:
            stack.append((current, True))
            stack.extend((part, False) for part in parts)
    return known[id(condition)]
