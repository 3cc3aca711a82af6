"""What a seller should practise next: at most three things, and why just these.

priority = gap × matter × confidence, where

* ``gap`` is how far the seller is from the colleagues' conversations, as Cliff's delta (of yes or no:
  the difference of the shares);
* ``matter`` is the share of a call's points that a miss costs, plus how strongly the behaviour goes with
  won conversations in this company's data, where that was found (``behaviours``), else plus nothing;
* ``confidence`` is 1 − p of the difference to the colleagues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from huaxiang.profile.coaching.behaviours import Behaviours, Verdict
from huaxiang.profile.coaching.calls import Call
from huaxiang.profile.coaching.figures import Figure, bounds_of, difference, estimate, values
from huaxiang.profile.coaching.statistics import Estimate, cliffs_delta

AT_MOST = 3
MIN_CALLS = 5
MIN_CONFIDENCE = 0.8
PRACTISABLE = frozenset(
    {"talk_ratio", "questions", "monologue_s", "response_s", "speech_rate", "filler_rate", "interruptions"}
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing to practise.

    ``topic`` is ``item.<id>``, ``act.<label>`` or ``metric.<name>``; ``more`` says that more of it (or a
    higher value) would be better. ``points_share`` and ``association`` are the two parts of ``matter``;
    ``association`` is 0 where this company's data shows none.
    """

    topic: str
    more: bool
    own: Estimate
    others: Estimate
    gap: float
    points_share: float
    association: float
    confidence: float

    @property
    def priority(self) -> float:
        """What suggestions are ranked by, 0 and up."""
        return self.gap * (self.points_share + self.association) * self.confidence


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The first few things to practise; ``calls_needed`` is not 0 where there are too few conversations."""

    found: tuple[Suggestion, ...]
    calls_needed: int


def suggest(
    own: Sequence[Call], others: Sequence[Call], known: Behaviours, at_most: int = AT_MOST
) -> Suggestions:
    """Return what to practise, the most worthwhile first; nothing that chance may well have made."""
    needed = max(0, MIN_CALLS - min(len(own), len(others)))
    if needed:
        return Suggestions((), needed)
    found = [
        suggestion
        for topic, (more, points_share, association) in _topics(own, others, known).items()
        if (suggestion := _judge(topic, more, points_share, association, own, others)) is not None
    ]
    found.sort(key=lambda s: (-s.priority, s.topic))
    return Suggestions(tuple(found[:at_most]), 0)


def _topics(
    own: Sequence[Call], others: Sequence[Call], known: Behaviours
) -> Mapping[str, tuple[bool, float, float]]:
    """Return what could be practised: whether more is better, its share of points, its association."""
    decisive = {behaviour.key: behaviour for behaviour in known.decisive}
    together = [*own, *others]
    topics: dict[str, tuple[bool, float, float]] = {}
    items = {item for call in together for item in call.items}
    for item in items:
        behaviour = decisive.get(f"item.{item}")
        won = behaviour is not None and behaviour.verdict is Verdict.MORE_IN_WON
        association = behaviour.delta.value if won and behaviour and behaviour.delta else 0.0
        topics[f"item.{item}"] = (True, _points_share(item, together), association)
    for key, behaviour in decisive.items():
        kind, name = key.split(".", 1)
        usable = name in PRACTISABLE if kind == "metric" else kind == "act" and name not in items
        if usable and behaviour.delta is not None:
            more = behaviour.verdict is Verdict.MORE_IN_WON
            topics[key] = (more, 0.0, abs(behaviour.delta.value))
    return topics


def _points_share(item: str, calls: Sequence[Call]) -> float:
    """Return what a miss of the item costs on average, as a share of the call's possible points."""
    costs = [
        call.items[item].lost / call.possible
        for call in calls
        if item in call.items and call.items[item].passed is False and call.possible > 0
    ]
    return fmean(costs) if costs else 0.0


def _judge(
    topic: str,
    more: bool,
    points_share: float,
    association: float,
    own: Sequence[Call],
    others: Sequence[Call],
) -> Suggestion | None:
    yes_or_no = not topic.startswith("metric.")
    mine, theirs = values(topic, own), values(topic, others)
    if min(len(mine), len(theirs)) < MIN_CALLS:
        return None
    gap = cliffs_delta(theirs, mine).value * (1 if more else -1)
    apart = difference(mine, theirs, yes_or_no)
    first, second = (estimate(found, yes_or_no, bounds_of(topic)) for found in (mine, theirs))
    if apart is None or apart.p is None or first is None or second is None:
        return None
    suggestion = Suggestion(
        topic=topic,
        more=more,
        own=first,
        others=second,
        gap=gap,
        points_share=points_share,
        association=association,
        confidence=1 - apart.p,
    )
    worthwhile = gap > 0 and suggestion.confidence >= MIN_CONFIDENCE and suggestion.priority > 0
    return suggestion if worthwhile else None


def moved(before: Figure, more: bool) -> bool | None:
    """Return whether a figure moved for the better beyond chance; None where nobody can tell yet."""
    change = before.change
    if change is None or change.low is None or change.high is None:
        return None
    if change.low > 0:
        return more
    return not more if change.high < 0 else None
