"""The speech stage: decoded audio in, transcript out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.attribution import Attributor, ChannelSpeech
from huaxiang.asr.coverage import CoverageOptions, passed_over
from huaxiang.asr.guards import Drop, GuardOptions, judge
from huaxiang.asr.hotwords import Hotwords
from huaxiang.asr.normalise import TextNormaliser
from huaxiang.asr.roles import RoleJudge
from huaxiang.asr.segmentation import SegmentationOptions, Span, clip_spans, speech_runs
from huaxiang.asr.seller_talk import SHIPPED_WEIGHTS, SellerTalk
from huaxiang.asr.transcriber import Clip, ClipTranscript, Hints, Transcriber
from huaxiang.asr.turns import TurnOptions, snapped
from huaxiang.asr.voice_activity import FRAME_MS, VoiceActivity
from huaxiang.core.audio import DecodedAudio
from huaxiang.core.types import (
    Recording,
    Transcript,
    TranscriptQuality,
    Word,
)

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """How the speech stage cuts, guards, hears again and joins.

    ``clips_in_memory`` bounds what is held at once. A recording with no more speech than ``thorough_ms``
    is recognised thoroughly: it fits one window, so nothing is won by haste.
    """

    segmentation: SegmentationOptions = field(default_factory=SegmentationOptions)
    coverage: CoverageOptions = field(default_factory=CoverageOptions)
    guards: GuardOptions = field(default_factory=GuardOptions)
    turns: TurnOptions = field(default_factory=TurnOptions)
    clips_in_memory: int = 48
    thorough_ms: int = 30_000
    language: str = "zh"


@dataclass(frozen=True, slots=True, eq=False)
class _Activity:
    """Where one channel has speech: what is decoded, the voiced runs in ms, each frame's probability."""

    spans: tuple[Span, ...]
    runs: tuple[tuple[int, int], ...]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Heard:
    """The words of one span: all that the recogniser gave, and those that may stand."""

    emitted: tuple[Word, ...]
    kept: tuple[Word, ...]


