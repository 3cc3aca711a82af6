"""Reads YAML with the place of every value, and collects mistakes instead of stopping at the first."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from huaxiang.quality.mistakes import Mistake, nearest_of, nearest_words

__all__ = ["MAX_CHARS", "MAX_DEPTH", "Mistake", "Reader"]

MAX_DEPTH = 40
MAX_CHARS = 200_000
MAX_MISTAKES = 500
_ID = re.compile(r"[0-9A-Za-z\u3400-\u9fff][0-9A-Za-z_\-\u3400-\u9fff]{0,63}")


@dataclass
class Reader:
    """Turns nodes into plain values; what does not fit becomes a ``Mistake`` and a harmless value."""

    mistakes: list[Mistake] = field(default_factory=list)

    def document(self, text: str) -> Node | None:
        """Return the root node of a YAML document, or None after noting why there is none."""
        if len(text) > MAX_CHARS:
            self._at(1, 1, "too_long", limit=MAX_CHARS)
            return None
        try:
            if (alias := _first_alias(text)) is not None:
                self._at(*alias, "alias")
                return None
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self._at(*place, "not_yaml", problem=error.problem or error.context or "")
            return None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            self._at(1, 1, "not_yaml", problem=_plain(error))
            return None
        if node is None:
            self._at(1, 1, "empty_file")
        elif _depth_exceeds(node, MAX_DEPTH):
            self.wrong(node, "too_deep", limit=MAX_DEPTH)
            return None
        return node

    def wrong(self, node: Node, code: str, **values: str | float) -> None:
        """Note a mistake at a node; ``values`` fill the words of its code."""
        self._at(node.start_mark.line + 1, node.start_mark.column + 1, code, **values)

    def _at(self, line: int, column: int, code: str, **values: str | float) -> None:
        mistake = Mistake(line, column, code, tuple(values.items()))
        if len(self.mistakes) < MAX_MISTAKES and mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def mapping(
        self, node: Node, allowed: Collection[str], required: Collection[str] = ()
    ) -> dict[str, Node]:
        """Return the values of a mapping by key; unknown, repeated and missing keys are mistakes."""
        if not isinstance(node, MappingNode):
            self.wrong(node, "not_mapping")
            return {}
        found: dict[str, Node] = {}
        unknown: list[str] = []
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            if key in found:
                self.wrong(key_node, "key_twice", key=key)
            elif key not in allowed:
                unknown.append(key)
                known = ", ".join(sorted(allowed))
                self.wrong(
                    key_node, "unknown_key", key=_short(key), known=known, **nearest_words(key, allowed)
                )
            else:
                found[key] = value
        # A key that is only misspelt is not missing too.
        meant = {nearest_of(key, required) for key in unknown}
        for key in required:
            if key not in found and key not in meant:
                self.wrong(node, "missing_key", key=key)
        return found

    def names(self, node: Node) -> list[tuple[str, Node, Node]]:
        """Return the entries of a mapping whose keys are names that the author gives: name, key, value."""
        if not isinstance(node, MappingNode):
            self.wrong(node, "not_mapping")
            return []
        entries: dict[str, tuple[str, Node, Node]] = {}
        for key_node, value in node.value:
            name = self.identifier(key_node)
            if name in entries:
                self.wrong(key_node, "key_twice", key=name)
            elif name:
                entries[name] = (name, key_node, value)
        return list(entries.values())

    def items(self, node: Node, most: int = 1000) -> list[Node]:
        """Return the entries of a list that is not empty."""
        if not isinstance(node, SequenceNode) or not node.value:
            self.wrong(node, "not_list")
            return []
        if len(node.value) > most:
            self.wrong(node, "too_many", limit=most, what="entries")
        return list(node.value[:most])

    def one_or_more(self, node: Node) -> list[Node]:
        """Return the entries of a list, or a single value as a list of one."""
        return self.items(node) if isinstance(node.value, list) else [node]

    def text(self, node: Node, max_chars: int = 200) -> str:
        """Return a scalar as text."""
        if not isinstance(node, ScalarNode) or not node.value.strip():
            self.wrong(node, "no_text")
            return ""
        if len(node.value) > max_chars:
            self.wrong(node, "text_too_long", limit=max_chars)
            return str(node.value[:max_chars])
        return str(node.value)

    def identifier(self, node: Node) -> str:
        """Return an id: letters (Chinese ones too), digits, ``-`` and ``_``; empty where it is none."""
        value = self.text(node, 64)
        if value and not _ID.fullmatch(value):
            self.wrong(node, "bad_id", value=_short(value))
            return ""
        return value

    def choice(self, node: Node, options: Collection[str]) -> str:
        """Return one of the options."""
        value = self.text(node)
        if value and value not in options:
            listed = ", ".join(sorted(options))
            self.wrong(node, "none_of", value=_short(value), options=listed, **nearest_words(value, options))
        return value

    def number(self, node: Node, low: float, high: float) -> float:
        """Return a number within bounds, both included."""
        try:
            value = float(node.value) if isinstance(node, ScalarNode) else math.nan
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            self.wrong(node, "not_number", low=low, high=high)
            return low
        return value

    def whole(self, node: Node, low: int, high: int) -> int:
        """Return a whole number within bounds, both included."""
        value = self.number(node, low, high)
        if value != int(value):
            self.wrong(node, "not_whole")
        return int(value)

    def flag(self, node: Node) -> bool:
        """Return true or false."""
        return self.choice(node, ("true", "false")) == "true"


def line_of(node: Node) -> int:
    """Return the line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:60] + "…"


def _plain(error: Exception) -> str:
    """Name an error without its text, which may run over many lines."""
    return type(error).__name__


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
