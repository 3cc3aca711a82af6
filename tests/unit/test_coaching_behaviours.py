"""Which behaviours go with won conversations: found where they do, and not where they do not."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from huaxiang.profile.coaching.behaviours import (
    FALSE_DISCOVERY_RATE,
    MEANINGFUL_DELTA,
    Behaviour,
    Behaviours,
    Verdict,
    behaviours,
)
from huaxiang.profile.coaching.calls import Call, CallOutcome, ItemResult, Outcome

HELD = datetime(2026, 10, 5, 2, tzinfo=UTC)
WON, LOST = CallOutcome(Outcome.WON, "purchase"), CallOutcome(Outcome.LOST, "deal_lost")
ACTS, NUMBERS = 15, 10


def company(seed: int, count: int, effect: float = 0.0) -> Behaviours:
    """Return what is found in a company where act 0 and number 0 matter by ``effect``, and nothing else."""
    rng = random.Random(seed)
    calls = []
    for number in range(count):
        won = rng.random() < 0.4
        extra = effect if won else 0.0
        acts = {f"a{k}": 1 for k in range(ACTS) if rng.random() < 0.4 + (extra if k == 0 else 0)}
        numbers = {f"m{k}": rng.gauss(2 * extra if k == 0 else 0, 1) for k in range(NUMBERS)}
        calls.append(
            Call(
                f"r{number}",
                "s",
                HELD,
                customer_id=f"c{number}",
                acts=acts,
                numbers=numbers,
                outcome=WON if won else LOST,
            )
        )
    return behaviours(calls)


def call(number: int, outcome: CallOutcome, *, customer: str | None = None, **acts: int) -> Call:
    return Call(f"r{number}", "s", HELD, customer_id=customer, acts=acts, outcome=outcome)


def by_key(found: Behaviours) -> dict[str, Behaviour]:
    return {behaviour.key: behaviour for behaviour in found.found}


def test_without_any_true_effect_false_discoveries_stay_as_rare_as_the_rate_that_is_held() -> None:
    companies = 60
    wrong = sum(bool(company(seed, 120).decisive) for seed in range(companies))
    # Three standard errors above the rate: a test held to nothing would be wrong in most companies.
    assert wrong / companies <= FALSE_DISCOVERY_RATE + 3 * (0.05 * 0.95 / companies) ** 0.5


def test_a_planted_effect_is_found_and_the_others_are_not_found_with_it() -> None:
    decisive = [company(seed, 300, effect=0.3).decisive for seed in range(20)]
    keys = [{behaviour.key for behaviour in found} for found in decisive]
    assert sum({"act.a0", "metric.m0"} <= found for found in keys) >= 16
    planted = [b for found in decisive for b in found if b.key in ("act.a0", "metric.m0")]
    assert {behaviour.verdict for behaviour in planted} == {Verdict.MORE_IN_WON}
    false = sum(len(found - {"act.a0", "metric.m0"}) for found in keys)
    assert false / max(1, sum(map(len, keys))) <= 2 * FALSE_DISCOVERY_RATE


def test_too_few_cases_are_said_to_be_too_few_and_how_many_more_would_do() -> None:
    few = behaviours([call(n, WON if n % 2 else LOST, probe=n % 2) for n in range(16)])
    (found,) = few.found
    assert (found.p, found.q, found.verdict) == (None, None, Verdict.TOO_THIN)
    assert found.more_needed > 200
    assert found.delta is not None
    assert found.delta.value == 1.0


def test_no_difference_is_claimed_only_where_the_interval_leaves_no_room_for_one() -> None:
    found = by_key(company(3, 1500))
    none = [b for b in found.values() if b.verdict is Verdict.NO_DIFFERENCE]
    assert len(none) > 15
    for behaviour in none:
        assert behaviour.delta is not None
        assert behaviour.delta.low is not None
        assert behaviour.delta.high is not None
        assert -MEANINGFUL_DELTA < behaviour.delta.low < behaviour.delta.high < MEANINGFUL_DELTA


def test_open_and_unknown_conversations_are_left_out_and_counted() -> None:
    open_one = CallOutcome(Outcome.OPEN, "window_open")
    unknown = CallOutcome(Outcome.UNKNOWN, "no_customer")
    found = behaviours([call(0, WON, x=1), call(1, LOST), call(2, open_one, x=1), call(3, unknown, x=1)])
    assert found.outcomes == {"won": 1, "lost": 1, "open": 1, "unknown": 1}
    assert found.reasons["no_customer"] == 1
    assert (found.cases_won, found.cases_lost) == (1, 1)


def test_several_conversations_of_one_customer_are_one_case() -> None:
    calls = [call(n, WON, customer="c1", x=n % 2) for n in range(10)] + [call(20, LOST, customer="c2")]
    found = behaviours(calls)
    assert (found.cases_won, found.cases_lost) == (1, 1)
    (behaviour,) = found.found
    assert behaviour.won is not None
    assert (behaviour.won.value, behaviour.won.n) == (0.5, 1)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_conversations_plays_no_part(seed: int) -> None:
    calls = [call(n, WON if n % 3 else LOST, customer=f"c{n % 7}", x=n % 2, y=n % 5 == 0) for n in range(40)]
    shuffled = list(calls)
    random.Random(seed).shuffle(shuffled)
    assert behaviours(shuffled) == behaviours(calls)


def test_an_act_that_an_item_asks_for_is_tested_once() -> None:
    judged = {"greeting": ItemResult(True, 0, 5)}
    calls = [
        Call(f"r{n}", "s", HELD, acts={"greeting": 1, "pitch": 1}, items=judged, outcome=WON)
        for n in range(3)
    ]
    assert set(by_key(behaviours(calls))) == {"item.greeting", "act.pitch"}
