"""A case of review as a state machine over its log: pure, so that the log alone says what holds.

::

    opened ─▶ to_review ──reviewed──▶ reviewed ──appealed──▶ appealed ──settled──▶ final
    (待复核)      ▲        (已复核)      │       (申诉中)                (已终审)
                 └─────reopened──────┘

``advance`` takes one act and gives the case after it, or refuses. Replaying a log and judging a new
act are therefore the same function.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from huaxiang.core.errors import Forbidden, IllegalTransition, InvalidInput, NotFound, OutOfDate
from huaxiang.quality.review.outcomes import Act, ActKind, Actor, Automatic, CaseState, Origin, Outcome

MAX_REASON = 1000


@dataclass(frozen=True, slots=True)
class Judged:
    """A person's judgement of an item, by whom and when."""

    outcome: Outcome
    by: Actor
    at: datetime
    reason: str
    sequence: int


@dataclass(frozen=True, slots=True)
class CaseItem:
    """An item with its automatic, reviewed and settled outcome apart."""

    automatic: Automatic
    reviewed: Judged | None = None
    settled: Judged | None = None

    @property
    def final(self) -> Outcome:
        """What holds: settled before reviewed before automatic."""
        judged = self.settled or self.reviewed
        return judged.outcome if judged else self.automatic.outcome


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a seller objects to: some items, or the whole score where none is named."""

    by: Actor
    at: datetime
    reason: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A call under review, as far as its log goes; ``version`` is the sequence of the last act."""

    definition: str
    seller: str | None
    origin: Origin
    opened_at: datetime
    items: tuple[CaseItem, ...]
    version: int = 1
    state: CaseState = CaseState.TO_REVIEW
    assignee: str | None = None
    reviewer: Actor | None = None
    reviewed_at: datetime | None = None
    appeal_until: datetime | None = None
    appeal: Appeal | None = None
    settler: Actor | None = None
    settled_at: datetime | None = None
    request: str = ""
    judges: frozenset[str] = frozenset()

    def item(self, identifier: str) -> CaseItem:
        """Return an item by its id. Raises NotFound."""
        for item in self.items:
            if item.automatic.id == identifier:
                return item
        raise NotFound("the scorecard of this case has no such item")

    def may_appeal(self, now: datetime) -> bool:
        """Tell whether the time for an appeal runs."""
        return self.state is CaseState.REVIEWED and self.appeal_until is not None and now <= self.appeal_until

    def closed(self, now: datetime) -> bool:
        """Tell whether nothing more can come: settled, or reviewed and the time for an appeal over."""
        return self.state is CaseState.FINAL or (
            self.state is CaseState.REVIEWED and not self.may_appeal(now)
        )


def replay(acts: Iterable[Act]) -> Case:
    """Return the case that a log tells. Raises IllegalTransition where it tells none."""
    case = reduce(advance, acts, None)
    if case is None:
        raise IllegalTransition("a case begins with its opening")
    return case


def advance(case: Case | None, act: Act) -> Case:
    """Return the case after an act.

    Raises IllegalTransition where the act does not fit the state, Forbidden where this person may
    not do it, InvalidInput where a reason is missing, NotFound for an unknown item.
    """
    if case is None:
        if act.kind is not ActKind.OPENED:
            raise IllegalTransition("a case begins with its opening")
        return _opened(act)
    if len(act.reason) > MAX_REASON:
        raise InvalidInput(f"a reason has at most {MAX_REASON} characters")
    step = _STEPS.get((case.state, act.kind))
    if step is None:
        raise IllegalTransition(
            f"a case that is {case.state.value} cannot be {act.kind.value}",
            state=case.state.value,
            act=act.kind.value,
        )
    return replace(step(case, act), version=act.sequence)


def check_seen(acts: Iterable[Act], seen: int, items: Iterable[str] = ()) -> None:
    """Raise OutOfDate where somebody did something since ``seen`` that the caller's act is about.

    Judgements of other items do not disturb; one of the same item, and every change of state or of
    the assignment, does.
    """
    wanted = set(items)
    for act in acts:
        if act.sequence <= seen:
            continue
        if act.kind is not ActKind.JUDGED or act.item in wanted:
            what = f"item {act.item} was judged" if act.kind is ActKind.JUDGED else f"it was {act.kind.value}"
            raise OutOfDate(
                f"{what} by somebody else since you opened this case; read it again", sequence=act.sequence
            )


def _opened(act: Act) -> Case:
    items = act.payload["items"]
    assert isinstance(items, list)  # noqa: S101 - written by ourselves
    return Case(
        definition=str(act.payload["definition"]),
        seller=None if act.payload["seller"] is None else str(act.payload["seller"]),
        origin=Origin(str(act.payload["origin"])),
        opened_at=act.at,
        items=tuple(CaseItem(_automatic(item)) for item in items),
        request=act.reason,
    )


