"""Tells whether two items judge alike, however they were put together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

from huaxiang.quality.definition import Item


class Fingerprints:
    """Digests of conditions and items; each part is looked at once, however often it is shared.

    Conditions cannot be compared as such: what a place stands by is left out of their equality, and
    parts that are shared many times over would be walked through as often.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str]] = {}

    def of(self, value: object) -> str:
        """Return a digest that is equal for values that are built alike."""
        if is_dataclass(value) and not isinstance(value, type):
            found = self._known.get(id(value))
            if found is not None:
                return found[1]
            inner = [f"{field.name}={self.of(getattr(value, field.name))}" for field in fields(value)]
            text = f"{type(value).__name__}({','.join(inner)})"
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._known[id(value)] = (value, digest)
            return digest
        if isinstance(value, tuple | list):
            return f"[{','.join(self.of(entry) for entry in value)}]"
        if isinstance(value, set | frozenset):
            return f"{{{','.join(sorted(self.of(entry) for entry in value))}}}"
        if isinstance(value, Mapping):
            return f"<{','.join(sorted(f'{key!r}:{self.of(entry)}' for key, entry in value.items()))}>"
        return repr(value)


def judges_by(item: Item) -> str:
    """Return a digest of what an item judges by: equal for two that come to the same in every call.

    Titles, points, examples and where it stands do not count.
    """
    prints = Fingerprints()
    text = f"{prints.of(item.condition)} {prints.of(item.applies)} {item.forbidden}"
    return hashlib.sha256(text.encode()).hexdigest()


def counts_by(item: Item) -> str:
    """Return a digest of what an item judges by and what it counts; titles and examples are left out."""
    bare = replace(item, examples=(), line=0, title_zh="", title_en="")
    return Fingerprints().of(bare)
