"""Makes the voice of one person from recordings of that person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.diarization import Diarizer
from huaxiang.asr.speaker_encoder import KnownVoice
from huaxiang.asr.voice_activity import VoiceActivity
from huaxiang.core.audio import DecodedAudio
from huaxiang.core.errors import InvalidInput

MIN_SPEECH_MS = 10_000


@dataclass(frozen=True, slots=True)
class VoiceSample:
    """The voice heard in one recording, a unit vector, and the speech that it is from."""

    vector: NDArray[np.float32]
    speech_ms: int


def voice_sample(
    diarizer: Diarizer, voice_activity: VoiceActivity, audio: DecodedAudio, channel: int | None, name: str
) -> VoiceSample:
    """Return the one voice of a recording, or of one of its channels; ``name`` is for messages.

    Raises InvalidInput where the channel does not exist or is not told, where several people are
    heard, or nobody. Raises ModelError.
    """
    if channel is None and audio.channels > 1:
        raise InvalidInput(f"{name} has {audio.channels} channels; say which one is the seller's: --channel")
    place = channel or 0
    if not 0 <= place < audio.channels:
        raise InvalidInput(f"{name} has no channel {place}; channels count from 0")
    told = diarizer.diarize(audio, place, voice_activity.probabilities(audio, place))
    if told.speakers > 1:
        raise InvalidInput(
            f"{told.speakers} voices are heard in {name}; enrol from recordings of the seller alone"
        )
    if told.speakers == 0:
        raise InvalidInput(f"nobody is heard in {name}")
    return VoiceSample(told.voices[0], sum(one.end_ms - one.start_ms for one in told.segments))


def enrolled_voice(seller: str, encoder: str, samples: Iterable[VoiceSample]) -> tuple[KnownVoice, int]:
    """Return the voice of several samples together, and their speech in ms.

    Raises InvalidInput where it is under ten seconds: too little to know somebody by.
    """
    given = list(samples)
    speech_ms = sum(sample.speech_ms for sample in given)
    if speech_ms < MIN_SPEECH_MS:
        raise InvalidInput(
            f"{speech_ms / 1000:.1f} s of speech are too little; give {MIN_SPEECH_MS // 1000} s or more"
        )
    total = np.sum([sample.speech_ms * sample.vector for sample in given], axis=0)
    return KnownVoice(seller, encoder, (total / np.linalg.norm(total)).astype(np.float32)), speech_ms
