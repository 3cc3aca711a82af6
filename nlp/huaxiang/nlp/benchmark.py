"""Measures the language stage: whole conversations at once beside the plain loop over turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from huaxiang.core.types import Json, Turn
from huaxiang.nlp.classifier import Classifier, TurnLabels
from huaxiang.nlp.windows import CONTEXT_AFTER_TURNS, CONTEXT_BEFORE_TURNS


def benchmark_nlp(
    conversations: Sequence[Sequence[Turn]],
    classifier: Classifier,
    plain: Classifier,
    advance: Callable[[float], None],
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Json]:
    """Classify conversations both ways, in turn, and return the speeds.

    ``turns_per_s`` is ours, ``plain_turns_per_s`` that of ``plain`` given one turn at a time with as much
    context, ``ratio`` the one over the other, and ``same_labels`` the share of turns that both label
    alike. Each conversation goes through both before the next, so that neither has the quieter machine.
    """
    turns, seconds, plain_seconds, alike = 0, 0.0, 0.0, 0
    classifier.classify(conversations[0])
    plain.classify(conversations[0][:1])
    for done, conversation in enumerate(conversations, start=1):
        marks = [clock()]
        ours = classifier.classify(conversation)
        marks.append(clock())
        theirs = one_at_a_time(plain, conversation)
        marks.append(clock())
        turns += len(conversation)
        seconds += marks[1] - marks[0]
        plain_seconds += marks[2] - marks[1]
        alike += sum(_chosen(a) == _chosen(b) for a, b in zip(ours, theirs, strict=True))
        advance(done / len(conversations))
    return {
        "turns_per_s": round(turns / seconds, 1),
        "plain_turns_per_s": round(turns / plain_seconds, 1),
        "ratio": round(plain_seconds / seconds, 2),
        "same_labels": round(alike / turns, 4),
        "turns": turns,
    }


def one_at_a_time(classifier: Classifier, turns: Sequence[Turn]) -> list[TurnLabels]:
    """Return the labels of each turn, read by itself with the turns around it as context."""
    labels = []
    for place in range(len(turns)):
        first = max(0, place - CONTEXT_BEFORE_TURNS)
        around = turns[first : place + CONTEXT_AFTER_TURNS + 1]
        labels.append(classifier.classify(around)[place - first])
    return labels


def _chosen(labels: TurnLabels) -> tuple[object, ...]:
    return (
        labels.chosen_intents(),
        labels.chosen_acts(),
        labels.chosen_objection(),
        labels.chosen_sentiment(),
    )
