"""Turns the log of a case of review into rows that can be read. Pure functions, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import groupby

from huaxiang.console.present_review import verdict
from huaxiang.console.recording_view import local_time
from huaxiang.console.texts import Texts
from huaxiang.quality.review.outcomes import Act, ActKind, Outcome


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the history."""

    when: str
    who: str
    what: str
    detail: str = ""


def history(acts: Sequence[Act], titles: Mapping[str, str], text: Texts, zone: tzinfo) -> tuple[Event, ...]:
    """Return everything that was done to a case, newest first; ``titles`` has those of the items.

    What was judged in one go without a reason stands in one row.
    """
    groups = (list(group) for _, group in groupby(reversed(acts), key=_together))
    return tuple(_event(group[0], titles, _judged_words(group, titles, text), text, zone) for group in groups)


def _together(act: Act) -> tuple[object, ...]:
    if act.kind is ActKind.JUDGED and not act.reason:
        return (act.kind, act.actor, act.at)
    return (act.sequence,)


def _judged_words(acts: Sequence[Act], titles: Mapping[str, str], text: Texts) -> str:
    """Return which items came out as what, by outcome."""
    by_outcome = {
        outcome: [
            titles.get(act.item or "", act.item or "") for act in reversed(acts) if act.outcome is outcome
        ]
        for outcome in Outcome
    }
    comma = text("list.comma")
    parts = [
        f"{comma.join(names)} → {verdict(outcome, text)}" for outcome, names in by_outcome.items() if names
    ]
    return " · ".join(parts)


def _event(act: Act, titles: Mapping[str, str], judged: str, text: Texts, zone: tzinfo) -> Event:
    what = text(f"did.{act.kind.value}")
    if act.kind is ActKind.JUDGED:
        what = f"{what} {judged}"
    if act.kind is ActKind.ASSIGNED:
        assignee = act.payload.get("assignee")
        what = f"{what} {assignee}" if assignee else text("review.history.given_back")
    if act.kind is ActKind.APPEALED:
        named = act.payload.get("items")
        if isinstance(named, list | tuple) and named:
            what = f"{what} {text('list.comma').join(titles.get(str(one), str(one)) for one in named)}"
    return Event(local_time(act.at, zone), act.actor.name, what, act.reason)
