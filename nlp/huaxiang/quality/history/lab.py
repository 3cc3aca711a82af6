"""The rule lab: how often an item fails calls, and how often people agree, with intervals.

A **hit** of an item is a call that it fails: that is what costs a seller. Its precision is the share of
hits in which people find the same; its recall the share of the calls that people fail which it hits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from huaxiang.quality.history.proportions import (
    Z_BOTH_95,
    Proportion,
    stratified,
    two_sided_p,
    weighted,
    wilson,
)
from huaxiang.quality.review.outcomes import Outcome
from huaxiang.quality.review.queue import JudgedItem

DEFAULT_FLOOR = 0.85
ENOUGH_REVIEWS = 20
"""From so many reviewed hits on (in effective size) the estimate alone decides."""
ENOUGH_CALLS = 30
"""From so many applicable calls on, a rule that never or always fails is worth a look."""
RECENT_WEEKS = 2


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What an item came to in one call; ``passed`` None where it did not apply."""

    recording_id: str
    started_at: datetime
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Week:
    """The week that begins on ``monday``: applicable calls, hits, reviewed hits and those confirmed."""

    monday: date
    applicable: int
    hits: int
    reviewed: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """What the lab knows of one item.

    ``population`` calls were scored by it, it applied to ``applicable`` and failed ``hits``. ``basis``
    says what ``precision`` and ``recall`` stand on: ``sampled`` (drawn by plans, with their weights, and
    those chosen or appealed for themselves), ``chosen`` (no sample: only what somebody picked, which stands
    for itself), ``none``. ``reviewed_hits`` and ``reviewed_others`` are how many of each were judged;
    ``overturned`` counts hits that people took back. ``drift_p`` is the p-value that the hits of the last
    two weeks are as many as before.
    """

    population: int
    applicable: int
    hits: int
    basis: str
    precision: Proportion | None
    recall: Proportion | None
    missed_share: Proportion | None
    reviewed_hits: int
    reviewed_others: int
    overturned: int
    weeks: tuple[Week, ...]
    drift_p: float
    recent_rate: float | None
    earlier_rate: float | None

    @property
    def hit_rate(self) -> tuple[float, float, float] | None:
        """The share of applicable calls that fail, with its interval; None where it never applied."""
        if not self.applicable:
            return None
        share = self.hits / self.applicable
        return (share, *wilson(share, self.applicable))

    @property
    def never_fires(self) -> bool:
        """Whether it fails nobody although it often applies."""
        return self.hits == 0 and self.applicable >= ENOUGH_CALLS

    @property
    def always_fires(self) -> bool:
        """Whether it fails everybody although it often applies."""
        return self.hits == self.applicable >= ENOUGH_CALLS


def suggests(figures: ItemFigures, floor: float) -> bool:
    """Tell whether an item is under its floor, so that it only suggests.

    It is where its precision is surely under the floor (the upper end of the interval is), or where
    enough hits were reviewed and the estimate is. What nobody sampled is not judged.
    """
    precision = figures.precision
    if precision is None or figures.basis != "sampled":
        return False
    return precision.high < floor or (precision.effective >= ENOUGH_REVIEWS and precision.estimate < floor)


def item_figures(
    occurrences: Sequence[Occurrence], judged: Iterable[JudgedItem], zone: tzinfo
) -> ItemFigures:
    """Return the figures of one item from its calls and from what people judged of it.

    A judgement of a call that is not among ``occurrences`` is left out. Weeks begin on Monday in ``zone``.
    """
    came_to = {occurrence.recording_id: occurrence for occurrence in occurrences}
    reviews = {review.recording_id: review for review in judged if review.recording_id in came_to}
    hits = {key for key, occurrence in came_to.items() if occurrence.passed is False}
    of_hits = [review for key, review in reviews.items() if key in hits]
    of_others = [review for key, review in reviews.items() if key not in hits]
    basis, precision = _share_failed(of_hits, len(hits))
    recall, missed = None, None
    if basis == "sampled" or not hits:
        missed = _sampled_share(of_others, len(came_to) - len(hits))
        recall = _recall(of_hits, of_others, len(hits), len(came_to) - len(hits))
    weeks = _weeks(occurrences, of_hits, zone)
    recent, earlier = _parts(weeks)
    return ItemFigures(
        population=len(came_to),
        applicable=sum(occurrence.passed is not None for occurrence in occurrences),
        hits=len(hits),
        basis=basis,
        precision=precision,
        recall=recall,
        missed_share=missed,
        reviewed_hits=len(of_hits),
        reviewed_others=len(of_others),
        overturned=sum(not _failed(review) for review in of_hits),
        weeks=weeks,
        drift_p=two_sided_p(recent, earlier),
        recent_rate=recent[0] / recent[1] if recent[1] else None,
        earlier_rate=earlier[0] / earlier[1] if earlier[1] else None,
    )


