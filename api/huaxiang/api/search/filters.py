"""Whose recordings a list shows: a seller's own, whatever was asked for."""

from __future__ import annotations

from dataclasses import replace

from huaxiang.api.access.callers import Caller
from huaxiang.api.search.listing import ListFilters
from huaxiang.core.errors import NotFound


def own(filters: ListFilters, caller: Caller) -> ListFilters:
    """Return the filters narrowed to what the caller may see.

    Raises NotFound where a seller asks for another seller's recordings.
    """
    only = caller.only_seller
    if only is None:
        return filters
    if filters.seller not in (None, only):
        raise NotFound("there are no recordings of this seller for you")
    return replace(filters, seller=only)
