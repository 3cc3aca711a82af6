"""Draws calls by a plan: the same ones for the same plan, period and calls, each with its probability.

Calls are ordered by a hash of seed, plan, period, part and call, which stands for a random order that
does not depend on how the calls came; a part takes the first ones of its stratum. A part that takes n
of N takes each with probability n/N (simple random sampling without replacement); parts draw
independently, so a call that several of them may take is in the sample with 1 − Π(1 − pᵢ)
(Cochran, Sampling Techniques, ch. 2; Horvitz and Thompson 1952 for the weights 1/π).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

from huaxiang.quality.references import id_of
from huaxiang.quality.review.plan import Candidate, Draw, Period, Plan

_HASH_SPAN = 2.0**64


@dataclass(frozen=True, slots=True)
class Pick:
    """A drawn call: its inclusion probability, and the numbers of the parts that took it, from 1."""

    recording_id: str
    probability: float
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a plan draws of a period: ``population`` is how many calls it is about."""

    population: int
    picks: tuple[Pick, ...]


def draw(plan: Plan, candidates: Iterable[Candidate], period: Period) -> Sample:
    """Return the sample of a period, in an order that is as random as the sample."""
    eligible = [one for one in candidates if _is_among(plan, one) and period.start <= one.at < period.end]
    key = f"{plan.seed}/{plan.name}/{period.start.isoformat()}"
    missed: dict[str, float] = {}
    taken: dict[str, list[int]] = {}
    for number, part in enumerate(plan.draws, start=1):
        for stratum in _strata(part, eligible):
            ordered = _shuffled(stratum, key, number)
            count, chance = _size(part, ordered, key, number)
            for place, one in enumerate(ordered):
                missed[one.recording_id] = missed.get(one.recording_id, 1.0) * (1 - chance)
                if place < count:
                    taken.setdefault(one.recording_id, []).append(number)
    picks = [Pick(one, 1 - missed[one], tuple(parts)) for one, parts in taken.items()]
    return Sample(len(eligible), tuple(sorted(picks, key=lambda pick: _hash(key, 0, pick.recording_id))))


def assign(picks: Sequence[Pick], sellers: dict[str, str | None], reviewers: Sequence[str]) -> dict[str, str]:
    """Share the calls out evenly; nobody gets an own call. Calls that nobody may take are left out."""
    load = dict.fromkeys(reviewers, 0)
    found: dict[str, str] = {}
    for pick in picks:
        able = [name for name in reviewers if name != sellers.get(pick.recording_id)]
        if able:
            chosen = min(able, key=lambda name: (load[name], reviewers.index(name)))
            load[chosen] += 1
            found[pick.recording_id] = chosen
    return found


def _is_among(plan: Plan, one: Candidate) -> bool:
    among = plan.among
    return (
        (not among.settings or one.setting in among.settings)
        and (not among.sellers or one.seller in among.sellers)
        and (not among.teams or one.team in among.teams)
        and one.duration_ms >= among.min_duration_ms
        and (plan.scorecard is None or id_of(one.definition) == plan.scorecard)
    )


def _strata(part: Draw, eligible: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the groups of which each is drawn from alone: all that fit, or those of each seller."""
    fitting = [one for one in eligible if _fits(part, one)]
    if part.per_seller is None:
        return [fitting] if fitting else []
    by_seller: dict[str, list[Candidate]] = {}
    for one in fitting:
        if one.seller is not None:
            by_seller.setdefault(one.seller, []).append(one)
    return list(by_seller.values())


def _fits(part: Draw, one: Candidate) -> bool:
    if part.for_review and not any(item.for_review for item in one.items.values()):
        return False
    if part.low_confidence is not None:
        surest = min((item.confidence for item in one.items.values()), default=1.0)
        if surest >= part.low_confidence:
            return False
    if part.outcome is None:
        return True
    return any(
        item.outcome is part.outcome
        for identifier, item in one.items.items()
        if not part.items or identifier in part.items
    )


def _size(part: Draw, stratum: Sequence[Candidate], key: str, number: int) -> tuple[int, float]:
    """Return how many of a stratum are taken, and with what probability each.

    A share of 0.05 of 30 calls is 1.5: one or two of them, so that each has exactly 0.05.
    """
    size = len(stratum)
    if part.share is not None:
        wanted = part.share * size
        whole = floor(wanted)
        return whole + (_hash(key, number, "size") / _HASH_SPAN < wanted - whole), part.share
    count = min(part.number or part.per_seller or 0, size)
    return count, count / size


def _shuffled(stratum: Sequence[Candidate], key: str, number: int) -> list[Candidate]:
    return sorted(stratum, key=lambda one: _hash(key, number, one.recording_id))


def _hash(key: str, part: int, identifier: str) -> int:
    digest = hashlib.sha256(f"{key}/{part}/{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
