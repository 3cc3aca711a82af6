"""Who spoke when on one channel, with voices that are tones."""

from __future__ import annotations

import numpy as np
import pytest
from invented_voices import (
    COMPANION_HZ,
    CUSTOMER_HZ,
    SELLER_HZ,
    Said,
    activity,
    alternating,
    spoken,
)

from huaxiang.asr.diarization import Diarization, DiarizationOptions, Diarizer, channels_as_speakers
from huaxiang.asr.speaker_encoder import ScriptedSpeakerEncoder


def diarize(said: list[Said], speakers: int | None = None) -> Diarization:
    audio = spoken(said, said[-1][1] + 500 if said else 2000)
    return Diarizer(ScriptedSpeakerEncoder()).diarize(audio, 0, activity(said, audio), speakers)


def test_two_people_in_turn_are_told_apart() -> None:
    said = alternating(11, SELLER_HZ, CUSTOMER_HZ)
    told = diarize(said)
    assert told.speakers == 2
    assert len(told.segments) == len(said)
    for segment, (start_ms, end_ms, pitch) in zip(told.segments, said, strict=True):
        assert segment.speaker == (pitch == CUSTOMER_HZ)
        assert (segment.start_ms, segment.end_ms) == pytest.approx((start_ms, end_ms), abs=32)


def test_a_change_without_a_pause_is_placed_within_a_fifth_of_a_second() -> None:
    said = alternating(11, SELLER_HZ, CUSTOMER_HZ, pause_ms=0)
    told = diarize(said)
    assert told.speakers == 2
    for segment, (start_ms, _, _) in zip(told.segments, said, strict=True):
        assert abs(segment.start_ms - start_ms) <= 200


def test_one_person_is_one_speaker() -> None:
    assert diarize(alternating(10, SELLER_HZ)).speakers == 1


def test_a_third_person_who_speaks_at_length_is_found() -> None:
    assert diarize(alternating(18, SELLER_HZ, CUSTOMER_HZ, COMPANION_HZ)).speakers == 3


def test_a_short_answer_between_long_turns_is_kept() -> None:
    said = alternating(11, SELLER_HZ, CUSTOMER_HZ)
    last = said[-1][1]
    said += [(last + 400, last + 2400, SELLER_HZ), (last + 2700, last + 3340, CUSTOMER_HZ)]
    assert [segment.speaker for segment in diarize(said).segments[-2:]] == [0, 1]


def test_nobody_speaks_in_silence() -> None:
    told = diarize([])
    assert (told.speakers, told.segments) == (0, ())


def test_a_told_number_of_speakers_is_kept_to() -> None:
    assert diarize(alternating(11, SELLER_HZ, CUSTOMER_HZ), speakers=1).speakers == 1


def test_memory_holds_few_windows_at_once() -> None:
    said = alternating(40, SELLER_HZ, CUSTOMER_HZ)
    audio = spoken(said, said[-1][1])
    sizes: list[int] = []

    class Counting(ScriptedSpeakerEncoder):
        def embed(self, clips):  # type: ignore[no-untyped-def]
            sizes.append(len(clips))
            return ScriptedSpeakerEncoder.embed(self, clips)

    Diarizer(Counting(), DiarizationOptions(windows_in_memory=16)).diarize(audio, 0, activity(said, audio))
    assert max(sizes) == 16
    assert len(sizes) > 2


def test_where_each_channel_is_a_speaker_overlap_is_kept() -> None:
    first, second = np.zeros(100, np.float32), np.zeros(100, np.float32)
    first[0:50], second[40:80] = 1.0, 1.0
    segments = channels_as_speakers([first, second], 3200, DiarizationOptions())
    assert [(one.start_ms, one.end_ms, one.speaker) for one in segments] == [(0, 1600, 0), (1280, 2560, 1)]
