"""Rules that say the same: by the calls they hit, and by how they are written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from huaxiang.quality.definition import Item
from huaxiang.quality.history.fingerprint import judges_by
from huaxiang.quality.references import id_of

ALIKE_JACCARD = 0.8
ALIKE_PHI = 0.7
FEWEST_HITS = 5
"""Rules of fewer hits are not told to be alike: two that hit the same two calls may be so by chance."""


@dataclass(frozen=True, slots=True)
class ItemKey:
    """An item of a scorecard: ``definition`` is ``id @ version``."""

    definition: str
    item: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Two items that fail nearly the same calls, or are written alike (``same_definition``).

    ``jaccard`` is the share of the calls that either hits which both hit; ``phi`` the correlation of their
    hits over the calls that both judged; ``both`` how many calls both hit.
    """

    first: ItemKey
    second: ItemKey
    jaccard: float
    phi: float
    both: int
    same_definition: bool


@dataclass(frozen=True, slots=True)
class Bits:
    """The calls of a history by their place in it: those an item judged, and those it failed."""

    judged: int
    hits: int


def bits_of(passed: Sequence[bool | None]) -> Bits:
    """Return what an item came to in each call of a history, as sets of places."""
    judged = "".join("0" if outcome is None else "1" for outcome in reversed(passed))
    hits = "".join("1" if outcome is False else "0" for outcome in reversed(passed))
    return Bits(int(judged or "0", 2), int(hits or "0", 2))


def alike(items: Mapping[ItemKey, tuple[Item, Bits]]) -> list[Alike]:
    """Return the pairs of items that are nearly the same, those of most overlap first.

    Items of one scorecard under several versions are not compared with themselves.
    """
    prints = {key: judges_by(item) for key, (item, _) in items.items()}
    found = []
    for first, second in combinations(items, 2):
        if _same_item(first, second):
            continue
        one, other = items[first][1], items[second][1]
        both = (one.hits & other.hits).bit_count()
        either = (one.hits | other.hits).bit_count()
        jaccard = both / either if either else 0.0
        phi = _phi(one, other)
        written_alike = prints[first] == prints[second]
        enough = min(one.hits.bit_count(), other.hits.bit_count()) >= FEWEST_HITS
        if written_alike or (enough and jaccard >= ALIKE_JACCARD and phi >= ALIKE_PHI):
            found.append(Alike(first, second, jaccard, phi, both, written_alike))
    return sorted(found, key=lambda pair: (-pair.jaccard, -pair.phi))


def _same_item(first: ItemKey, second: ItemKey) -> bool:
    return (id_of(first.definition), first.item) == (id_of(second.definition), second.item)


def _phi(one: Bits, other: Bits) -> float:
    """Return the phi coefficient of two items' hits over the calls that both judged."""
    common = one.judged & other.judged
    n = common.bit_count()
    hits_one, hits_other = (one.hits & common).bit_count(), (other.hits & common).bit_count()
    both = (one.hits & other.hits & common).bit_count()
    spread = hits_one * (n - hits_one) * hits_other * (n - hits_other)
    return (n * both - hits_one * hits_other) / math.sqrt(spread) if spread else 0.0
