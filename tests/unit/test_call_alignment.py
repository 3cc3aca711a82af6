"""Judging recognised turns against true ones that were cut elsewhere."""

from __future__ import annotations

from huaxiang.core.evidence import quote
from huaxiang.core.types import Finding, FindingKind, Insights, Role, Transcript, Turn
from huaxiang.nlp.alignment import TimedTruth, align_calls, read_timed_truth, score_aligned
from huaxiang.nlp.conversation_file import TurnTruth

TRUTH = (
    TimedTruth(Role.AGENT, 0, 4000, "您好我是小张", TurnTruth(acts=frozenset({"greeting"}))),
    TimedTruth(
        Role.CUSTOMER,
        4200,
        9000,
        "多少钱，太贵了",
        TurnTruth(intents=frozenset({"inquire_price"}), objection="price"),
    ),
    TimedTruth(Role.AGENT, 8800, 12000, "不贵", TurnTruth()),
)


def _transcript(*turns: tuple[Role, int, int]) -> Transcript:
    return Transcript(
        "call",
        tuple(Turn(place, role, start, end, "字字字字") for place, (role, start, end) in enumerate(turns)),
        duration_ms=12_000,
    )


def _insights(transcript: Transcript, *found: tuple[int, FindingKind, str, float]) -> Insights:
    return Insights(
        tuple(
            Finding(kind, label, confidence, "m @ 1", (quote(transcript, turn),))
            for turn, kind, label, confidence in found
        ),
        {},
    )


def test_parts_of_a_true_turn_are_matched_with_it() -> None:
    transcript = _transcript(
        (Role.AGENT, 100, 3900),
        (Role.CUSTOMER, 4300, 6000),
        (Role.CUSTOMER, 6500, 8900),
        (Role.AGENT, 9000, 11900),
    )
    alignment = align_calls(TRUTH, transcript)
    assert alignment.true_turn == (0, 1, 1, 2)
    assert alignment.recognised(1) == (1, 2)


def test_where_two_speak_at_once_the_party_decides() -> None:
    alignment = align_calls(TRUTH, _transcript((Role.AGENT, 8700, 9100), (Role.CUSTOMER, 8700, 9100)))
    assert alignment.true_turn == (2, 1)


def test_speech_where_there_is_none_matches_nothing() -> None:
    assert align_calls(TRUTH, _transcript((Role.AGENT, 20_000, 21_000))).true_turn == (None,)


def test_a_label_found_in_a_part_counts_for_the_true_turn() -> None:
    transcript = _transcript((Role.CUSTOMER, 4300, 6000), (Role.CUSTOMER, 6500, 8900))
    insights = _insights(
        transcript, (0, FindingKind.INTENT, "inquire_price", 0.9), (1, FindingKind.OBJECTION, "price", 0.8)
    )
    scores = score_aligned(TRUTH, transcript, insights)
    assert scores.intents.micro_f1 == 1.0
    assert scores.any_objection.f1 == 1.0
    assert scores.acts.labels["greeting"].misses == 1


def test_of_two_objections_in_one_true_turn_the_surer_counts() -> None:
    transcript = _transcript((Role.CUSTOMER, 4300, 6000), (Role.CUSTOMER, 6500, 8900))
    insights = _insights(
        transcript, (0, FindingKind.OBJECTION, "trust", 0.4), (1, FindingKind.OBJECTION, "price", 0.8)
    )
    scores = score_aligned(TRUTH, transcript, insights)
    assert scores.objections.labels["price"].hits == 1
    assert scores.objections.labels["trust"].false_alarms == 0


def test_a_label_found_in_invented_speech_is_a_false_alarm() -> None:
    transcript = _transcript((Role.AGENT, 20_000, 21_000))
    scores = score_aligned(TRUTH, transcript, _insights(transcript, (0, FindingKind.ACT, "pitch", 0.9)))
    assert scores.acts.labels["pitch"].false_alarms == 1


def test_the_truth_of_a_call_is_read_from_its_json() -> None:
    turn = {
        "role": "customer",
        "start_ms": 5,
        "end_ms": 9,
        "text": "喂",
        "intents": ["reject"],
        "sentiment": "negative",
    }
    (truth,) = read_timed_truth({"turns": [turn]})
    assert (truth.start_ms, truth.end_ms, truth.role) == (5, 9, Role.CUSTOMER)
    assert truth.truth.intents == {"reject"}
