"""What became of each objection: the answer it got, how the customer took it, what followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from huaxiang.core.evidence import quote
from huaxiang.core.types import Evidence, Finding, FindingKind, Json, Role, Transcript

SOURCE = "objection-course @ 1"
ANSWER_WITHIN_TURNS = 6
FOLLOWS_WITHIN_TURNS = 6
ANSWERS = frozenset({"objection_handling", "empathy", "value_evidence"})
SETTLED = frozenset({"agree_next_step", "purchase_intent", "request_demo", "request_material"})
REFUSED = frozenset({"reject"})
_MOOD = {"negative": -1, "neutral": 0, "positive": 1}


def objection_courses(transcript: Transcript, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give one finding an objection, on the evidence of the objection, its answer and the reaction.

    The value holds its ``status``, the turns of ``objection``, ``answer`` and ``reaction`` (null where
    there is none), ``sentiment_change`` from the objection to the reaction (−2 … 2), and
    ``followed_by``, the customer's intents after the answer. An objection is ``answered`` where the seller
    answered it and the customer neither raised it again nor refused; else it is ``open``.
    """
    raised = sorted(
        (finding for finding in findings if finding.kind is FindingKind.OBJECTION), key=lambda f: f.turn
    )
    for place, objection in enumerate(raised):
        later = [other.turn for other in raised[place + 1 :]]
        again = [other.turn for other in raised[place + 1 :] if other.label == objection.label]
        yield _course(transcript, findings, objection, later, again)


def _course(
    transcript: Transcript,
    findings: Sequence[Finding],
    objection: Finding,
    later: Sequence[int],
    again: Sequence[int],
) -> Finding:
    # An answer after the next objection answers that one.
    end = min([*later, objection.turn + ANSWER_WITHIN_TURNS + 1])
    answers = [
        f
        for f in findings
        if f.kind is FindingKind.ACT and f.label in ANSWERS and objection.turn < f.turn < end
    ]
    handled = [f for f in answers if f.label == "objection_handling"]
    answer = min(handled or answers, key=lambda f: f.turn, default=None)
    reaction = None if answer is None else _next_of_customer(transcript, answer.turn)
    followed = [] if answer is None else _intents_after(findings, answer.turn)
    reached = None if answer is None else answer.turn + FOLLOWS_WITHIN_TURNS
    reopened = reached is not None and any(turn <= reached for turn in again)
    status = "answered" if answer and not reopened and not REFUSED.intersection(followed) else "open"
    moods = {f.turn: _MOOD[f.label] for f in findings if f.kind is FindingKind.SENTIMENT}
    change = None if reaction is None else moods.get(reaction, 0) - moods.get(objection.turn, 0)
    value: dict[str, Json] = {
        "status": status,
        "objection": objection.turn,
        "answer": None if answer is None else answer.turn,
        "reaction": reaction,
        "sentiment_change": change,
        "followed_by": followed,
    }
    evidence = [*objection.evidence, *(answer.evidence if answer else ())]
    evidence += [] if reaction is None else [whole_turn(transcript, reaction)]
    return Finding(
        kind=FindingKind.OBJECTION_COURSE,
        label=objection.label,
        # The objection has to be one, and the answer an answer.
        confidence=round(objection.confidence * (answer.confidence if answer else 1.0), 4),
        source=f"{SOURCE} on {objection.source}",
        evidence=tuple(dict.fromkeys(evidence)),
        value=value,
        for_review=objection.for_review or bool(answer and answer.for_review),
    )


def whole_turn(transcript: Transcript, index: int) -> Evidence:
    """Return a turn as evidence, the whole of it."""
    place = places_of(transcript)[index]
    return quote(transcript, place, 0, len(transcript.turns[place].text))


def places_of(transcript: Transcript) -> Mapping[int, int]:
    """Return where in the transcript the turn of each index stands."""
    return {turn.index: place for place, turn in enumerate(transcript.turns)}


def _next_of_customer(transcript: Transcript, after: int) -> int | None:
    """Return the customer's next turn that is more than a word of listening."""
    turns = [
        turn
        for turn in transcript.turns
        if after < turn.index <= after + FOLLOWS_WITHIN_TURNS and turn.role is not Role.AGENT
    ]
    return next((turn.index for turn in turns if len(turn.text) > 2), turns[0].index if turns else None)


def _intents_after(findings: Sequence[Finding], turn: int) -> list[str]:
    intents = sorted(
        (
            f
            for f in findings
            if f.kind is FindingKind.INTENT and turn < f.turn <= turn + FOLLOWS_WITHIN_TURNS
        ),
        key=lambda f: f.turn,
    )
    return list(dict.fromkeys(f.label for f in intents))
