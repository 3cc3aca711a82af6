"""Lists whose whole state is their address: filters, order and page as query parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Listing:
    """A list at ``path`` with the parameters that are in force; empty ones are left out of addresses.

    ``sort`` is the column it is ordered by, ``descending`` its direction.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False

    def url(self, **changes: str | None) -> str:
        """Return the address with some parameters changed; an empty value or None takes one away.

        The place in the list (``cursor``) is not kept: another filter or order begins at the top.
        """
        kept = {**self.params, **{"cursor": None}, **changes}
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def sort_url(self, column: str) -> str:
        """Return the address that orders by a column, or turns the order round where it does already."""
        down = not self.descending if column == self.sort else True
        return self.url(sort=f"-{column}" if down else column)

    def aria_sort(self, column: str) -> str | None:
        """Return ``ascending`` or ``descending`` for the column it is ordered by."""
        if column != self.sort:
            return None
        return "descending" if self.descending else "ascending"


def read_sort(value: str, columns: Mapping[str, object], default: str) -> tuple[str, bool]:
    """Return column and whether it is descending from ``-score`` or ``score``; else those of the default."""
    name = value.removeprefix("-")
    chosen = value if name in columns else default
    return chosen.removeprefix("-"), chosen.startswith("-")