class _Tally:
    """Adds up what the quality of a transcript is told from."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._log_probability = 0.0
        self._tokens = 0

    def add(self, result: ClipTranscript) -> None:
        """Count the tokens of a result that stands."""
        self._log_probability += result.mean_log_probability * result.tokens
        self._tokens += result.tokens

    @property
    def mean_log_probability(self) -> float | None:
        """Per token; none where nothing was recognised."""
        return self._log_probability / self._tokens if self._tokens else None


class SpeechPipeline:
    """Turns decoded audio into a transcript: find speech, recognise, guard, attribute, normalise.

    A stereo recording is recognised by channel. Speech that the recogniser passed over is heard again by
    itself. Memory does not grow with the recording beyond 125 bytes a second and its text.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        voice_activity: VoiceActivity,
        normaliser: TextNormaliser,
        options: SpeechOptions | None = None,
        attributor: Attributor | None = None,
        hotwords: Hotwords | None = None,
    ) -> None:
        """Put the stage together; without ``attributor``, voices on one channel are not told apart."""
        self._hotwords = hotwords or Hotwords()
        self._transcriber = transcriber
        self._voice_activity = voice_activity
        self._options = options or SpeechOptions()
        self._attributor = attributor or Attributor(
            normaliser, RoleJudge(SellerTalk.load(SHIPPED_WEIGHTS)), turns=self._options.turns
        )

    def run(
        self,
        recording: Recording,
        audio: DecodedAudio,
        progress: Progress | None = None,
        hints: Hints | None = None,
    ) -> Transcript:
        """Return the transcript of a recording; ``progress`` is told the share of speech done, 0 to 1.

        Raises ModelError where a model fails.
        """
        with ThreadPoolExecutor(audio.channels) as pool:
            activity = list(pool.map(lambda channel: self._activity(audio, channel), range(audio.channels)))
        tally = _Tally()
        hints = hints or self._hotwords.hints(self._options.language, recording.metadata)
        words = self._recognise(audio, activity, tally, progress, hints)
        channels = [
            ChannelSpeech(tuple(said), one.probabilities) for said, one in zip(words, activity, strict=True)
        ]
        turns, skipped = self._attributor.attribute(audio, channels, recording.metadata)
        transcript = Transcript(
            recording_id=recording.id,
            turns=turns,
            duration_ms=audio.duration_ms,
            channels=audio.channels,
            recogniser=self._transcriber.name,
            quality=TranscriptQuality(
                mean_log_probability=tally.mean_log_probability,
                no_speech_share=_no_speech_share(activity, audio.duration_ms),
                damaged_frames=recording.audio.damaged_frames if recording.audio else 0,
                dropped=dict(tally.dropped),
            ),
            skipped=skipped,
        )
        return self._hotwords.repaired(transcript, recording.metadata)

    def _activity(self, audio: DecodedAudio, channel: int) -> _Activity:
        probabilities = self._voice_activity.probabilities(audio, channel)
        options = self._options.segmentation
        runs = [
            (start * FRAME_MS, min(end * FRAME_MS, audio.duration_ms))
            for start, end in speech_runs(probabilities, options)
        ]
        spans = clip_spans(probabilities, audio.duration_ms, channel, options)
        return _Activity(spans, tuple(runs), probabilities)

    def _recognise(
        self,
        audio: DecodedAudio,
        activity: Sequence[_Activity],
        tally: _Tally,
        progress: Progress | None,
        hints: Hints,
    ) -> list[list[Word]]:
        """Return the words of each channel in time order."""
        words: list[list[Word]] = [[] for _ in activity]
        spans = sorted(span for channel in activity for span in channel.spans)
        total_ms, done_ms = sum(span.duration_ms for span in spans), 0
        hints = replace(hints, thorough=total_ms <= self._options.thorough_ms)
        for group in _groups(spans, self._options.clips_in_memory):
            for span, what in self._heard(audio, group, activity, tally, hints):
                words[span.channel].extend(what.kept)
            done_ms += sum(span.duration_ms for span in group)
            if progress is not None:
                progress(done_ms / total_ms)
        for spoken in words:
            spoken.sort(key=lambda word: word.start_ms)
        return words

    def _heard(
        self,
        audio: DecodedAudio,
        spans: Sequence[Span],
        activity: Sequence[_Activity],
        tally: _Tally,
        hints: Hints,
    ) -> Iterator[tuple[Span, _Heard]]:
        """Give what is heard in each span, and then in what was passed over, until nothing is."""
        options, floor = self._options.coverage, None
        for _ in range(1 + options.rounds):
            heard = list(zip(spans, self._hear(audio, spans, activity, tally, hints, floor), strict=True))
            yield from heard
            spans = [
                part
                for span, what in heard
                if floor is None or what.emitted
                for part in passed_over(span, activity[span.channel].runs, what.emitted, options)
            ]
            floor = options.log_probability

    def _hear(
        self,
        audio: DecodedAudio,
        spans: Sequence[Span],
        activity: Sequence[_Activity],
        tally: _Tally,
        hints: Hints,
        floor: float | None,
    ) -> list[_Heard]:
        """Return the words of each span; under ``floor``, a mean log-probability, none may stand."""
        clips = [_clip(audio, span) for span in spans]
        heard = []
        for clip, result in zip(clips, self._transcriber.transcribe(clips, hints), strict=True):
            judged = judge(result, clip.samples, self._options.guards)
            tally.dropped.update({str(reason): count for reason, count in judged.dropped.items()})
            kept = judged.words
            if kept and floor is not None and result.mean_log_probability < floor:
                kept = ()
                tally.dropped[Drop.DOUBTFUL] += 1
            if kept:
                tally.add(result)
            runs = activity[clip.channel].runs
            heard.append(_Heard(snapped(result.words, runs), snapped(kept, runs)))
        return heard


def _clip(audio: DecodedAudio, span: Span) -> Clip:
    samples: NDArray[np.float32] = audio.read(span.channel, span.start_ms, span.end_ms)
    return Clip(samples, span.channel, span.start_ms)


def _groups(spans: Sequence[Span], size: int) -> Iterator[Sequence[Span]]:
    for start in range(0, len(spans), size):
        yield spans[start : start + size]


def _no_speech_share(activity: Sequence[_Activity], duration_ms: int) -> float | None:
    """Return the share of the recording in which no channel has speech."""
    if duration_ms <= 0:
        return None
    voiced, reached = 0, 0
    for start_ms, end_ms in sorted(run for channel in activity for run in channel.runs):
        voiced += max(end_ms - max(start_ms, reached), 0)
        reached = max(reached, end_ms)
    return 1.0 - voiced / duration_ms
