"""The fields of one mapping of a rule file, read with their bounds and what they are where not given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import regex
from yaml import Node

from huaxiang.core.types import Role
from huaxiang.quality.yaml_reader import Reader

ROLES = ("agent", "customer", "both")
MAX_PATTERN_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Fields:
    """Values of a mapping by key; what is wrong with them is noted in ``reader``."""

    reader: Reader
    node: Node
    given: Mapping[str, Node]

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def __getitem__(self, key: str) -> Node:
        return self.given[key]

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        """Return a whole number, or the default."""
        return self.reader.whole(self.given[key], low, high) if key in self.given else default

    def number(self, key: str, low: float, high: float, default: float) -> float:
        """Return a number, or the default."""
        return self.reader.number(self.given[key], low, high) if key in self.given else default

    def bound(self, key: str, low: float, high: float) -> float | None:
        """Return a number, or None where it is not given."""
        return self.reader.number(self.given[key], low, high) if key in self.given else None

    def bounds(self, what: str, low: float, high: float) -> tuple[float | None, float | None]:
        """Return ``above`` and ``below``, of which there has to be one, with something between them."""
        above, below = self.bound("above", low, high), self.bound("below", low, high)
        if above is None and below is None:
            self.reader.wrong(self.node, "needs_bound", what=what, bounds="above or below")
        elif above is not None and below is not None and above >= below:
            self.reader.wrong(self.given["below"], "empty_bounds", above=above, below=below)
        return above, below

    def choice(self, key: str, options: Collection[str], default: str) -> str:
        """Return one of the options, or the default."""
        return self.reader.choice(self.given[key], options) if key in self.given else default

    def choices(self, key: str, options: Collection[str]) -> tuple[str, ...]:
        """Return one or several of the options; none where the key is not given."""
        if key not in self.given:
            return ()
        return tuple(self.reader.choice(node, options) for node in self.reader.one_or_more(self.given[key]))

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        return self.reader.flag(self.given[key]) if key in self.given else default

    def texts(self, key: str, max_chars: int = 200, most: int = 1000) -> tuple[str, ...]:
        """Return a list of texts, each once; none where the key is not given."""
        if key not in self.given:
            return ()
        read = (self.reader.text(node, max_chars) for node in self.reader.items(self.given[key], most))
        return tuple(dict.fromkeys(text for text in read if text))

    def role(self) -> Role | None:
        """Return whose turns are meant; None for both."""
        role = self.choice("role", ROLES, "both")
        return Role(role) if role in ("agent", "customer") else None

    def pattern(self, key: str) -> str:
        """Return a regular expression that compiles; a harmless one after noting why it does not."""
        expression = self.reader.text(self.given[key], MAX_PATTERN_CHARS)
        if not expression:
            return "(?!)"
        try:
            regex.compile(expression)
        except (regex.error, RecursionError, OverflowError, MemoryError, ValueError) as error:
            problem = str(error) if isinstance(error, regex.error) else type(error).__name__
            self.reader.wrong(self.given[key], "bad_pattern", problem=problem)
            return "(?!)"
        return expression
