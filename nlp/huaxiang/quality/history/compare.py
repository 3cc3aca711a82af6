"""Before and after: what a scorecard would change on the history, against the one that is in force."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.fingerprint import counts_by
from huaxiang.quality.history.judging import Marks, Rescored

BIN_PERCENT = 10
"""Width of a bar of the histogram of changes, in percent of the possible score."""
MOST_CHANGES = 2000
UNKNOWN = ""
"""The key of conversations of nobody known, and of sellers of no team."""
_EQUAL = 0.005


@dataclass(frozen=True, slots=True)
class Side:
    """What one scorecard came to over some conversations.

    ``mean_percent`` is the mean of the calls' scores in percent of what was possible (None where none was
    scored), ``auto_failed`` how many calls failed at once, ``grades`` how many got each grade.
    """

    scored: int
    mean_percent: float | None
    auto_failed: int
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Before and after for a seller, a team or all; ``changed`` counts calls whose score differs."""

    key: str
    conversations: int
    changed: int
    before: Side
    after: Side

    @property
    def difference(self) -> float | None:
        """Mean score after less before, in percent points; None where one of them is not there."""
        if self.before.mean_percent is None or self.after.mean_percent is None:
            return None
        return self.after.mean_percent - self.before.mean_percent


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item: what became of it, and how many calls passed, failed and had no use for it.

    ``status`` is ``same``, ``changed``, ``added`` or ``removed``; ``flips`` counts calls by
    ``passed>failed`` and the like.
    """

    id: str
    title_zh: str
    title_en: str
    status: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    flips: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flip:
    """What an item came to before and after in one conversation: as in ``ItemChange``, or ``absent``."""

    item: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One conversation whose score differs; ``items`` are those that came to something else."""

    recording_id: str
    seller: str | None
    started_at: datetime
    before: Marks | None
    after: Marks | None
    items: tuple[Flip, ...]

    @property
    def difference(self) -> float:
        """Percent points after less before; one that only one scorecard judges counts as the whole."""
        before = self.before.percent if self.before else None
        after = self.after.percent if self.after else None
        if before is None and after is None:
            return 0.0
        return (after or 0.0) - (before or 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changes where ``after`` takes the place of ``before``, which is empty for a new scorecard.

    ``histogram`` counts calls by the lower edge of their change in percent points, ``BIN_PERCENT`` wide;
    those that do not change are not in it. ``changes`` are the greatest ones, at most ``MOST_CHANGES``.
    """

    before: str
    after: str
    whole: Group
    teams: tuple[Group, ...]
    sellers: tuple[Group, ...]
    items: tuple[ItemChange, ...]
    histogram: Mapping[int, int]
    changes: tuple[Change, ...]


@dataclass
class _Sums:
    scored: int = 0
    percent: float = 0.0
    with_percent: int = 0
    auto_failed: int = 0
    grades: Counter[str] = field(default_factory=Counter)

    def add(self, marks: Marks | None) -> None:
        if marks is None:
            return
        self.scored += 1
        self.auto_failed += marks.auto_failed
        self.grades[marks.grade] += 1
        if marks.percent is not None:
            self.percent += marks.percent
            self.with_percent += 1

    def side(self) -> Side:
        mean = self.percent / self.with_percent if self.with_percent else None
        return Side(self.scored, mean, self.auto_failed, dict(self.grades))


@dataclass
class _GroupSums:
    conversations: int = 0
    changed: int = 0
    before: _Sums = field(default_factory=_Sums)
    after: _Sums = field(default_factory=_Sums)

    def add(self, before: Marks | None, after: Marks | None, *, changed: bool) -> None:
        self.conversations += 1
        self.changed += changed
        self.before.add(before)
        self.after.add(after)

    def group(self, key: str) -> Group:
        return Group(key, self.conversations, self.changed, self.before.side(), self.after.side())


class Comparing:
    """Adds up a comparison conversation by conversation, so that the history is never in memory."""

    def __init__(
        self, before: ScorecardDefinition | None, after: ScorecardDefinition, teams: Mapping[str, str]
    ) -> None:
        self._before, self._after, self._teams = before, after, teams
        self._places = (_places(before), _places(after))
        self._whole = _GroupSums()
        self._sellers: dict[str, _GroupSums] = defaultdict(_GroupSums)
        self._by_team: dict[str, _GroupSums] = defaultdict(_GroupSums)
        self._flips: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._histogram: Counter[int] = Counter()
        self._greatest: list[tuple[float, str, Change]] = []

    def add(self, rescored: Rescored) -> None:
        """Take in one conversation, judged by ``before`` and ``after`` in that order."""
        before, after = rescored.marks
        if before is None and after is None:
            return
        moved = []
        for item, outcomes in self._outcomes(before, after):
            self._flips[item][outcomes] += 1
            if outcomes[0] != outcomes[1]:
                moved.append(Flip(item, *outcomes))
        change = Change(
            rescored.recording_id, rescored.seller, rescored.started_at, before, after, tuple(moved)
        )
        changed = _differs(before, after)
        seller = rescored.seller or UNKNOWN
        for sums in (self._whole, self._sellers[seller], self._by_team[self._teams.get(seller, UNKNOWN)]):
            sums.add(before, after, changed=changed)
        if changed:
            self._histogram[int(change.difference // BIN_PERCENT) * BIN_PERCENT] += 1
            self._keep(change)

    def result(self) -> Comparison:
        """Return the comparison of all that was added."""
        ordered = sorted(self._greatest, key=lambda entry: (-entry[0], entry[1]))
        return Comparison(
            before=self._before.reference if self._before else "",
            after=self._after.reference,
            whole=self._whole.group("all"),
            teams=tuple(self._by_team[team].group(team) for team in sorted(self._by_team)),
            sellers=tuple(self._sellers[seller].group(seller) for seller in sorted(self._sellers)),
            items=tuple(self._items()),
            histogram=dict(sorted(self._histogram.items())),
            changes=tuple(change for _, _, change in ordered),
        )

    def _keep(self, change: Change) -> None:
        entry = (abs(change.difference), change.recording_id, change)
        if len(self._greatest) < MOST_CHANGES:
            heapq.heappush(self._greatest, entry)
        else:
            heapq.heappushpop(self._greatest, entry)

    def _outcomes(self, before: Marks | None, after: Marks | None) -> Iterable[tuple[str, tuple[str, str]]]:
        earlier, later = self._places
        for item in dict.fromkeys((*later, *earlier)):
            yield item, (_outcome(before, earlier.get(item)), _outcome(after, later.get(item)))

    def _items(self) -> Iterable[ItemChange]:
        earlier = {item.id: item for item in self._before.items} if self._before else {}
        later = {item.id: item for item in self._after.items}
        for identifier in dict.fromkeys((*later, *earlier)):
            item = later.get(identifier) or earlier[identifier]
            counted = self._flips[identifier]
            before: Counter[str] = Counter()
            after: Counter[str] = Counter()
            for (was, becomes), count in counted.items():
                before[was] += count
                after[becomes] += count
            if identifier not in earlier:
                status = "added"
            elif identifier not in later:
                status = "removed"
            else:
                status = (
                    "same" if counts_by(earlier[identifier]) == counts_by(later[identifier]) else "changed"
                )
            flips = {f"{was}>{becomes}": n for (was, becomes), n in sorted(counted.items()) if was != becomes}
            yield ItemChange(item.id, item.title_zh, item.title_en, status, before, after, flips)


def compare(
    before: ScorecardDefinition | None,
    after: ScorecardDefinition,
    judged: Iterable[Rescored],
    teams: Mapping[str, str],
) -> Comparison:
    """Return what changes from ``before`` to ``after`` over conversations judged by both.

    Where there is none before, their first marks are None.
    """
    comparing = Comparing(before, after, teams)
    for rescored in judged:
        comparing.add(rescored)
    return comparing.result()


def _places(definition: ScorecardDefinition | None) -> dict[str, int]:
    return {item.id: place for place, item in enumerate(definition.items)} if definition else {}


def _outcome(marks: Marks | None, place: int | None) -> str:
    if marks is None or place is None:
        return "absent"
    passed = marks.passed[place]
    return "not_applicable" if passed is None else "passed" if passed else "failed"


def _differs(before: Marks | None, after: Marks | None) -> bool:
    if before is None or after is None:
        return True
    same = abs(before.score - after.score) < _EQUAL and abs(before.possible - after.possible) < _EQUAL
    return not same or before.auto_failed is not after.auto_failed
