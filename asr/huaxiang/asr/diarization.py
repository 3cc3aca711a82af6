"""Who spoke when on one channel, from voices alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from huaxiang.asr.clustering import ClusteringOptions, voices_among
from huaxiang.asr.segmentation import SegmentationOptions, speech_runs
from huaxiang.asr.speaker_encoder import SpeakerEncoder
from huaxiang.asr.voice_activity import FRAME_MS
from huaxiang.core.audio import DecodedAudio

Scores = NDArray[np.float64]
_STEP_MS = 100


@dataclass(frozen=True, slots=True)
class SpeakerSegment:
    """A stretch in which one speaker, counted from 0, is heard."""

    start_ms: int
    end_ms: int
    speaker: int


@dataclass(frozen=True, slots=True, eq=False)
class Diarization:
    """Segments in time order, and each speaker's voice, shape ``(speakers, dimensions)``.

    Speaker 0 speaks most. ``encoder`` names what the voices were made with.
    """

    segments: tuple[SpeakerSegment, ...]
    voices: NDArray[np.float32]
    encoder: str = ""

    @property
    def speakers(self) -> int:
        """How many people were told apart."""
        return len(self.voices)


@dataclass(frozen=True, slots=True)
class DiarizationOptions:
    """How speakers are told apart.

    Speech is found by lower thresholds than for recognition (``speech``): a distant speaker is still
    somebody. A run of it is embedded in windows of up to ``window_ms``, at most ``hop_ms`` apart;
    windows of ``min_window_ms`` and more decide who there is. The path through steps of 100 ms weighs
    ``sharpness`` times the cosine against ``change`` for a change of speaker within speech and
    ``change_at_pause`` for one between runs. Pauses of one speaker up to ``fill_ms`` are closed. A third
    speaker is one who is heard for ``stretch_ms`` in one go.
    """

    speech: SegmentationOptions = field(
        default_factory=lambda: SegmentationOptions(onset=0.2, offset=0.1, min_speech_ms=96)
    )
    clustering: ClusteringOptions = field(default_factory=ClusteringOptions)
    window_ms: int = 1200
    hop_ms: int = 800
    min_window_ms: int = 600
    sharpness: float = 20.0
    change: float = 6.0
    change_at_pause: float = 1.0
    fill_ms: int = 500
    stretch_ms: int = 2000
    windows_in_memory: int = 512


@dataclass(frozen=True, slots=True)
class Diarizer:
    """Tells the speakers of a channel apart.

    Windows of speech are embedded, the voices among them found (see ``clustering``), and a hidden
    Markov path through the cosines with each voice says who speaks in each tenth of a second. Of the
    audio, only ``windows_in_memory`` windows are held at once; vectors take about 1 kB a second.
    """

    encoder: SpeakerEncoder
    options: DiarizationOptions = field(default_factory=DiarizationOptions)

    def diarize(
        self,
        audio: DecodedAudio,
        channel: int,
        probabilities: NDArray[np.float32],
        speakers: int | None = None,
    ) -> Diarization:
        """Return who spoke when on one channel.

        ``probabilities`` are those of speech in each frame (``VoiceActivity``), ``speakers`` the number
        of people where it is known. Raises ModelError where the encoder fails.
        """
        options = self.options
        runs = [
            (start * FRAME_MS, min(end * FRAME_MS, audio.duration_ms))
            for start, end in speech_runs(probabilities, options.speech)
        ]
        windows = list(_windows(runs, options))
        vectors = self._embedded(audio, channel, windows)
        long = np.array([end - start >= options.min_window_ms for start, end in windows], bool)
        deciding = vectors[long] if long.any() else vectors
        voices = voices_among(deciding[np.any(deciding, axis=1)], options.clustering, speakers)
        if not len(voices):
            return Diarization((), voices, self.encoder.name)
        segments = _segments(runs, windows, vectors @ voices.T, options)
        while speakers is None and len(voices) > 2:
            real = _heard_at_length(segments, len(voices), options.stretch_ms)
            if len(real) == len(voices):
                break
            voices = voices[real] if len(real) >= 2 else voices[:2]
            segments = _segments(runs, windows, vectors @ voices.T, options)
        return Diarization(segments, voices, self.encoder.name)

    def _embedded(
        self, audio: DecodedAudio, channel: int, windows: Sequence[tuple[int, int]]
    ) -> NDArray[np.float32]:
        parts = [np.zeros((0, self.encoder.dimensions), np.float32)]
        size = self.options.windows_in_memory
        for first in range(0, len(windows), size):
            clips = [audio.read(channel, start, end) for start, end in windows[first : first + size]]
            parts.append(self.encoder.embed(clips))
        return np.concatenate(parts)


def channels_as_speakers(
    channels: Sequence[NDArray[np.float32]], duration_ms: int, options: DiarizationOptions
) -> tuple[SpeakerSegment, ...]:
    """Return who spoke when where each channel is one speaker, from its speech probabilities."""
    segments = [
        segment
        for speaker, probabilities in enumerate(channels)
        for segment in _joined(
            (
                SpeakerSegment(start * FRAME_MS, min(end * FRAME_MS, duration_ms), speaker)
                for start, end in speech_runs(probabilities, options.speech)
            ),
            options.fill_ms,
        )
    ]
    return tuple(sorted(segments, key=lambda segment: (segment.start_ms, segment.speaker)))


def _heard_at_length(segments: Sequence[SpeakerSegment], speakers: int, stretch_ms: int) -> list[int]:
    """Return the speakers who speak for ``stretch_ms`` in one go at least once.

    Windows over a change of speaker sound like somebody else, but never for long.
    """
    longest = [0] * speakers
    for segment in segments:
        longest[segment.speaker] = max(longest[segment.speaker], segment.end_ms - segment.start_ms)
    return [speaker for speaker in range(speakers) if longest[speaker] >= stretch_ms]


def _segments(
    runs: Sequence[tuple[int, int]],
    windows: Sequence[tuple[int, int]],
    cosines: NDArray[np.float32],
    options: DiarizationOptions,
) -> tuple[SpeakerSegment, ...]:
    path = _path(runs, _step_scores(windows, cosines), options)
    return _joined(_labelled(runs, path), options.fill_ms)


def _windows(runs: Sequence[tuple[int, int]], options: DiarizationOptions) -> Iterator[tuple[int, int]]:
    """Cover each run with windows at even distances, the last one ending with the run."""
    for start_ms, end_ms in runs:
        spare = end_ms - start_ms - options.window_ms
        if spare <= 0:
            yield start_ms, end_ms
            continue
        for place in np.linspace(start_ms, end_ms - options.window_ms, -(-spare // options.hop_ms) + 1):
            yield round(place), round(place) + options.window_ms


def _step_scores(windows: Sequence[tuple[int, int]], cosines: NDArray[np.float32]) -> Scores:
    """Return the cosine of each step of 100 ms with each voice: the windows over it, the middle most."""
    steps = -(-max(end for _, end in windows) // _STEP_MS)
    total = np.zeros((steps, cosines.shape[1]))
    weight = np.zeros(steps)
    for (start_ms, end_ms), cosine in zip(windows, cosines, strict=True):
        covered = np.arange(start_ms // _STEP_MS, -(-end_ms // _STEP_MS))
        centre, half = (start_ms + end_ms) / 2, (end_ms - start_ms) / 2
        share = np.maximum(0.05, 1.0 - np.abs((covered + 0.5) * _STEP_MS - centre) / half)
        total[covered] += share[:, None] * cosine
        weight[covered] += share
    scores: Scores = total / np.maximum(weight, 1e-9)[:, None]
    return scores


def _path(runs: Sequence[tuple[int, int]], scores: Scores, options: DiarizationOptions) -> dict[int, int]:
    """Return the speaker of each step with speech: the best path, changes of speaker counted (Viterbi)."""
    steps = sorted({step for start, end in runs for step in range(start // _STEP_MS, -(-end // _STEP_MS))})
    starts = {start // _STEP_MS for start, _ in runs}
    speakers = scores.shape[1]
    best = options.sharpness * scores[steps[0]]
    came_from: list[NDArray[np.intp]] = []
    for step in steps[1:]:
        price = options.change_at_pause if step in starts else options.change
        moves = best[:, None] - price * (1.0 - np.eye(speakers))
        came_from.append(moves.argmax(axis=0))
        best = moves.max(axis=0) + options.sharpness * scores[step]
    speaker = int(best.argmax())
    path = {steps[-1]: speaker}
    for step, origins in zip(reversed(steps[:-1]), reversed(came_from), strict=True):
        speaker = int(origins[speaker])
        path[step] = speaker
    return path


def _labelled(runs: Sequence[tuple[int, int]], path: dict[int, int]) -> Iterator[SpeakerSegment]:
    for start_ms, end_ms in runs:
        for step in range(start_ms // _STEP_MS, -(-end_ms // _STEP_MS)):
            first, last = max(start_ms, step * _STEP_MS), min(end_ms, (step + 1) * _STEP_MS)
            if first < last:
                yield SpeakerSegment(first, last, path[step])


def _joined(segments: Iterator[SpeakerSegment], fill_ms: int) -> tuple[SpeakerSegment, ...]:
    joined: list[SpeakerSegment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last and last.speaker == segment.speaker and segment.start_ms - last.end_ms <= fill_ms:
            joined[-1] = SpeakerSegment(last.start_ms, segment.end_ms, last.speaker)
        else:
            joined.append(segment)
    return tuple(joined)
