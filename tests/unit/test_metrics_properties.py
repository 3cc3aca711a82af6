"""What holds of the metrics in every conversation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.core.types import Role, Transcript, Turn
from huaxiang.nlp.metrics import conversation_metrics
from huaxiang.nlp.metrics.intervals import gaps, length, union

TEXTS = st.sampled_from(
    ["嗯", "对对", "您好", "这个多少钱一年？", "呃，我们有四十个人", "太贵了吧", "ok", "……", "6400块"]
)
ROLES = st.sampled_from([Role.AGENT, Role.CUSTOMER, Role.CUSTOMER, Role.AGENT, Role.UNKNOWN])
TURN = st.tuples(ROLES, st.integers(0, 120_000), st.integers(0, 30_000), TEXTS)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    said = sorted(draw(st.lists(TURN, max_size=12)), key=lambda turn: turn[1])
    return Transcript(
        "r",
        tuple(
            Turn(index=index, role=role, start_ms=start, end_ms=start + lasting, text=text)
            for index, (role, start, lasting, text) in enumerate(said)
        ),
        duration_ms=200_000,
    )


def measured(transcript: Transcript) -> dict[str, Any]:
    return dict(conversation_metrics(transcript, ())[0])


@given(transcripts())
def test_talk_time_adds_up(transcript: Transcript) -> None:
    time = measured(transcript).get("talk_time_ms")
    if time is not None and "sum" in time:
        assert time["union"] <= time["sum"]
        assert time["overlap"] == time["sum"] - time["union"] >= 0
        assert max(time["agent"], time["customer"]) <= time["union"]


@given(transcripts())
def test_shares_are_shares(transcript: Transcript) -> None:
    metrics = measured(transcript)
    assert 0 <= metrics.get("talk_ratio", 0) <= 1
    assert 0 <= metrics.get("agent_talk_pct", 0) <= 100
    assert 0 <= metrics.get("non_talk", {"share": 0})["share"] <= 1
    assert 0 <= metrics.get("quality", {"known_role_share": 0})["known_role_share"] <= 1


@given(transcripts(), st.integers(1, 500_000))
def test_a_later_start_changes_no_more_than_the_clock(transcript: Transcript, shift_ms: int) -> None:
    later = replace(
        transcript,
        turns=tuple(
            replace(turn, start_ms=turn.start_ms + shift_ms, end_ms=turn.end_ms + shift_ms)
            for turn in transcript.turns
        ),
    )
    before, after = measured(transcript), measured(later)
    for name in (
        "talk_time_ms", "talk_ratio", "back_channel", "speech_rate", "longest_monologue_ms", "patience_ms",
        "longest_customer_story_ms", "question_count", "filler_rate", "sentiment", "quality",
    ):  # fmt: skip
        assert before.get(name) == after.get(name)
    if "duration_ms" in before:
        assert after["duration_ms"] - before["duration_ms"] == shift_ms
        assert len(after.get("interruption", [])) == len(before.get("interruption", []))


@given(transcripts(), st.randoms(use_true_random=False))
def test_the_order_in_which_turns_arrive_changes_nothing(transcript: Transcript, chance: Random) -> None:
    turns = list(transcript.turns)
    chance.shuffle(turns)
    assert conversation_metrics(replace(transcript, turns=tuple(turns)), ()) == conversation_metrics(
        transcript, ()
    )


@given(transcripts())
def test_the_order_of_the_parties_is_a_mirror(transcript: Transcript) -> None:
    swapped = {Role.AGENT: Role.CUSTOMER, Role.CUSTOMER: Role.AGENT, Role.UNKNOWN: Role.UNKNOWN}
    mirror = replace(
        transcript, turns=tuple(replace(turn, role=swapped[turn.role]) for turn in transcript.turns)
    )
    one, other = measured(transcript), measured(mirror)
    if "talk_ratio" in one:
        assert one["talk_time_ms"]["agent"] == other["talk_time_ms"]["customer"]
        assert one["back_channel"]["agent"] == other["back_channel"]["customer"]
        assert one.get("interactivity") == other.get("interactivity")


INTERVALS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=20)


@given(INTERVALS)
def test_a_union_is_disjoint_and_never_longer(intervals: list[tuple[int, int]]) -> None:
    joined = union(intervals)
    assert all(one[1] < other[0] for one, other in pairwise(joined))
    assert length(joined) <= sum(max(0, end - start) for start, end in intervals)
    if joined:
        assert length(joined) + length(gaps(intervals)) == joined[-1][1] - joined[0][0]
