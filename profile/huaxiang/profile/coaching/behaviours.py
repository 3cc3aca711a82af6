"""Which behaviours go with won conversations in this company's own data, and how sure that is.

The unit is the case: the conversations of one customer that share an outcome, with the mean of their
values, as conversations of one customer are no independent observations. Conversations whose outcome is
open or unknown are left out and counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean

from huaxiang.profile.coaching.calls import Call, Outcome
from huaxiang.profile.coaching.statistics import (
    Estimate,
    cliffs_delta,
    conversations_needed,
    difference_of_rates,
    false_discovery,
    rank_test,
    rate,
)

FALSE_DISCOVERY_RATE = 0.05
MEANINGFUL_DELTA = 0.2
MIN_CASES = 10
"""A behaviour is tested where so many cases were won, and so many lost."""


class Verdict(StrEnum):
    """What may be said of a behaviour.

    ``no_difference``: the whole interval lies within ± ``MEANINGFUL_DELTA``. ``unclear``: there were cases
    enough, and it shows neither a difference nor that there is none. ``too_thin``: there were not.
    """

    MORE_IN_WON = "more_in_won"
    MORE_IN_LOST = "more_in_lost"
    NO_DIFFERENCE = "no_difference"
    UNCLEAR = "unclear"
    TOO_THIN = "too_thin"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour among won and lost cases.

    ``key`` is ``act.<label>``, ``item.<id>`` or ``metric.<name>``. ``won`` and ``lost`` are the mean
    value (of yes or no: the share) and the number of cases. ``delta`` is Cliff's delta of won against
    lost; ``p`` is by ``test``, ``q`` the same held to the false discovery rate over all behaviours; both
    are None where there is nothing to test. ``more_needed`` is how many more cases of known outcome
    would show a difference of ``MEANINGFUL_DELTA``, where the data is too thin.
    """

    key: str
    yes_or_no: bool
    won: Estimate | None
    lost: Estimate | None
    delta: Estimate | None
    test: str
    p: float | None
    q: float | None
    verdict: Verdict
    more_needed: int


@dataclass(frozen=True, slots=True)
class Behaviours:
    """All behaviours, the surest first, and what they stand on.

    ``outcomes`` counts conversations by outcome, ``reasons`` by the reason for it; ``cases_won`` and
    ``cases_lost`` count cases.
    """

    found: tuple[Behaviour, ...]
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    cases_won: int
    cases_lost: int

    @property
    def decisive(self) -> tuple[Behaviour, ...]:
        """Those of which something may be said."""
        said = (Verdict.MORE_IN_WON, Verdict.MORE_IN_LOST)
        return tuple(behaviour for behaviour in self.found if behaviour.verdict in said)


@dataclass(frozen=True, slots=True)
class _Case:
    won: bool
    values: Mapping[str, float]


def behaviours(calls: Iterable[Call]) -> Behaviours:
    """Compare won with lost cases, every behaviour that occurs in the conversations."""
    known = list(calls)
    cases = _cases(known)
    judged = {f"act.{item}" for call in known for item in call.items}
    # An act that a scorecard's item asks for would be tested twice.
    keys = sorted({key for case in cases for key in case.values} - judged)
    compared = [_compare(key, cases) for key in keys]
    tested = [place for place, behaviour in enumerate(compared) if behaviour.p is not None]
    adjusted = false_discovery([compared[place].p or 0.0 for place in tested])
    q_values = dict(zip(tested, adjusted, strict=True))
    found = [_judged(behaviour, q_values.get(place)) for place, behaviour in enumerate(compared)]
    found.sort(key=lambda b: (1.0 if b.q is None else b.q, -abs(b.delta.value) if b.delta else 0.0, b.key))
    return Behaviours(
        found=tuple(found),
        outcomes=dict(Counter(call.outcome.outcome.value for call in known)),
        reasons=dict(Counter(call.outcome.reason for call in known)),
        cases_won=sum(case.won for case in cases),
        cases_lost=sum(not case.won for case in cases),
    )


