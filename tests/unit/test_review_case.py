"""A case of review: what may follow what, who may do it, and that the log alone says what holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from huaxiang.core.errors import Forbidden, HuaxiangError, IllegalTransition, InvalidInput, OutOfDate
from huaxiang.core.types import Json
from huaxiang.quality.review.case import Case, advance, check_seen, replay
from huaxiang.quality.review.outcomes import Act, ActKind, Actor, CaseState, Outcome

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MEI, LAO, SELLER = Actor("user:1", "mei"), Actor("user:2", "lao.li"), Actor("user:3", "he.yun")
ITEMS = ("greeting", "price_clear", "rude")


def opened(at: datetime = NOON) -> Act:
    items: list[Json] = [
        {
            "id": name,
            "title": name,
            "outcome": outcome,
            "points": 10,
            "possible": 10,
            "confidence": 0.9,
            "auto_fail": False,
            "for_review": False,
        }
        for name, outcome in zip(ITEMS, ("passed", "failed", "not_applicable"), strict=True)
    ]
    payload: dict[str, Json] = {
        "definition": "phone @ 1",
        "seller": "he.yun",
        "origin": "sampled",
        "items": items,
    }
    return Act(1, ActKind.OPENED, MEI, at, payload=payload)


def act(kind: ActKind, actor: Actor = MEI, **given: object) -> Act:
    return Act(0, kind, actor, **{"at": NOON, **given})  # type: ignore[arg-type]


def judged(item: str, outcome: Outcome, actor: Actor = MEI, reason: str = "听过") -> Act:
    return act(ActKind.JUDGED, actor, item=item, outcome=outcome, reason=reason)


def handed_in(actor: Actor = MEI, days: int = 7) -> Act:
    return act(ActKind.REVIEWED, actor, payload={"appeal_until": (NOON + timedelta(days=days)).isoformat()})


def after(*acts: Act) -> Case:
    numbered = [
        Act(n, a.kind, a.actor, a.at, a.item, a.outcome, a.reason, a.payload)
        for n, a in enumerate((opened(), *acts), start=1)
    ]
    return replay(numbered)


REVIEWED = (judged("greeting", Outcome.FAILED), handed_in())
APPEALED = (*REVIEWED, act(ActKind.APPEALED, SELLER, reason="我问候过", payload={"items": ["greeting"]}))


def test_automatic_reviewed_and_settled_outcomes_stand_apart() -> None:
    case = after(
        *APPEALED, judged("greeting", Outcome.PASSED, LAO), act(ActKind.SETTLED, LAO, reason="录音里有")
    )
    item = case.item("greeting")
    assert case.state is CaseState.FINAL
    assert (item.automatic.outcome, item.final) == (Outcome.PASSED, Outcome.PASSED)
    assert item.reviewed is not None
    assert item.settled is not None
    assert (item.reviewed.outcome, item.reviewed.by) == (Outcome.FAILED, MEI)
    assert (item.settled.outcome, item.settled.by) == (Outcome.PASSED, LAO)
    assert case.item("rude").final is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ((), act(ActKind.APPEALED, SELLER, reason="x")),
        ((), act(ActKind.SETTLED, LAO, reason="x")),
        ((), handed_in()),
        (REVIEWED, judged("greeting", Outcome.PASSED)),
        (REVIEWED, act(ActKind.SETTLED, LAO, reason="x")),
        (APPEALED, act(ActKind.APPEALED, SELLER, reason="x")),
        (APPEALED, act(ActKind.REOPENED, LAO, reason="x")),
        ((*APPEALED, act(ActKind.SETTLED, LAO, reason="x")), judged("rude", Outcome.FAILED, LAO)),
        ((*APPEALED, act(ActKind.SETTLED, LAO, reason="x")), act(ActKind.REOPENED, LAO, reason="x")),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Act) else str(len(value)),
)
def test_what_does_not_follow_is_refused(before: tuple[Act, ...], wrong: Act) -> None:
    with pytest.raises(IllegalTransition):
        after(*before, wrong)


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ((), judged("greeting", Outcome.FAILED, SELLER)),
        ((act(ActKind.ASSIGNED, payload={"assignee": "lao.li"}),), judged("greeting", Outcome.FAILED)),
        ((), act(ActKind.ASSIGNED, payload={"assignee": "he.yun"})),
        (REVIEWED, act(ActKind.APPEALED, LAO, reason="x")),
        (APPEALED, act(ActKind.SETTLED, MEI, reason="x")),
        (APPEALED, judged("greeting", Outcome.PASSED, MEI)),
        (APPEALED, act(ActKind.SETTLED, SELLER, reason="x")),
    ],
)
def test_who_may_not_is_refused(before: tuple[Act, ...], wrong: Act) -> None:
    with pytest.raises(Forbidden):
        after(*before, wrong)


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ((), judged("greeting", Outcome.FAILED, reason=" ")),
        (REVIEWED, act(ActKind.APPEALED, SELLER, reason="")),
        (APPEALED, act(ActKind.SETTLED, LAO)),
        (APPEALED, judged("greeting", Outcome.PASSED, LAO, reason="")),
    ],
)
def test_what_changes_something_needs_a_reason(before: tuple[Act, ...], wrong: Act) -> None:
    with pytest.raises(InvalidInput):
        after(*before, wrong)


def test_agreeing_needs_no_reason() -> None:
    assert after(judged("greeting", Outcome.PASSED, reason="")).item("greeting").reviewed is not None


def test_an_appeal_comes_in_time_or_not_at_all() -> None:
    late = act(ActKind.APPEALED, SELLER, reason="x", at=NOON + timedelta(days=7, seconds=1))
    with pytest.raises(IllegalTransition):
        after(*REVIEWED, late)
    case = after(*REVIEWED)
    assert not case.closed(NOON + timedelta(days=7))
    assert case.closed(NOON + timedelta(days=7, seconds=1))


def test_whoever_reviewed_before_a_reopening_does_not_settle_either() -> None:
    again = (*REVIEWED, act(ActKind.REOPENED, LAO, reason="听漏了"), handed_in(LAO))
    with pytest.raises(Forbidden):
        after(*again, act(ActKind.APPEALED, SELLER, reason="x"), act(ActKind.SETTLED, MEI, reason="x"))


def test_two_on_one_item_is_a_conflict_and_on_two_items_is_none() -> None:
    acts = [opened(), Act(2, ActKind.JUDGED, LAO, NOON, "greeting", Outcome.FAILED, "x")]
    check_seen(acts, 1, ["rude"])
    check_seen(acts, 2, ["greeting"])
    with pytest.raises(OutOfDate, match="greeting"):
        check_seen(acts, 1, ["greeting"])
    with pytest.raises(OutOfDate, match="reviewed"):
        check_seen([*acts, Act(3, ActKind.REVIEWED, LAO, NOON)], 2, ["rude"])


class Reviewing(RuleBasedStateMachine):
    """People do anything in any order; a second book is kept by hand beside the log."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Act] = []
        self.book: dict[str, list[Outcome]] = {}
        self.seen: list[tuple[Act, ...]] = []

    @initialize()
    def begin(self) -> None:
        self.log = [opened()]
        self.book = {
            name: [item.automatic.outcome] for name, item in zip(ITEMS, self.case.items, strict=True)
        }

    @property
    def case(self) -> Case:
        return replay(self.log)

    @rule(
        kind=st.sampled_from([kind for kind in ActKind if kind is not ActKind.OPENED]),
        actor=st.sampled_from([MEI, LAO, SELLER]),
        item=st.sampled_from(ITEMS),
        outcome=st.sampled_from(Outcome),
        reason=st.sampled_from(["", "听过录音"]),
        assignee=st.sampled_from([None, "mei", "lao.li", "he.yun"]),
        days=st.integers(0, 10),
    )
    def something_is_done(
        self,
        kind: ActKind,
        actor: Actor,
        item: str,
        outcome: Outcome,
        reason: str,
        assignee: str | None,
        days: int,
    ) -> None:
        moment = max(self.log[-1].at, NOON + timedelta(days=days))
        payload: dict[str, Json] = {
            "assignee": assignee,
            "appeal_until": (moment + timedelta(days=7)).isoformat(),
        }
        before = self.case
        judged = kind is ActKind.JUDGED
        named = (item if judged else None, outcome if judged else None)
        done = Act(len(self.log) + 1, kind, actor, moment, named[0], named[1], reason, payload)
        try:
            case = advance(before, done)
        except HuaxiangError:
            assert self.case == before
            return
        self.log.append(done)
        if kind is ActKind.JUDGED:
            self.book[item].append(outcome)
        assert replay(self.log) == case

    @invariant()
    def what_holds_is_what_was_said_last(self) -> None:
        for item in self.case.items if self.log else ():
            said = self.book[item.automatic.id]
            assert item.final is said[-1]
            assert item.automatic.outcome is said[0]

    @invariant()
    def nothing_that_was_said_changes(self) -> None:
        self.seen.append(tuple(self.log))
        assert all(tuple(self.log[: len(earlier)]) == earlier for earlier in self.seen[-3:])

    @invariant()
    def nobody_settles_what_they_reviewed_or_sold(self) -> None:
        settlers = {one.actor for one in self.log if one.kind is ActKind.SETTLED}
        reviewers = {one.actor for one in self.log if one.kind is ActKind.REVIEWED}
        assert not settlers & (reviewers | {SELLER})


TestReviewing = Reviewing.TestCase
TestReviewing.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
