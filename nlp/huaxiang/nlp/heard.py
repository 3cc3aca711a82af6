"""Labels for recognised turns, so that training sees what a recogniser really writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from huaxiang.core.types import Transcript
from huaxiang.nlp.alignment import TimedTruth, best_match
from huaxiang.nlp.conversation_file import TurnTruth
from huaxiang.nlp.noise import Labelled, join_truths


def labelled_as_heard(truth_turns: Sequence[TimedTruth], transcript: Transcript) -> list[Labelled]:
    """Return the recognised turns of a call with the labels of its true turns.

    A true turn's labels go to the recognised turn in which most of it was heard, of the same party where
    there is a choice, so that a turn which the recogniser ran together has those of all its parts. A
    recognised turn that no true one falls to has none. Its party is that of the true turn that it shares
    most time with; a turn of nobody's is left out, as are the labels of a true turn that was not heard.
    """
    heard_in: dict[int, list[TurnTruth]] = {}
    for true in truth_turns:
        place = best_match(transcript.turns, true)
        if place is not None:
            heard_in.setdefault(place, []).append(true.truth)
    labelled: list[Labelled] = []
    for place, turn in enumerate(transcript.turns):
        said = best_match(truth_turns, turn)
        if said is not None:
            whole = reduce(join_truths, heard_in.get(place, []), TurnTruth())
            labelled.append((replace(turn, index=len(labelled), role=truth_turns[said].role), whole))
    return labelled