def values_of(call: Call, acts: Iterable[str] = ()) -> dict[str, float]:
    """Return a conversation's behaviours by key: acts and items as 0 or 1, numbers as they are.

    ``acts`` are the labels that count as left undone where the conversation lacks them.
    """
    values = {f"act.{label}": 0.0 for label in acts}
    values |= {f"act.{label}": 1.0 for label, count in call.acts.items() if count}
    values |= {
        f"item.{item}": float(result.passed)
        for item, result in call.items.items()
        if result.passed is not None
    }
    return values | {f"metric.{name}": value for name, value in call.numbers.items()}


def _cases(calls: Sequence[Call]) -> list[_Case]:
    """Return one case for each customer and outcome; a conversation without a customer is its own."""
    acts = frozenset(label for call in calls for label in call.acts)
    grouped: dict[tuple[str, bool], list[dict[str, float]]] = defaultdict(list)
    for call in calls:
        if call.outcome.outcome in (Outcome.WON, Outcome.LOST):
            won = call.outcome.outcome is Outcome.WON
            grouped[call.customer_id or call.recording_id, won].append(values_of(call, acts))
    return [
        _Case(
            won,
            {
                key: fmean(values[key] for values in together if key in values)
                for key in {key for values in together for key in values}
            },
        )
        for (_, won), together in sorted(grouped.items())
    ]


def _compare(key: str, cases: Sequence[_Case]) -> Behaviour:
    won = [case.values[key] for case in cases if case.won and key in case.values]
    lost = [case.values[key] for case in cases if not case.won and key in case.values]
    yes_or_no = not key.startswith("metric.")
    enough = min(len(won), len(lost)) >= MIN_CASES
    varied = len({*won, *lost}) > 1
    whole = yes_or_no and {*won, *lost} <= {0.0, 1.0}
    p = None
    if enough and varied:
        exact = difference_of_rates(int(sum(won)), len(won), int(sum(lost)), len(lost)) if whole else None
        p = exact.p if exact is not None else rank_test(won, lost)
    return Behaviour(
        key=key,
        yes_or_no=yes_or_no,
        won=_middle(won, whole),
        lost=_middle(lost, whole),
        delta=cliffs_delta(won, lost) if won and lost else None,
        test="fisher" if whole else "mann_whitney",
        p=p,
        q=None,
        verdict=Verdict.TOO_THIN,
        more_needed=_more_needed(len(won), len(lost)),
    )


def _middle(values: Sequence[float], whole: bool) -> Estimate | None:
    if whole:
        return rate(int(sum(values)), len(values))
    return Estimate(fmean(values), len(values)) if values else None


def _more_needed(won: int, lost: int) -> int:
    """Return how many more cases would do, won and lost in the proportion seen so far."""
    share = (won + 1) / (won + lost + 2)  # not 0 or 1 while one kind is still missing (Laplace)
    rarer = min(share, 1 - share)
    wanted = max(conversations_needed(share, MEANINGFUL_DELTA), round(MIN_CASES / rarer))
    return max(0, wanted - won - lost)


def _judged(behaviour: Behaviour, q: float | None) -> Behaviour:
    delta = behaviour.delta
    verdict = Verdict.TOO_THIN
    if delta is not None and q is not None and q <= FALSE_DISCOVERY_RATE and delta.value:
        verdict = Verdict.MORE_IN_WON if delta.value > 0 else Verdict.MORE_IN_LOST
    elif delta is not None and q is not None and _within(delta):
        verdict = Verdict.NO_DIFFERENCE
    elif not behaviour.more_needed:
        verdict = Verdict.UNCLEAR
    more = behaviour.more_needed if verdict is Verdict.TOO_THIN else 0
    return replace(behaviour, q=q, verdict=verdict, more_needed=more)


def _within(delta: Estimate) -> bool:
    """Return whether the interval leaves no room for a difference that would matter."""
    if delta.low is None or delta.high is None:
        return False
    return delta.low > -MEANINGFUL_DELTA and delta.high < MEANINGFUL_DELTA
