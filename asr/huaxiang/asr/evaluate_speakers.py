"""``huaxiang eval speakers``: who spoke when, who is the seller, and where turns begin and end."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from huaxiang.asr.diarization import Diarizer, SpeakerSegment, channels_as_speakers
from huaxiang.asr.speaker_scores import (
    ErrorSeconds,
    RoleSeconds,
    boundary_errors,
    diarization_error,
    interval,
    middle,
    role_seconds,
)
from huaxiang.asr.speaker_truth import LabelledSpeakers, read_labelled_speakers
from huaxiang.asr.speech import SpeechPipeline
from huaxiang.asr.trials import Asked, measured_recording
from huaxiang.asr.voice_activity import VoiceActivity
from huaxiang.core.audio import DecodedAudio, Decoder, WavAudio
from huaxiang.core.types import AudioInfo, Json, Turn


@dataclass(frozen=True, slots=True)
class Scored:
    """The counts of one recording; those of roles and turns only where the truth has roles."""

    id: str
    error: ErrorSeconds
    error_without_overlap: ErrorSeconds
    error_without_collar: ErrorSeconds
    speakers: tuple[int, int]
    roles: RoleSeconds | None = None
    turn_error: ErrorSeconds | None = None
    starts_ms: tuple[int, ...] = ()
    ends_ms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeakerEvaluation:
    """What recordings are scored with.

    The number of speakers is not told, nor which channel is the seller's. A truth that names no roles
    is not recognised, as its words are not asked for.
    """

    diarizer: Diarizer
    voice_activity: VoiceActivity
    speech: SpeechPipeline
    decode: Decoder

    def score(self, labelled: LabelledSpeakers) -> Scored:
        """Score one recording. Raises AudioError and ModelError."""
        with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
            target = Path(folder) / "decoded.wav"
            info = self.decode(labelled.audio, target)
            audio = WavAudio(target)
            segments = self._segments(audio)
            turns = self._turns(labelled, audio, info) if labelled.has_roles else ()
        truth = labelled.spoken
        duration_ms = audio.duration_ms
        heard = len({segment.speaker for segment in segments})
        error = diarization_error(truth, segments, duration_ms)
        bare = diarization_error(truth, segments, duration_ms, overlap=False)
        exact = diarization_error(truth, segments, duration_ms, collar_s=0.0)
        there = len({one.speaker for one in truth})
        if not labelled.has_roles:
            return Scored(labelled.id, error, bare, exact, (heard, there))
        starts, ends = boundary_errors(truth, turns)
        return Scored(
            labelled.id,
            error,
            bare,
            exact,
            (heard, there),
            role_seconds(truth, turns),
            diarization_error(truth, _of_turns(turns), duration_ms),
            tuple(starts),
            tuple(ends),
        )

    def _segments(self, audio: DecodedAudio) -> Sequence[SpeakerSegment]:
        channels = [self.voice_activity.probabilities(audio, channel) for channel in range(audio.channels)]
        if len(channels) == 1:
            return self.diarizer.diarize(audio, 0, channels[0]).segments
        return channels_as_speakers(channels, audio.duration_ms, self.diarizer.options)

    def _turns(self, labelled: LabelledSpeakers, audio: DecodedAudio, info: AudioInfo) -> tuple[Turn, ...]:
        recording = measured_recording(Asked(labelled.id, labelled.audio), info)
        return self.speech.run(recording, audio).turns


@dataclass(slots=True)
class _Scores:
    by_set: dict[str, list[Scored]] = field(default_factory=lambda: defaultdict(list))

    def add(self, labelled: LabelledSpeakers, scored: Scored) -> None:
        for name in ("", *labelled.sets):
            self.by_set[name].append(scored)

    def document(self) -> dict[str, Json]:
        sets: dict[str, Json] = {name: _summary(self.by_set[name]) for name in sorted(self.by_set) if name}
        return {"speakers": {**_summary(self.by_set[""]), "sets": sets}}


def evaluate_speakers(
    folder: Path, evaluation: SpeakerEvaluation, advance: Callable[[float], None] | None = None
) -> dict[str, Json]:
    """Score all labelled recordings of a folder (see ``read_labelled_speakers``).

    Gives ``{"speakers": {"der", "der_without_overlap", "role_accuracy", "abstained", …, "sets"}}`` as
    explained in docs/metrics-speakers.md. Raises NotFound, InvalidConversation, AudioError, ModelError.
    """
    labelled = read_labelled_speakers(folder)
    scores = _Scores()
    for done, one in enumerate(labelled, start=1):
        scores.add(one, evaluation.score(one))
        if advance is not None:
            advance(done / len(labelled))
    return scores.document()


def _summary(scored: Sequence[Scored]) -> dict[str, Json]:
    error = sum((one.error for one in scored), ErrorSeconds())
    low, high = interval([(one.error.errors, one.error.total) for one in scored])
    worst = sorted(scored, key=lambda one: (-one.error.rate, one.id))[:10]
    document: dict[str, Json] = {
        "n": len(scored),
        "der": round(error.rate, 4),
        "der_low": round(low, 4),
        "der_high": round(high, 4),
        "missed": round(error.missed / max(error.total, 1e-9), 4),
        "false_alarm": round(error.false_alarm / max(error.total, 1e-9), 4),
        "confusion": round(error.confused / max(error.total, 1e-9), 4),
        "der_without_overlap": round(
            sum((one.error_without_overlap for one in scored), ErrorSeconds()).rate, 4
        ),
        "der_without_collar": round(
            sum((one.error_without_collar for one in scored), ErrorSeconds()).rate, 4
        ),
        "reference_s": round(error.total, 2),
        "speakers_counted_right": round(
            sum(a == b for a, b in (one.speakers for one in scored)) / len(scored), 4
        ),
        "worst": [[one.id, round(one.error.rate, 4)] for one in worst],
    }
    with_roles = [one for one in scored if one.roles is not None]
    return document | (_role_summary(with_roles) if with_roles else {})


def _role_summary(scored: Sequence[Scored]) -> dict[str, Json]:
    roles = [one.roles for one in scored if one.roles is not None]
    decided = sum(one.decided for one in roles)
    abstained = sum(one.abstained for one in roles)
    low, high = interval([(one.right, one.decided) for one in roles])
    turn_error = sum((one.turn_error for one in scored if one.turn_error is not None), ErrorSeconds())
    return {
        "role_accuracy": round(sum(one.right for one in roles) / decided, 4) if decided else None,
        "role_low": round(low, 4),
        "role_high": round(high, 4),
        "abstained": round(abstained / max(decided + abstained, 1e-9), 4),
        "turn_der": round(turn_error.rate, 4),
        "turn_start_error_ms": middle([value for one in scored for value in one.starts_ms]),
        "turn_end_error_ms": middle([value for one in scored for value in one.ends_ms]),
    }


def _of_turns(turns: Sequence[Turn]) -> list[SpeakerSegment]:
    names = {name: place for place, name in enumerate(sorted({turn.speaker or "" for turn in turns}))}
    return [SpeakerSegment(turn.start_ms, turn.end_ms, names[turn.speaker or ""]) for turn in turns]
