"""A voice is enrolled from recordings of one person, and from enough of them."""

from __future__ import annotations

import numpy as np
import pytest
from invented_speech import MemoryAudio
from invented_voices import CUSTOMER_HZ, SELLER_HZ, Said, alternating, spoken

from huaxiang.asr.diarization import Diarizer
from huaxiang.asr.enrolment import VoiceSample, enrolled_voice, voice_sample
from huaxiang.asr.speaker_encoder import ScriptedSpeakerEncoder
from huaxiang.asr.voice_activity import ScriptedVoiceActivity
from huaxiang.core.errors import InvalidInput

DIARIZER = Diarizer(ScriptedSpeakerEncoder())


def sample(said: list[Said], channels: int = 1, channel: int | None = None) -> VoiceSample:
    audio = spoken(said, 60_000)
    audio = MemoryAudio(np.repeat(audio.samples, channels, axis=1))
    activity = ScriptedVoiceActivity(tuple((channel or 0, start, end) for start, end, _ in said))
    return voice_sample(DIARIZER, activity, audio, channel, "a.wav")


def test_the_voice_of_one_person_is_taken_with_its_speech() -> None:
    taken = sample(alternating(8, SELLER_HZ))
    assert taken.speech_ms == pytest.approx(8 * 3200, abs=8 * 64)
    voice, speech_ms = enrolled_voice("小何", "e@1", [taken, taken])
    assert speech_ms == 2 * taken.speech_ms
    assert float(voice.vector @ taken.vector) == pytest.approx(1.0, abs=1e-5)


def test_two_people_in_one_recording_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"2 voices are heard in a\.wav"):
        sample(alternating(12, SELLER_HZ, CUSTOMER_HZ))


def test_a_channel_must_be_told_where_there_are_several() -> None:
    with pytest.raises(InvalidInput, match="--channel"):
        sample(alternating(8, SELLER_HZ), channels=2)
    assert sample(alternating(8, SELLER_HZ), channels=2, channel=1).speech_ms > 0


def test_a_channel_that_is_not_there_and_silence_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no channel 3"):
        sample(alternating(8, SELLER_HZ), channel=3)
    with pytest.raises(InvalidInput, match="nobody"):
        sample([])


def test_little_speech_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"6\.[34] s"):
        enrolled_voice("小何", "e@1", [sample(alternating(2, SELLER_HZ))])
