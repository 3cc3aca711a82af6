"""Labels for recognised turns that were cut elsewhere than the true ones."""

from __future__ import annotations

from huaxiang.core.types import Role, Transcript, Turn
from huaxiang.nlp.alignment import TimedTruth
from huaxiang.nlp.conversation_file import TurnTruth
from huaxiang.nlp.heard import labelled_as_heard

ASKS = TurnTruth(intents=frozenset({"inquire_price"}))
OBJECTS = TurnTruth(objection="price", sentiment="negative")
GREETS = TurnTruth(acts=frozenset({"greeting"}))
TRUE_TURNS = (
    TimedTruth(Role.AGENT, 0, 2000, "您好", GREETS),
    TimedTruth(Role.CUSTOMER, 2200, 4000, "多少钱", ASKS),
    TimedTruth(Role.CUSTOMER, 4100, 6000, "太贵了", OBJECTS),
)


def _heard(*turns: tuple[Role, int, int]) -> Transcript:
    return Transcript(
        "call",
        tuple(
            Turn(place, role, start, end, f"第{place}句") for place, (role, start, end) in enumerate(turns)
        ),
        duration_ms=20_000,
    )


def test_each_turn_that_was_heard_alone_has_its_own_labels() -> None:
    heard = labelled_as_heard(
        TRUE_TURNS, _heard((Role.AGENT, 0, 2000), (Role.CUSTOMER, 2200, 4000), (Role.CUSTOMER, 4100, 6000))
    )
    assert [truth for _, truth in heard] == [GREETS, ASKS, OBJECTS]
    assert [turn.text for turn, _ in heard] == ["第0句", "第1句", "第2句"]


def test_turns_run_together_have_the_labels_of_both() -> None:
    (_, first), (_, second) = labelled_as_heard(
        TRUE_TURNS, _heard((Role.AGENT, 0, 2000), (Role.CUSTOMER, 2200, 6000))
    )
    assert first == GREETS
    assert second == TurnTruth(intents=ASKS.intents, objection="price", sentiment="negative")


def test_of_a_turn_heard_in_two_the_longer_part_has_the_labels() -> None:
    heard = labelled_as_heard(
        TRUE_TURNS[:2],
        _heard((Role.AGENT, 0, 2000), (Role.CUSTOMER, 2200, 2800), (Role.CUSTOMER, 2900, 4000)),
    )
    assert [truth for _, truth in heard] == [GREETS, TurnTruth(), ASKS]


def test_a_party_that_was_mistaken_is_put_right() -> None:
    ((turn, truth),) = labelled_as_heard(TRUE_TURNS[1:2], _heard((Role.UNKNOWN, 2200, 4000)))
    assert turn.role is Role.CUSTOMER
    assert truth == ASKS


def test_speech_of_nobody_and_turns_not_heard_are_left_out() -> None:
    heard = labelled_as_heard(TRUE_TURNS, _heard((Role.AGENT, 9000, 9900), (Role.CUSTOMER, 4100, 6000)))
    assert [(turn.index, truth) for turn, truth in heard] == [(0, OBJECTS)]
