"""The list of recordings as an address: which filters it holds, and what they ask of the store. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from huaxiang.api.search.index import Search
from huaxiang.api.search.listing import DEFAULT_SORT, ListFilters
from huaxiang.api.search.terms import read_terms
from huaxiang.console.listing import Listing, read_sort
from huaxiang.core.types import FindingKind, RecordingStatus, Role, Setting
from huaxiang.quality.review.outcomes import CaseState

PATH = "/recordings"
NAMES = (
    "q", "role", "status", "seller", "team", "customer", "from", "to", "setting", "score", "veto",
    "doubtful", "item", "label", "review", "inspected", "source", "sort",
)  # fmt: skip
"""Every parameter of the list but the place in it."""
BEHIND_MORE = ("role", "customer", "setting", "score", "veto", "doubtful", "item", "label", "review")
"""Filters that are shown when asked for."""
SCORES = ("0-60", "60-80", "80-90", "90-100")
MAX_CHARS = 200
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list was asked for: the parameters that are in force, by name; empty ones are not kept."""

    chosen: Mapping[str, str]
    sort: str = DEFAULT_SORT

    @property
    def query(self) -> str:
        """The query of the address, the same for the same list."""
        kept = {name: self.chosen[name] for name in NAMES if name in self.chosen}
        return urlencode(kept)

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any(name != "sort" for name in self.chosen)

    @property
    def opened(self) -> bool:
        """Whether one of the filters behind "more" is in force."""
        return any(name in self.chosen for name in BEHIND_MORE)

    @property
    def listing(self) -> Listing:
        """The list's addresses."""
        column, descending = self.sort.removeprefix("-"), self.sort.startswith("-")
        return Listing(PATH, self.chosen, column, descending)

    def rows_url(self, cursor: str) -> str:
        """Return the address of the rows after ``cursor``, as a script asks for them."""
        return f"{PATH}/rows?{urlencode({**self.chosen, 'cursor': cursor})}"

    def page_url(self, cursor: str) -> str:
        """Return the address of the page after ``cursor``."""
        return f"{PATH}?{urlencode({**self.chosen, 'cursor': cursor})}"

    def filters(self, zone: ZoneInfo) -> ListFilters:
        """Return what the store is asked; days are those of ``zone``. What makes no sense narrows nothing."""
        chosen = self.chosen
        terms = read_terms(chosen.get("q", ""))
        low, high = _band(chosen.get("score", ""))
        return ListFilters(
            search=Search(terms, _one_of(Role, chosen.get("role"))) if terms else None,
            status=_one_of(RecordingStatus, chosen.get("status")),
            seller=chosen.get("seller"),
            team=chosen.get("team"),
            customer_ref=chosen.get("customer"),
            source=chosen.get("source"),
            setting=_one_of(Setting, chosen.get("setting")),
            started_from=_day(chosen.get("from", ""), zone),
            started_before=_day(chosen.get("to", ""), zone, timedelta(days=1)),
            inspected_from=_moment(chosen.get("inspected", ""), zone),
            score_from=low,
            score_before=high,
            auto_failed=True if "veto" in chosen else None,
            doubtful=True if "doubtful" in chosen else None,
            failed_item=chosen.get("item"),
            label=_label(chosen.get("label")),
            review=_one_of(CaseState, chosen.get("review")),
        )


def read_list_query(parameters: Mapping[str, str], sorts: Mapping[str, object]) -> ListQuery:
    """Return the list that the parameters of an address ask for; unknown ones are left out."""
    given = {name: parameters.get(name, "").strip()[:MAX_CHARS] for name in NAMES}
    chosen = {name: value for name, value in given.items() if value}
    columns = {**sorts}
    column, descending = read_sort(chosen.get("sort", ""), columns, DEFAULT_SORT)
    sort = f"-{column}" if descending else column
    if sort == DEFAULT_SORT:
        chosen.pop("sort", None)
    elif "sort" in chosen:
        chosen["sort"] = sort
    return ListQuery(chosen, sort)


def _one_of(kind: type[_E], value: str | None) -> _E | None:
    return kind(value) if value in {member.value for member in kind} else None


def _band(value: str) -> tuple[float | None, float | None]:
    if value not in SCORES:
        return None, None
    low, _, high = value.partition("-")
    return float(low), float(high)


def _label(value: str | None) -> str | None:
    """Return a label that the list knows how to look for."""
    kind, _, name = (value or "").partition(".")
    return value if name and kind in {member.value for member in FindingKind} else None


def _day(value: str, zone: ZoneInfo, later: timedelta = timedelta()) -> datetime | None:
    """Return the start of a day in the page's zone; None for an empty or impossible one."""
    try:
        return datetime.combine(date.fromisoformat(value), time(), zone) + later
    except (ValueError, OverflowError):
        return None


def _moment(value: str, zone: ZoneInfo) -> datetime | None:
    """Return a moment in the page's zone, as ``2026-11-20T18:00``; None for none."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
