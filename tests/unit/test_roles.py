"""Who is the seller, and how sure that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiang.asr.roles import RoleJudge, Voice
from huaxiang.asr.seller_talk import SHIPPED_WEIGHTS, SellerTalk, character_runs
from huaxiang.core.errors import ModelCorrupt
from huaxiang.core.types import Role

TALK = SellerTalk({"卖": 2.0, "买": -2.0}, intercept=0.0, scale=1.0)
JUDGE = RoleJudge(TALK)
SELLER, BUYER, NEITHER = Voice(("卖", "卖")), Voice(("买", "买")), Voice(("嗯", "嗯"))


def roles(*voices: Voice, told: int | None = None) -> list[Role]:
    return [role for role, _ in JUDGE.judge(voices, told).roles]


def test_of_two_the_one_who_talks_like_a_seller_is_the_seller() -> None:
    assert roles(BUYER, SELLER) == [Role.CUSTOMER, Role.AGENT]


def test_two_who_talk_alike_stay_unknown_and_it_says_so() -> None:
    guess = JUDGE.judge([NEITHER, NEITHER])
    assert guess.roles == ((Role.UNKNOWN, 0.0), (Role.UNKNOWN, 0.0))
    assert [note.code for note in guess.skipped] == ["no_cue"]


def test_who_opens_and_who_says_more_counts_where_words_do_not_tell() -> None:
    opening = Voice(NEITHER.said, opens=True)
    assert roles(NEITHER, opening) == [Role.CUSTOMER, Role.AGENT]
    assert roles(Voice(("嗯" * 30,)), Voice(("嗯" * 9,))) == [Role.AGENT, Role.CUSTOMER]
    assert roles(SELLER, Voice(BUYER.said, opens=True)) == [Role.AGENT, Role.CUSTOMER]


def test_a_companion_goes_to_the_side_that_she_talks_like() -> None:
    assert roles(SELLER, BUYER, BUYER) == [Role.AGENT, Role.CUSTOMER, Role.CUSTOMER]
    assert roles(SELLER, SELLER, BUYER) == [Role.AGENT, Role.AGENT, Role.CUSTOMER]


def test_one_who_says_nothing_among_three_stays_unknown() -> None:
    assert roles(SELLER, BUYER, Voice(()))[2] is Role.UNKNOWN


def test_a_voice_alone_is_judged_by_itself() -> None:
    assert (roles(SELLER), roles(BUYER), roles(NEITHER)) == ([Role.AGENT], [Role.CUSTOMER], [Role.UNKNOWN])


def test_a_told_channel_is_believed_and_doubted_where_it_is_contradicted() -> None:
    assert JUDGE.judge([NEITHER, NEITHER], told=1).roles == ((Role.CUSTOMER, 1.0), (Role.AGENT, 1.0))
    doubted = JUDGE.judge([Voice(("卖",) * 9), Voice(("买",) * 9)], told=1)
    assert doubted.roles == ((Role.CUSTOMER, 0.5), (Role.AGENT, 0.5))
    assert [note.code for note in doubted.skipped] == ["agent_channel_doubtful"]


@given(
    st.lists(st.sampled_from(["卖", "买", "嗯"]), max_size=8),
    st.lists(st.sampled_from(["卖", "买"]), max_size=8),
)
def test_exchanging_two_voices_exchanges_their_roles(one: list[str], other: list[str]) -> None:
    forward = JUDGE.judge([Voice(tuple(one)), Voice(tuple(other))]).roles
    backward = JUDGE.judge([Voice(tuple(other)), Voice(tuple(one))]).roles
    assert [role for role, _ in forward] == [role for role, _ in backward[::-1]]
    # A sum may differ in its last digit by the order of its parts.
    assert [sure for _, sure in forward] == pytest.approx([sure for _, sure in backward[::-1]])


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_confidence_is_a_probability_over_the_floor_or_nothing(one: float, other: float) -> None:
    for role, confidence in JUDGE.judge([Voice(("卖",), likeness=one), Voice(("买",), likeness=other)]).roles:
        assert confidence == 0.0 if role is Role.UNKNOWN else 0.7 <= confidence <= 1.0


def test_runs_pass_over_marks_and_take_digits_alike() -> None:
    assert character_runs("3，a") == {"0", "a", "0a"}
    assert character_runs("") == frozenset()


def test_the_shipped_weights_know_an_opening_line_from_a_question_for_the_price() -> None:
    talk = SellerTalk.load(SHIPPED_WEIGHTS)
    assert talk.score("您好，这里是云帆软件，我姓何。") > 0 > talk.score("你们这个多少钱啊？")


@pytest.mark.shared
def test_the_shipped_weights_were_made_without_the_recordings_they_are_measured_on(shared_dir: Path) -> None:
    held_out = json.loads(SHIPPED_WEIGHTS.read_text(encoding="utf-8"))["held_out"]
    assert {path.stem for path in (shared_dir / "audio" / "synth").glob("*.json")} == set(held_out)


def test_a_file_that_holds_no_weights_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelCorrupt, match=r"talk\.json"):
        SellerTalk.load(tmp_path / "talk.json")