def _failed(review: JudgedItem) -> bool:
    return review.judged is Outcome.FAILED


def _apart(reviews: Iterable[JudgedItem]) -> tuple[list[bool], list[tuple[bool, float]]]:
    """Return what is known for itself, and what was drawn with its probability."""
    known, drawn = [], []
    for review in reviews:
        if review.probability is None:
            known.append(_failed(review))
        else:
            drawn.append((_failed(review), review.probability))
    return known, drawn


def _sampled_share(
    reviews: Iterable[JudgedItem], population: int, z: float | None = None
) -> Proportion | None:
    known, drawn = _apart(reviews)
    if z is None:
        return stratified(known, drawn, population)
    return stratified(known, drawn, population, z)


def _share_failed(reviews: Sequence[JudgedItem], population: int) -> tuple[str, Proportion | None]:
    """Return the share that people failed too, and what it stands on."""
    sampled = _sampled_share(reviews, population)
    if sampled is not None:
        return "sampled", sampled
    if not reviews:
        return "none", None
    return "chosen", weighted([(_failed(review), 1.0) for review in reviews])


def _recall(
    of_hits: Sequence[JudgedItem], of_others: Sequence[JudgedItem], hits: int, others: int
) -> Proportion | None:
    """Return the share of calls failed by people that are hits, from both parts of the population.

    Each part's share has a 97.5 % interval, so the bounds hold together with at least 95 %.
    """
    right = _sampled_share(of_hits, hits, Z_BOTH_95) if hits else Proportion(0, 0, 0, 0, 0)
    wrong = _sampled_share(of_others, others, Z_BOTH_95) if others else Proportion(0, 0, 0, 0, 0)
    if right is None or wrong is None:
        return None

    def share(found: float, missed: float) -> float | None:
        total = hits * found + others * missed
        return hits * found / total if total else None

    estimate = share(right.estimate, wrong.estimate)
    if estimate is None:
        return None
    low, high = share(right.low, wrong.high), share(right.high, wrong.low)
    return Proportion(
        estimate,
        estimate if low is None else low,
        estimate if high is None else high,
        right.n + wrong.n,
        right.effective + wrong.effective,
    )


def monday_of(moment: datetime, zone: tzinfo) -> date:
    """Return the Monday of the week of a moment (aware), where ``zone`` is."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _weeks(
    occurrences: Iterable[Occurrence], of_hits: Iterable[JudgedItem], zone: tzinfo
) -> tuple[Week, ...]:
    counts: Mapping[date, Counter[str]] = defaultdict(Counter)
    week_of = {}
    for occurrence in occurrences:
        monday = week_of[occurrence.recording_id] = monday_of(occurrence.started_at, zone)
        counts[monday]["applicable"] += occurrence.passed is not None
        counts[monday]["hits"] += occurrence.passed is False
    for review in of_hits:
        counts[week_of[review.recording_id]]["reviewed"] += 1
        counts[week_of[review.recording_id]]["confirmed"] += _failed(review)
    return tuple(
        Week(monday, count["applicable"], count["hits"], count["reviewed"], count["confirmed"])
        for monday, count in sorted(counts.items())
    )


def _parts(weeks: Sequence[Week]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return hits and applicable calls of the last weeks, and of those before."""
    recent, earlier = weeks[-RECENT_WEEKS:], weeks[:-RECENT_WEEKS]
    return (
        (sum(week.hits for week in recent), sum(week.applicable for week in recent)),
        (sum(week.hits for week in earlier), sum(week.applicable for week in earlier)),
    )
