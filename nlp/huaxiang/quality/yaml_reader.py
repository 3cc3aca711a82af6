"""Reads YAML with the place of every value, and collects mistakes instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

MAX_DEPTH = 40


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong in a file, and where (lines and columns count from 1)."""

    line: int
    column: int
    message: str


@dataclass
class Reader:
    """Turns nodes into plain values; what does not fit becomes a ``Mistake`` and a harmless value."""

    mistakes: list[Mistake] = field(default_factory=list)

    def document(self, text: str) -> Node | None:
        """Return the root node of a YAML document, or None after noting why there is none."""
        try:
            if (alias := _first_alias(text)) is not None:
                self.mistakes.append(Mistake(*alias, "anchors and aliases are not used in rules"))
                return None
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.mistakes.append(Mistake(*place, f"this is not YAML: {error.problem or error.context}"))
            return None
        except (yaml.YAMLError, RecursionError) as error:
            self.mistakes.append(Mistake(1, 1, f"this is not YAML ({type(error).__name__})"))
            return None
        if node is None:
            self.mistakes.append(Mistake(1, 1, "the file is empty"))
        elif _depth_exceeds(node, MAX_DEPTH):
            self.wrong(node, f"nested deeper than {MAX_DEPTH} levels")
            return None
        return node

    def wrong(self, node: Node, message: str) -> None:
        """Note a mistake at a node."""
        self.mistakes.append(Mistake(node.start_mark.line + 1, node.start_mark.column + 1, message))

    def mapping(
        self, node: Node, allowed: Collection[str], required: Collection[str] = ()
    ) -> dict[str, Node]:
        """Return the values of a mapping by key; unknown, repeated and missing keys are mistakes."""
        if not isinstance(node, MappingNode):
            self.wrong(node, "expected a mapping (key: value)")
            return {}
        found: dict[str, Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            if key in found:
                self.wrong(key_node, f"{key} is given twice")
            elif key not in allowed:
                self.wrong(key_node, f"unknown key {key!r}; known here: {', '.join(sorted(allowed))}")
            else:
                found[key] = value
        for key in required:
            if key not in found:
                self.wrong(node, f"{key} is missing")
        return found

    def items(self, node: Node) -> list[Node]:
        """Return the entries of a list that is not empty."""
        if not isinstance(node, SequenceNode) or not node.value:
            self.wrong(node, "expected a list with at least one entry")
            return []
        return list(node.value)

    def text(self, node: Node, max_chars: int = 200) -> str:
        """Return a scalar as text."""
        if not isinstance(node, ScalarNode) or not node.value.strip():
            self.wrong(node, "expected some text")
            return ""
        if len(node.value) > max_chars:
            self.wrong(node, f"longer than {max_chars} characters")
        return str(node.value)

    def choice(self, node: Node, options: Collection[str]) -> str:
        """Return one of the options."""
        value = self.text(node)
        if value and value not in options:
            self.wrong(node, f"{value!r} is none of {', '.join(sorted(options))}")
        return value

    def number(self, node: Node, low: float, high: float) -> float:
        """Return a number within bounds, both included."""
        try:
            value = float(node.value) if isinstance(node, ScalarNode) else float("nan")
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.wrong(node, f"expected a number from {low:g} to {high:g}")
            return low
        return value

    def whole(self, node: Node, low: int, high: int) -> int:
        """Return a whole number within bounds, both included."""
        value = self.number(node, low, high)
        if value != int(value):
            self.wrong(node, "expected a whole number")
        return int(value)

    def flag(self, node: Node) -> bool:
        """Return true or false."""
        return self.choice(node, ("true", "false")) == "true"


def _first_alias(text: str) -> tuple[int, int] | None:
    """Return the place of the first alias: a few of them could write a rule of any size."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) and event.start_mark is not None:
            return event.start_mark.line + 1, event.start_mark.column + 1
    return None


def _depth_exceeds(root: Node, limit: int) -> bool:
    level: list[Node] = [root]
    for _ in range(limit):
        below: list[Node] = []
        for node in level:
            if isinstance(node, MappingNode):
                below += [child for pair in node.value for child in pair]
            elif isinstance(node, SequenceNode):
                below += node.value
        if not below:
            return False
        level = below
    return True
