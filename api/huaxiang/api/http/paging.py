"""Pages of a list that stands in memory in a fixed order: the cursor names the last one shown."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from huaxiang.core.errors import InvalidInput

_T = TypeVar("_T")
Place = tuple[str, ...]
"""Where a thing stands in its list; two things have two places."""


def page_of(
    items: Sequence[_T],
    place_of: Callable[[_T], Place],
    cursor: str | None,
    limit: int,
    *,
    descending: bool = False,
) -> tuple[Sequence[_T], str | None]:
    """Return up to ``limit`` things after the cursor's, and the cursor of the next page, None at the end.

    ``items`` are in the order of their places, which may have gone on since the last page: nothing is
    repeated or left out. Raises InvalidInput for a cursor that this did not give.
    """
    after = None if cursor is None else read_cursor(cursor)

    def is_after(item: _T) -> bool:
        place = place_of(item)
        return after is None or (place < after if descending else place > after)

    rest = [item for item in items if is_after(item)]
    shown = rest[:limit]
    return shown, write_cursor(place_of(shown[-1])) if len(rest) > limit else None


def write_cursor(place: Place) -> str:
    """Return a place as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_cursor(cursor: str) -> Place:
    """Return the place that a cursor stands for. Raises InvalidInput."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("the cursor is not one that this list gave") from error
    if not isinstance(place, list) or not all(isinstance(part, str) for part in place):
        raise InvalidInput("the cursor is not one that this list gave")
    return tuple(place)
