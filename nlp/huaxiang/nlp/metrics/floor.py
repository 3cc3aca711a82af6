"""Who holds the floor: interruptions, monologues, answering time, changes of speaker, silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles

from huaxiang.core.types import Role
from huaxiang.nlp.metrics.intervals import Interval, gaps, overlap
from huaxiang.nlp.metrics.speech import Speech, talk

INTERRUPTION_DELAY_MS = 1000
INTERRUPTION_OVERLAP_MS = 300
MONOLOGUE_GAP_MS = 2000


@dataclass(frozen=True, slots=True)
class Interruption:
    """Who cut in with which turn, from the start of that turn to the end of talking at once."""

    by: Role
    turn: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Patience:
    """Gaps from the end of a customer's turn to the agent's reply, in ms; talking at once counts 0."""

    median: float
    p25: float
    p90: float
    replies: int


def interruptions(
    spoken: Sequence[Speech],
    delay_ms: int = INTERRUPTION_DELAY_MS,
    overlap_ms: int = INTERRUPTION_OVERLAP_MS,
) -> list[Interruption]:
    """Return the turns that start ``delay_ms`` into the other's, overlap ``overlap_ms``, and take the floor.

    To take the floor is to go on speaking after the other has stopped. Listeners' tokens interrupt
    nobody; turns of unknown party are left out.
    """
    found = []
    for speech in spoken:
        if speech.back_channel or speech.role is Role.UNKNOWN:
            continue
        for other in spoken:
            if (
                other.role not in (speech.role, Role.UNKNOWN)
                and not other.back_channel
                and speech.start_ms - other.start_ms >= delay_ms
                and overlap(speech.bounds, other.bounds) >= overlap_ms
                and speech.end_ms > other.end_ms
            ):
                found.append(
                    Interruption(speech.role, speech.turn, speech.start_ms, min(speech.end_ms, other.end_ms))
                )
                break
    return found


def longest_run_ms(spoken: Sequence[Speech], role: Role) -> int:
    """Return a party's longest turn in ms, runs with gaps under 2 s joined.

    A listener's token of the other party does not end a run; any other turn of theirs that starts
    between two turns of the run does.
    """
    longest = 0
    run: Interval | None = None
    for speech in spoken:
        if speech.role is role:
            joined = run is not None and speech.start_ms - run[1] < MONOLOGUE_GAP_MS
            run = (run[0], max(run[1], speech.end_ms)) if run and joined else speech.bounds
            longest = max(longest, run[1] - run[0])
        elif not speech.back_channel:
            run = None
    return longest


def patience(spoken: Sequence[Speech]) -> Patience | None:
    """Return how long the agent waits before answering; ``None`` where the agent never answers."""
    turns = [speech for speech in spoken if not speech.back_channel]
    waits = [
        max(0, reply.start_ms - said.end_ms)
        for said, reply in pairwise(turns)
        if said.role is Role.CUSTOMER and reply.role is Role.AGENT
    ]
    if not waits:
        return None
    if len(waits) == 1:
        return Patience(waits[0], waits[0], waits[0], 1)
    cuts = quantiles(waits, n=20, method="inclusive")
    return Patience(median=cuts[9], p25=cuts[4], p90=cuts[17], replies=len(waits))


def speaker_changes(spoken: Sequence[Speech]) -> int:
    """Return how often the floor passes from one party to the other.

    Listeners' tokens take no floor; turns of unknown party are left out, so that none of them makes a
    change that may not have been.
    """
    turns = [speech for speech in spoken if not speech.back_channel and speech.role is not Role.UNKNOWN]
    return sum(said.role is not reply.role for said, reply in pairwise(turns))


def non_talk(spoken: Sequence[Speech], threshold_ms: int) -> list[Interval]:
    """Return the spans between the first and the last word in which nobody speaks for longer."""
    return [gap for gap in gaps(talk(spoken)) if gap[1] - gap[0] > threshold_ms]
