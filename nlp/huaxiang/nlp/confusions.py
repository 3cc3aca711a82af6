"""Which labels are taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

NOTHING = "none"
MOST_PAIRS = 12


@dataclass(slots=True)
class Confusions:
    """Counts of pairs: a label that was missed, and one given in its place.

    On a turn with several mistakes every missed label is paired with every wrong one. A label that was
    missed with nothing in its place is paired with ``none``, and so is one given where nothing was missed.
    """

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, found: Iterable[str], true: Iterable[str]) -> None:
        """Count the mistakes of one turn."""
        given, wanted = set(found), set(true)
        missed, wrong = sorted(wanted - given), sorted(given - wanted)
        if missed or wrong:
            self.pairs.update((was, said) for was in missed or [NOTHING] for said in wrong or [NOTHING])

    def extend(self, other: Confusions) -> None:
        """Add the counts of another."""
        self.pairs.update(other.pairs)

    def document(self, most: int = MOST_PAIRS) -> list[dict[str, str | int]]:
        """Return the most frequent pairs as JSON objects."""
        ordered = sorted(self.pairs.items(), key=lambda item: (-item[1], item[0]))
        return [{"true": was, "found": said, "count": count} for (was, said), count in ordered[:most]]
