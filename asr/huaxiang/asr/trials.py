"""Recognises the same audio in several ways in turn, and keeps what each heard and how long it took."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from huaxiang.asr.error_rate import joined
from huaxiang.asr.plain import PlainRecogniser
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.core.audio import DecodedAudio, Decoder, WavAudio
from huaxiang.core.database import now
from huaxiang.core.types import AudioInfo, CallMetadata, Recording

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Asked:
    """A recording to be recognised."""

    id: str
    audio: Path
    agent_channel: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What one way heard: the whole text, its text by channel where it tells them apart, the work."""

    text: str
    channel_texts: tuple[str, ...]
    work_s: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One recording recognised in every way, by the way's name."""

    id: str
    audio_s: float
    heard: Mapping[str, Heard]


Way = Callable[[Recording, DecodedAudio], Heard]


def trials(
    asked: Sequence[Asked], speech: SpeechPipeline, plain: Mapping[str, PlainRecogniser], decode: Decoder
) -> Iterator[Trial]:
    """Recognise each recording by our path and the plain ones, every time another one first.

    Decoding is shared and not timed. Alternating on the same audio keeps the ratios honest on a
    machine that does other things too. Raises AudioError and ModelError.
    """
    ways: dict[str, Way] = {OURS: _ours(speech)}
    ways.update({name: _plain(recogniser) for name, recogniser in plain.items()})
    names = list(ways)
    for place, one in enumerate(asked):
        with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
            target = Path(folder) / "decoded.wav"
            recording = measured_recording(one, decode(one.audio, target))
            audio = WavAudio(target)
            first = place % len(names)
            heard = {name: ways[name](recording, audio) for name in names[first:] + names[:first]}
        yield Trial(one.id, audio.duration_ms / 1000, heard)


def together(
    asked: Sequence[Asked], speech: SpeechPipeline, decode: Decoder, at_once: int
) -> tuple[float, Iterator[tuple[str, str]]]:
    """Recognise recordings by our path, so many at a time; return the s that all took, and what was heard.

    That is id and text of each. Decoding is not timed. Raises AudioError and ModelError.
    """
    with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder, ThreadPoolExecutor(at_once) as pool:
        decoded = []
        for place, one in enumerate(asked):
            target = Path(folder) / f"{place}.wav"
            decoded.append((measured_recording(one, decode(one.audio, target)), WavAudio(target)))
        started = time.perf_counter()
        transcripts = list(pool.map(lambda pair: speech.run(*pair), decoded))
        work_s = time.perf_counter() - started
    texts = [joined([turn.text for turn in transcript.turns]) for transcript in transcripts]
    return work_s, zip([one.id for one in asked], texts, strict=True)


def _ours(speech: SpeechPipeline) -> Way:
    def way(recording: Recording, audio: DecodedAudio) -> Heard:
        started = time.perf_counter()
        turns = speech.run(recording, audio).turns
        work_s = time.perf_counter() - started
        by_channel = [
            joined([turn.text for turn in turns if turn.channel == channel])
            for channel in range(audio.channels)
        ]
        return Heard(joined([turn.text for turn in turns]), tuple(by_channel), work_s)

    return way


def _plain(recogniser: PlainRecogniser) -> Way:
    def way(recording: Recording, audio: DecodedAudio) -> Heard:
        started = time.perf_counter()
        text = recogniser.text(audio)
        return Heard(text, (), time.perf_counter() - started)

    return way


def measured_recording(asked: Asked, audio: AudioInfo) -> Recording:
    """Return the recording that stands for a file that is only measured."""
    return Recording(
        id=asked.id,
        sha256="",
        size_bytes=0,
        filename=asked.audio.name,
        blob_key="",
        source="measured",
        received_at=now(),
        metadata=CallMetadata(agent_channel=asked.agent_channel),
        audio=audio,
    )
