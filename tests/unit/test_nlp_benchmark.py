"""The measurement of the language stage: both ways see the same turns, and time is counted by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from huaxiang.core.types import Role, Turn
from huaxiang.nlp.benchmark import benchmark_nlp, one_at_a_time
from huaxiang.nlp.classifier import LabelScore, TurnLabels

TURNS = tuple(Turn(place, Role.CUSTOMER, 0, 0, f"第{place}句") for place in range(12))


@dataclass
class Clock:
    """Stands still but for what the classifiers say they take."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Timed:
    """Labels each turn with its index, and takes some seconds a call."""

    clock: Clock
    seconds_a_call: float
    source: str = "timed @ 1"
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def classify(self, turns: Sequence[Turn]) -> Sequence[TurnLabels]:
        self.clock.now_s += self.seconds_a_call
        self.seen.append(tuple(turn.index for turn in turns))
        return [TurnLabels(sentiment=LabelScore(str(turn.index), 1.0, True, 0.0, 0, 1)) for turn in turns]


def test_one_at_a_time_gives_each_turn_with_the_turns_around_it() -> None:
    classifier = Timed(Clock(), 1.0)
    labels = one_at_a_time(classifier, TURNS)
    assert [label.chosen_sentiment() for label in labels] == [str(place) for place in range(12)]
    assert classifier.seen[0] == (0, 1, 2)
    assert classifier.seen[6] == (2, 3, 4, 5, 6, 7, 8)


def test_the_ratio_is_that_of_the_times() -> None:
    clock = Clock()
    report = benchmark_nlp([TURNS], Timed(clock, 2.0), Timed(clock, 1.0), lambda share: None, clock)
    assert report == {
        "turns_per_s": 6.0, "plain_turns_per_s": 1.0, "ratio": 6.0, "same_labels": 1.0, "turns": 12,
    }  # fmt: skip