def _automatic(document: object) -> Automatic:
    assert isinstance(document, dict)  # noqa: S101 - written by ourselves
    return Automatic(**{**document, "outcome": Outcome(document["outcome"])})


def _assigned(case: Case, act: Act) -> Case:
    assignee = act.payload.get("assignee")
    if assignee is not None and assignee == case.seller:
        raise Forbidden("nobody reviews their own call")
    return replace(case, assignee=None if assignee is None else str(assignee))


def _judged(case: Case, act: Act) -> Case:
    _need_reviewer(case, act)
    return _judge(case, act, "reviewed")


def _judged_finally(case: Case, act: Act) -> Case:
    _need_settler(case, act)
    return _judge(case, act, "settled")


def _judge(case: Case, act: Act, stage: str) -> Case:
    if act.item is None or act.outcome is None:
        raise InvalidInput("a judgement names an item and an outcome")
    item = case.item(act.item)
    before = item.automatic.outcome if stage == "reviewed" else replace(item, settled=None).final
    if act.outcome is not before and not act.reason.strip():
        raise InvalidInput("a judgement that changes an outcome needs a reason", fields="reason")
    judged = Judged(act.outcome, act.actor, act.at, act.reason, act.sequence)
    changed = replace(item, reviewed=judged) if stage == "reviewed" else replace(item, settled=judged)
    judges = case.judges | {act.actor.key} if stage == "reviewed" else case.judges
    return replace(case, items=tuple(changed if one is item else one for one in case.items), judges=judges)


def _reviewed(case: Case, act: Act) -> Case:
    _need_reviewer(case, act)
    if not any(item.reviewed for item in case.items):
        raise IllegalTransition("a review judges at least one item")
    until = act.payload.get("appeal_until")
    return replace(
        case,
        state=CaseState.REVIEWED,
        reviewer=act.actor,
        reviewed_at=act.at,
        appeal_until=datetime.fromisoformat(str(until)) if until else None,
        judges=case.judges | {act.actor.key},
    )


def _reopened(case: Case, act: Act) -> Case:
    if act.actor.name == case.seller:
        raise Forbidden("a seller appeals; reopening is for managers")
    if not act.reason.strip():
        raise InvalidInput("reopening needs a reason", fields="reason")
    return replace(case, state=CaseState.TO_REVIEW, assignee=None, appeal_until=None)


def _appealed(case: Case, act: Act) -> Case:
    if case.seller is None or act.actor.name != case.seller:
        raise Forbidden("only the seller of the call may appeal")
    if not act.reason.strip():
        raise InvalidInput("an appeal needs a reason", fields="reason")
    if not case.may_appeal(act.at):
        raise IllegalTransition("the time for an appeal is over", state=case.state.value)
    named = act.payload.get("items", ())
    items = tuple(str(name) for name in named) if isinstance(named, list | tuple) else ()
    for name in items:
        case.item(name)
    return replace(
        case, state=CaseState.APPEALED, appeal=Appeal(act.actor, act.at, act.reason, items), assignee=None
    )


def _settled(case: Case, act: Act) -> Case:
    _need_settler(case, act)
    if not act.reason.strip():
        raise InvalidInput("the final decision needs a reason", fields="reason")
    return replace(case, state=CaseState.FINAL, settler=act.actor, settled_at=act.at)


def _need_reviewer(case: Case, act: Act) -> None:
    if act.actor.name == case.seller:
        raise Forbidden("nobody reviews their own call")
    if case.assignee is not None and act.actor.name != case.assignee:
        raise Forbidden("this case is assigned to another reviewer; assign it to yourself first")


def _need_settler(case: Case, act: Act) -> None:
    if act.actor.name == case.seller:
        raise Forbidden("nobody settles their own appeal")
    if act.actor.key in case.judges:
        raise Forbidden("an appeal is settled by another person than the reviewer")
    if case.assignee is not None and act.actor.name != case.assignee:
        raise Forbidden("this appeal is assigned to somebody else; assign it to yourself first")


_STEPS = {
    (CaseState.TO_REVIEW, ActKind.ASSIGNED): _assigned,
    (CaseState.TO_REVIEW, ActKind.JUDGED): _judged,
    (CaseState.TO_REVIEW, ActKind.REVIEWED): _reviewed,
    (CaseState.REVIEWED, ActKind.REOPENED): _reopened,
    (CaseState.REVIEWED, ActKind.APPEALED): _appealed,
    (CaseState.APPEALED, ActKind.ASSIGNED): _assigned,
    (CaseState.APPEALED, ActKind.JUDGED): _judged_finally,
    (CaseState.APPEALED, ActKind.SETTLED): _settled,
}
