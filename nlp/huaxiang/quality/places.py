"""Finds the part of a conversation that a condition searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from huaxiang.core.types import Turn, Window
from huaxiang.quality.condition_types import Anchored, Condition, Place, Where
from huaxiang.quality.heard import Heard
from huaxiang.quality.verdicts import Hit, Verdict, cannot_tell, quoted_words

MOST_ANCHORS = 500
"""A condition that hits more often than this is stood by only so many times."""
Judge = Callable[[Condition, Heard], Verdict]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Turns that are searched together, the window that they make, and the hit they are found from."""

    turns: Sequence[Turn]
    window: Window
    anchor: Hit | None = None


def stretches(where: Where, heard: Heard, judge: Judge) -> list[Stretch] | Verdict:
    """Return the stretches that a place stands for: one, or for ``each`` one a hit of the other condition.

    Where the place cannot be found (seconds of a typed conversation, a hit that is not there) the
    verdict says so.
    """
    if not heard.timed and where.unit == "seconds":
        return cannot_tell("no_seconds")
    if isinstance(where, Place):
        turns = turns_in(where, heard)
        return [Stretch(turns, _window_of_place(where, heard, turns))]
    return _around_hits(where, heard, judge)


def whole_window(heard: Heard) -> Window:
    """Return the window of the whole conversation."""
    return _window_of_place(Place(), heard, heard.turns)


def turns_in(place: Place, heard: Heard) -> Sequence[Turn]:
    """Return the turns of a place, in their order."""
    turns = heard.turns
    if place.unit == "turns":
        count = int(place.amount)
        return turns[:count] if place.end == "first" else turns[max(len(turns) - count, 0) :]
    if place.unit == "percent" and place.amount >= 100:
        return turns
    if not heard.timed:
        count = max(1, round(len(turns) * place.amount / 100))
        return turns[:count] if place.end == "first" else turns[-count:]
    first_ms, last_ms = _bounds(place, heard)
    return [turn for turn in turns if turn.end_ms > first_ms and turn.start_ms < last_ms]


def _bounds(place: Place, heard: Heard) -> tuple[int, int]:
    length = heard.duration_ms
    span = place.amount * 1000 if place.unit == "seconds" else length * place.amount / 100
    return (0, min(round(span), length)) if place.end == "first" else (max(length - round(span), 0), length)


def _window_of_place(place: Place, heard: Heard, turns: Sequence[Turn]) -> Window:
    if heard.timed and place.unit != "turns":
        first, last = (turns[0].index, turns[-1].index) if turns else (0, 0)
        return Window(*_bounds(place, heard), first, last)
    return _window_of_turns(turns, heard)


def _window_of_turns(turns: Sequence[Turn], heard: Heard) -> Window:
    first, last = (turns[0].index, turns[-1].index) if turns else (0, 0)
    if not heard.timed:
        return Window(None, None, first, last)
    start, end = (turns[0].start_ms, max(turn.end_ms for turn in turns)) if turns else (0, 0)
    return Window(start, end, first, last)


def _around_hits(where: Anchored, heard: Heard, judge: Judge) -> list[Stretch] | Verdict:
    other = judge(where.of, heard)
    hits = sorted(other.hits, key=lambda hit: hit.turn)[:MOST_ANCHORS]
    if isinstance(where.hit, int):
        hits = hits[where.hit - 1 : where.hit]
    elif where.hit == "last":
        hits = hits[-1:]
    if not hits or other.holds is not True:
        return cannot_tell("no_anchor", where.name)
    found = [_beside(where, hit, heard) for hit in hits]
    if where.hit == "each" or len(found) == 1:
        return found
    together = {turn.index: turn for stretch in found for turn in stretch.turns}
    turns = sorted(together.values(), key=lambda turn: heard.place_of(turn.index) or 0)
    return [Stretch(turns, _joined([stretch.window for stretch in found]), hits[0])]


def _beside(where: Anchored, hit: Hit, heard: Heard) -> Stretch:
    place = heard.place_of(hit.turn) or 0
    if where.unit == "turns":
        turns = _turns_beside(where, place, heard)
        return Stretch(turns, _window_of_turns(turns or heard.turns[place : place + 1], heard), hit)
    start_ms, end_ms = _time_of(hit, heard)
    near, far = round(where.nearest * 1000), round(where.farthest * 1000)
    low, high = {
        "after": (end_ms + near, end_ms + far),
        "before": (start_ms - far, start_ms - near),
        "around": (start_ms - far, end_ms + far),
    }[where.side]
    kept = [
        turn
        for position, turn in enumerate(heard.turns)
        if turn.end_ms > low and turn.start_ms < high and _on_side(where, position - place)
    ]
    low, high = max(low, 0), min(max(high, 0), max(heard.duration_ms, 0))
    first, last = (kept[0].index, kept[-1].index) if kept else (hit.turn, hit.turn)
    return Stretch(kept, Window(min(low, high), high, first, last), hit)


def _on_side(where: Anchored, distance: int) -> bool:
    """Tell whether a turn so many turns after the hit's own is on the right side of it."""
    return where.side == "around" or (distance > 0 if where.side == "after" else distance < 0)


def _turns_beside(where: Anchored, place: int, heard: Heard) -> Sequence[Turn]:
    near, far = int(where.nearest), int(where.farthest)
    after = heard.turns[place + near : place + far + 1] if where.side != "before" else ()
    if where.side == "after":
        return after
    before = heard.turns[max(place - far, 0) : max(place - near + 1, 0)]
    if where.side == "before":
        return before
    return [*before, *(turn for turn in after if turn not in before)] if near == 0 else [*before, *after]


def _time_of(hit: Hit, heard: Heard) -> tuple[int, int]:
    """Return the start and end of a hit in ms."""
    if hit.bounds is not None:
        return hit.bounds
    evidence = quoted_words(heard, hit.quotes[0])
    return evidence.start_ms or 0, evidence.end_ms or 0


def _joined(windows: Sequence[Window]) -> Window:
    starts = [window.start_ms for window in windows if window.start_ms is not None]
    ends = [window.end_ms for window in windows if window.end_ms is not None]
    return Window(
        min(starts, default=None),
        max(ends, default=None),
        min(window.first_turn for window in windows),
        max(window.last_turn for window in windows),
    )
