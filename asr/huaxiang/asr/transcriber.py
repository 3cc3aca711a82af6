"""The port of speech recognition, and the twin that tests script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from huaxiang.core.audio import SAMPLE_RATE
from huaxiang.core.types import Word

MAX_CLIP_MS = 30_000


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A stretch of one channel to be recognised: mono samples in [-1, 1) at 16 kHz, at most 30 s."""

    samples: NDArray[np.float32]
    channel: int
    start_ms: int

    @property
    def duration_ms(self) -> int:
        """Its length."""
        return len(self.samples) * 1000 // SAMPLE_RATE

    @property
    def end_ms(self) -> int:
        """Its end in the recording."""
        return self.start_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known before listening: the language (ISO 639-1), and names and terms likely to be said.

    ``thorough`` asks for the best result whatever it costs: there is little to recognise.
    """

    language: str = "zh"
    phrases: tuple[str, ...] = ()
    thorough: bool = False


@dataclass(frozen=True, slots=True)
class ClipTranscript:
    """What was recognised in one clip.

    ``words`` carry their punctuation and the white space before them, so that joined they are what was
    emitted. ``mean_log_probability`` is the natural logarithm per token over ``tokens`` tokens;
    ``no_speech_probability`` the model's own doubt that anybody spoke; ``compression_ratio`` the
    UTF-8 text's length over its zlib-compressed length.
    """

    words: tuple[Word, ...] = ()
    mean_log_probability: float = 0.0
    no_speech_probability: float = 0.0
    compression_ratio: float = 1.0
    tokens: int = 0

    @property
    def text(self) -> str:
        """The words joined."""
        return "".join(word.text for word in self.words)


class Transcriber(Protocol):
    """Recognises speech.

    ``transcribe`` gives one result a clip, in the order of the clips; a word holds more than white space;
    word times are in ms of the recording, do not go backward, and lie within the clip; a clip of no samples
    gives no words. The same clips give the same results with the same hints, whatever else is recognised
    meanwhile: several threads may ask at once. Raises ModelError where the recogniser fails.
    """

    @property
    def name(self) -> str:
        """The model at its revision, e.g. ``whisper-base@ebe41f7``."""

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something the scripted twin hears: a text and where it is said."""

    channel: int
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class ScriptedTranscriber:
    """The scripted twin: hears in a clip the characters of its utterances that lie in the clip's span.

    ``no_speech_probability`` and the like can be set for all results alike; ``heard`` keeps the spans
    it was asked about.
    """

    utterances: tuple[Utterance, ...] = ()
    mean_log_probability: float = -0.2
    no_speech_probability: float = 0.01
    compression_ratio: float = 1.0
    name: str = "scripted@0"
    heard: list[tuple[int, int, int]] = field(default_factory=list)

    def transcribe(self, clips: Sequence[Clip], hints: Hints) -> Sequence[ClipTranscript]:
        """Recognise each clip."""
        self.heard.extend((clip.channel, clip.start_ms, clip.end_ms) for clip in clips)
        return [self._heard_in(clip) for clip in clips]

    def _heard_in(self, clip: Clip) -> ClipTranscript:
        words = [
            word
            for utterance in self.utterances
            if utterance.channel == clip.channel
            for word in _characters(utterance)
            if clip.start_ms <= word.start_ms and word.end_ms <= clip.end_ms
        ]
        return ClipTranscript(
            words=tuple(sorted(words, key=lambda word: word.start_ms)),
            mean_log_probability=self.mean_log_probability,
            no_speech_probability=self.no_speech_probability,
            compression_ratio=self.compression_ratio,
            tokens=len(words),
        )


def _characters(utterance: Utterance) -> list[Word]:
    """Spread the characters of an utterance evenly over its time."""
    step = (utterance.end_ms - utterance.start_ms) / max(len(utterance.text), 1)
    return [
        Word(
            start_ms=utterance.start_ms + round(place * step),
            end_ms=utterance.start_ms + round((place + 1) * step),
            text=char,
            confidence=0.9,
        )
        for place, char in enumerate(utterance.text)
    ]
