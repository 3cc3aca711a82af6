"""Words go to speakers, speakers get roles; what cannot be told stays unknown and says so."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from invented_voices import CUSTOMER_HZ, SELLER_HZ, Said, activity, alternating, spoken

from huaxiang.asr.attribution import Attributor, ChannelSpeech, overlapped, word_speakers
from huaxiang.asr.diarization import Diarizer, SpeakerSegment
from huaxiang.asr.normalise import MandarinNormaliser
from huaxiang.asr.roles import RoleJudge
from huaxiang.asr.seller_talk import SHIPPED_WEIGHTS, SellerTalk
from huaxiang.asr.speaker_encoder import KnownVoice, ScriptedSpeakerEncoder
from huaxiang.asr.turns import Speech
from huaxiang.core.types import CallMetadata, Role, Skipped, Turn, Word

SELLER_LINES = ("您好我是云帆软件的小何", "给您介绍一下我们这款产品", "您看您这边方便加个微信吗")
BUYER_LINES = ("多少钱一年", "你们这个太贵了我再考虑考虑", "我跟我老公商量一下再说吧")
EMPTY_LINES = ("嗯", "嗯")


def words_in(said: Said, text: str) -> tuple[Word, ...]:
    start_ms, end_ms, _ = said
    step = (end_ms - start_ms) // len(text)
    return tuple(
        Word(start_ms + at * step, start_ms + (at + 1) * step, char, 0.9) for at, char in enumerate(text)
    )


def attributed(
    first: tuple[str, ...],
    second: tuple[str, ...],
    known: tuple[KnownVoice, ...] = (),
    seller: str | None = None,
    diarize: bool = True,
) -> tuple[tuple[Turn, ...], tuple[Skipped, ...]]:
    """One channel on which a low and a high voice take turns, saying these lines."""
    said = alternating(12, SELLER_HZ, CUSTOMER_HZ)
    words = [
        word
        for at, stretch in enumerate(said)
        for word in words_in(stretch, (first, second)[at % 2][at // 2 % len((first, second)[at % 2])])
    ]
    audio = spoken(said, said[-1][1] + 500)
    attributor = Attributor(
        MandarinNormaliser(),
        RoleJudge(SellerTalk.load(SHIPPED_WEIGHTS)),
        Diarizer(ScriptedSpeakerEncoder()) if diarize else None,
        known=lambda: known,
    )
    heard = ChannelSpeech(tuple(words), activity(said, audio))
    return attributor.attribute(audio, [heard], CallMetadata(seller=seller))


def voice_of(pitch: int, seller: str = "小何", encoder: str = "scripted-voices@0") -> KnownVoice:
    clip = spoken([(0, 1600, pitch)], 1600).read(0, 0, 1600)
    return KnownVoice(seller, encoder, ScriptedSpeakerEncoder().embed([clip])[0])


def test_turns_of_one_channel_are_told_by_voice_and_named_by_what_they_say() -> None:
    turns, skipped = attributed(SELLER_LINES, BUYER_LINES)
    assert [turn.role for turn in turns] == [Role.AGENT, Role.CUSTOMER] * 6
    assert [turn.speaker for turn in turns] == ["speaker-1", "speaker-2"] * 6
    assert all(turn.role_confidence > 0.9 and turn.channel == 0 for turn in turns)
    assert skipped == ()


def test_roles_do_not_depend_on_who_speaks_first() -> None:
    turns, _ = attributed(BUYER_LINES, SELLER_LINES)
    assert [turn.role for turn in turns] == [Role.CUSTOMER, Role.AGENT] * 6


def test_roles_stay_unknown_where_both_say_the_same() -> None:
    turns, skipped = attributed(EMPTY_LINES, EMPTY_LINES)
    assert {turn.role for turn in turns} == {Role.UNKNOWN}
    assert {turn.role_confidence for turn in turns} == {0.0}
    assert {turn.speaker for turn in turns} == {"speaker-1", "speaker-2"}
    assert [note.code for note in skipped] == ["no_cue"]


def test_an_enrolled_voice_tells_the_seller_where_words_do_not() -> None:
    turns, _ = attributed(EMPTY_LINES, EMPTY_LINES, (voice_of(CUSTOMER_HZ),), seller="小何")
    assert [turn.role for turn in turns] == [Role.CUSTOMER, Role.AGENT] * 6


def test_a_voice_of_another_encoder_tells_nothing() -> None:
    turns, _ = attributed(EMPTY_LINES, EMPTY_LINES, (voice_of(CUSTOMER_HZ, encoder="other@1"),), "小何")
    assert {turn.role for turn in turns} == {Role.UNKNOWN}


def test_an_enrolled_voice_that_nobody_resembles_tells_nothing() -> None:
    turns, _ = attributed(EMPTY_LINES, EMPTY_LINES, (voice_of(1450),))
    assert {turn.role for turn in turns} == {Role.UNKNOWN}


def test_without_a_diarizer_one_channel_is_one_unknown_speaker() -> None:
    turns, skipped = attributed(SELLER_LINES, BUYER_LINES, diarize=False)
    assert {(turn.role, turn.speaker) for turn in turns} == {(Role.UNKNOWN, "speaker-1")}
    assert [note.code for note in skipped] == ["one_channel"]


SEGMENTS = (SpeakerSegment(0, 1000, 0), SpeakerSegment(1000, 2000, 1), SpeakerSegment(3000, 4000, 0))


def test_a_word_goes_to_the_speaker_who_covers_most_of_it() -> None:
    words = [Word(800, 1100, "好", 1.0), Word(900, 1400, "的", 1.0)]
    assert word_speakers(words, SEGMENTS) == [0, 1]


def test_a_word_outside_all_speech_goes_to_the_nearest() -> None:
    words = [Word(2050, 2150, "嗯", 1.0), Word(2800, 2900, "嗯", 1.0), Word(4500, 4600, "嗯", 1.0)]
    assert word_speakers(words, SEGMENTS) == [1, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 800)), max_size=30))
def test_every_word_gets_one_speaker(places: list[tuple[int, int]]) -> None:
    words = [Word(start, start + length, "字", 1.0) for start, length in sorted(places)]
    assert len(word_speakers(words, SEGMENTS)) == len(words)
    assert set(word_speakers(words, SEGMENTS)) <= {0, 1}


def speech(channel: int, start_ms: int, end_ms: int) -> Speech:
    return Speech(channel, (Word(start_ms, end_ms, "字", 1.0),))


def test_turns_that_speak_over_each_other_are_marked() -> None:
    turns = [speech(0, 0, 2000), speech(1, 1000, 1300), speech(1, 2100, 3000), speech(0, 2950, 4000)]
    assert overlapped(turns) == {0, 1}


def test_both_channels_of_a_stereo_call_are_marked_where_they_overlap() -> None:
    heard = [
        ChannelSpeech(words_in((0, 3000, 0), SELLER_LINES[0]), np.ones(100, np.float32)),
        ChannelSpeech(words_in((1000, 1400, 0), "嗯"), np.ones(100, np.float32)),
    ]
    attributor = Attributor(MandarinNormaliser(), RoleJudge(SellerTalk.load(SHIPPED_WEIGHTS)))
    turns, _ = attributor.attribute(spoken([], 3200), heard, CallMetadata(agent_channel=0))
    assert [(turn.channel, turn.overlap, turn.speaker) for turn in turns] == [
        (0, True, "speaker-1"),
        (1, True, "speaker-2"),
    ]
