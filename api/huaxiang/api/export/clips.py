"""Cuts the turns whose words people wrote down out of their recordings: audio with its true text."""

from __future__ import annotations

import wave
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from huaxiang.core.audio import SAMPLE_RATE, DecodedAudio
from huaxiang.core.types import Transcript, Turn

MARGIN_MS = 200
"""So much is kept before and after a turn, as its ends were guessed by a model."""


@dataclass(frozen=True, slots=True)
class TrueClip:
    """A stretch of one channel and what is said in it."""

    id: str
    channel: int
    start_ms: int
    end_ms: int
    text: str


def true_clips(transcript: Transcript, written_turns: Collection[int]) -> tuple[TrueClip, ...]:
    """Return the clips of turns whose text a person wrote.

    A turn during which somebody else speaks too is left out: its audio has words that its text has not.
    """
    return tuple(_clips(transcript, written_turns)) if transcript.timed else ()


def write_clip(audio: DecodedAudio, clip: TrueClip, target: Path) -> None:
    """Write a clip as 16 kHz 16-bit WAV of one channel."""
    samples = audio.read(min(clip.channel, audio.channels - 1), clip.start_ms, clip.end_ms)
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.asarray(np.clip(samples * 32768.0, -32768, 32767), dtype="<i2").tobytes())


def _clips(transcript: Transcript, written_turns: Collection[int]) -> Iterator[TrueClip]:
    for place, turn in enumerate(transcript.turns):
        if turn.index not in written_turns or turn.overlap or turn.end_ms <= turn.start_ms:
            continue
        before, after = _neighbours(transcript.turns, place)
        yield TrueClip(
            id=f"{transcript.recording_id}-{turn.index:04d}",
            channel=turn.channel,
            start_ms=max(turn.start_ms - MARGIN_MS, before, 0),
            end_ms=min(turn.end_ms + MARGIN_MS, after, max(transcript.duration_ms, turn.end_ms)),
            text=turn.text,
        )


def _neighbours(turns: tuple[Turn, ...], place: int) -> tuple[int, int]:
    """Return where the channel's turn before ends and the one after begins: no word of theirs comes in."""
    turn = turns[place]
    same = [one for one in turns if one.channel == turn.channel and one is not turn]
    before = max((one.end_ms for one in same if one.end_ms <= turn.start_ms), default=0)
    after = min(
        (one.start_ms for one in same if one.start_ms >= turn.end_ms), default=turn.end_ms + MARGIN_MS
    )
    return before, after
