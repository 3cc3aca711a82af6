"""Gathers what the page of one recording shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from huaxiang.api.progress import StageProgress
from huaxiang.api.workflow import STAGE_NAMES
from huaxiang.console.present import (
    TurnView,
    clock,
    lanes,
    moments,
    number,
    page_data,
    turn_views,
)
from huaxiang.console.present_corrections import (
    CorrectionView,
    TurnForm,
    correction_views,
)
from huaxiang.console.present_doubt import Doubt, DoubtView, doubt_views, doubts_of
from huaxiang.console.present_metrics import MetricsView, metrics_view
from huaxiang.console.present_progress import ProgressView, step_views
from huaxiang.console.present_scorecard import ScorecardView, scorecard_views
from huaxiang.console.texts import Texts
from huaxiang.core.types import Insights, Json, Recording, RecordingStatus, Scorecard, Skipped, Transcript
from huaxiang.quality.review.corrections import Correction, touched_turns
from huaxiang.quality.review.final_score import FinalScore


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a recording so far; None or empty where a stage has not come to it.

    ``transcript`` and ``insights`` are what people say they are, ``automatic`` is the transcript as it was
    recognised, and ``log`` the corrections between. ``finals`` are the scores that hold where people
    looked at them, ``grades`` their grades, by definition. ``reader`` is the key of who looks,
    ``decides`` whether they decide on proposals, ``corrects`` whether they may correct at all.
    """

    recording: Recording
    transcript: Transcript | None
    insights: Insights | None
    scorecards: tuple[Scorecard, ...]
    playable: bool
    customer_id: str | None
    error_code: str | None
    error_message: str | None
    finals: Mapping[str, FinalScore] = field(default_factory=dict)
    grades: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    automatic: Transcript | None = None
    log: tuple[Correction, ...] = ()
    reader: str = ""
    decides: bool = False
    corrects: bool = False
    progress: StageProgress | None = None


@dataclass(frozen=True, slots=True)
class SkippedView:
    """What was not analysed, and why, in the page's language where the reason has a code."""

    feature: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """Everything that ``recording.html`` shows."""

    id: str
    title: str
    status: str
    facts: tuple[str, ...]
    customer: str | None
    customer_url: str | None
    audio_url: str | None
    duration_ms: int
    lanes: Mapping[str, Sequence[tuple[int, int]]]
    moments: Sequence[tuple[int, int, str]]
    turns: tuple[TurnView, ...]
    understood: str
    doubts: tuple[DoubtView, ...]
    scorecards: tuple[ScorecardView, ...]
    metrics: MetricsView | None
    skipped: tuple[SkippedView, ...]
    details: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    error_code: str | None
    error_words: str
    error_message: str | None
    data: Json
    corrections: tuple[CorrectionView, ...]
    corrects: bool
    decides: bool
    progress: ProgressView | None
    form: TurnForm | None = None


def recording_page(stored: Stored, text: Texts, zone: tzinfo, nonce: str) -> RecordingPage:
    """Return the page's content; times of day are shown in ``zone``."""
    recording, transcript = stored.recording, stored.transcript
    duration_ms = transcript.duration_ms if transcript else 0
    if recording.audio is not None:
        duration_ms = recording.audio.duration_ms
    badly = _doubts(stored)
    turns = _turns(stored, badly, text)
    return RecordingPage(
        id=recording.id,
        title=recording.metadata.title or recording.filename,
        status=recording.status.value,
        facts=_facts(recording, duration_ms, text, zone),
        customer=recording.metadata.customer_ref,
        customer_url=f"/customers/{stored.customer_id}" if stored.customer_id else None,
        audio_url=f"/v1/recordings/{recording.id}/audio" if stored.playable else None,
        duration_ms=duration_ms,
        lanes=lanes(turns, duration_ms) if duration_ms else {},
        moments=moments(turns, duration_ms) if duration_ms else (),
        turns=turns,
        understood=_understood(stored, text),
        doubts=doubt_views(transcript, stored.insights, badly) if transcript else (),
        scorecards=scorecard_views(stored.scorecards, text, stored.finals, stored.grades),
        metrics=metrics_view(stored.insights.metrics, text) if stored.insights else None,
        skipped=_skipped(stored, text),
        details=tuple(_details(recording, transcript, text, zone)),
        warnings=tuple(_warnings(recording, text)),
        error_code=stored.error_code,
        error_words=text.words.get(f"error.{stored.error_code}", ""),
        error_message=stored.error_message,
        data={
            "turns": page_data(turns),
            "peaksUrl": f"/v1/recordings/{recording.id}/peaks",
            "channelRoles": _channel_roles(turns, transcript),
            "nonce": nonce,
        },
        corrections=_corrections(stored, text, zone),
        corrects=stored.corrects and bool(turns) and stored.insights is not None,
        decides=stored.decides,
        progress=progress_view(recording, stored.progress, len(turns), text),
    )


def progress_view(
    recording: Recording, progress: StageProgress | None, turns: int, text: Texts
) -> ProgressView | None:
    """Return how far a recording is; None for one that is done or has failed."""
    if recording.status not in (RecordingStatus.RECEIVED, RecordingStatus.PROCESSING):
        return None
    steps = step_views(progress, STAGE_NAMES, text)
    return ProgressView(recording.id, recording.status.value, turns, steps)


def local_time(moment: datetime | None, zone: tzinfo) -> str:
    """Return a time of day as people write it, to the minute."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else ""


def _facts(recording: Recording, duration_ms: int, text: Texts, zone: tzinfo) -> tuple[str, ...]:
    metadata = recording.metadata
    facts = [local_time(metadata.started_at or recording.received_at, zone)]
    if duration_ms:
        facts.append(clock(duration_ms))
    if metadata.setting:
        facts.append(text(f"setting.{metadata.setting.value}"))
    if metadata.direction:
        facts.append(text(f"direction.{metadata.direction.value}"))
    if metadata.seller:
        facts.append(f"{text('column.seller')} {metadata.seller}")
    return tuple(facts)


def _understood(stored: Stored, text: Texts) -> str:
    """Return how much was found in the turns, or that nobody looked yet."""
    if stored.insights is None:
        return text("summary.not_yet")
    count = len(stored.insights.findings)
    return text("summary.found", count=count) if count else text("summary.none")


def _doubts(stored: Stored) -> Mapping[int, Sequence[Doubt]]:
    """Return what was heard badly, by turn; a text that a person wrote is not in doubt."""
    if stored.transcript is None:
        return {}
    heard = {turn.index: turn.text for turn in (stored.automatic or stored.transcript).turns}
    return {
        turn.index: doubts_of(turn) for turn in stored.transcript.turns if heard.get(turn.index) == turn.text
    }


def _turns(stored: Stored, badly: Mapping[int, Sequence[Doubt]], text: Texts) -> tuple[TurnView, ...]:
    if stored.transcript is None:
        return ()
    touched = touched_turns(stored.log)
    views = turn_views(stored.transcript, stored.insights, text, badly)
    return tuple(replace(view, is_corrected=view.index in touched) for view in views)


def _corrections(stored: Stored, text: Texts, zone: tzinfo) -> tuple[CorrectionView, ...]:
    if stored.transcript is None:
        return ()
    return correction_views(stored.log, stored.transcript, text, zone, stored.reader, decides=stored.decides)


def _skipped(stored: Stored, text: Texts) -> tuple[SkippedView, ...]:
    parts = (stored.transcript, stored.insights, *stored.scorecards)
    found: dict[Skipped, None] = dict.fromkeys(one for part in parts if part for one in part.skipped)
    return tuple(
        SkippedView(
            text.label("skipped.feature", one.feature),
            one.code,
            text.words.get(f"skipped.{one.code}", one.message),
        )
        for one in found
    )


def _channel_roles(turns: Sequence[TurnView], transcript: Transcript | None) -> list[Json]:
    """Return for each channel the role that speaks most on it, by which its waveform is coloured."""
    if transcript is None:
        return []
    talk: list[dict[str, int]] = [{} for _ in range(max(transcript.channels, 1))]
    for turn, view in zip(transcript.turns, turns, strict=True):
        if turn.channel < len(talk):
            channel = talk[turn.channel]
            channel[view.role] = channel.get(view.role, 0) + turn.end_ms - turn.start_ms
    return [max(channel, key=lambda role: channel[role]) if channel else "unknown" for channel in talk]


def _warnings(recording: Recording, text: Texts) -> list[str]:
    audio = recording.audio
    if audio is None:
        return []
    found = []
    if audio.truncated:
        found.append(text("recording.truncated"))
    if audio.damaged_frames:
        found.append(text("recording.damaged", count=audio.damaged_frames))
    return found


def _details(
    recording: Recording, transcript: Transcript | None, text: Texts, zone: tzinfo
) -> list[tuple[str, str]]:
    metadata, audio = recording.metadata, recording.audio
    lines = [
        (text("recording.filename"), recording.filename),
        (text("recording.received_at"), local_time(recording.received_at, zone)),
        (text("recording.source"), recording.source),
        (text("recording.consent"), text({True: "yes", False: "no", None: "unknown"}[metadata.consent])),
        (text("recording.sha256"), f"{recording.sha256[:16]}…"),
    ]
    if audio is not None:
        lines.append(
            (
                text("recording.format"),
                f"{audio.codec} · {number(audio.sample_rate / 1000)} kHz · {audio.channels}ch",
            )
        )
        if audio.dual_mono:
            lines.append(("", text("recording.dual_mono")))
    if transcript is not None:
        lines += _quality(transcript, text)
    return lines


def _quality(transcript: Transcript, text: Texts) -> list[tuple[str, str]]:
    quality = transcript.quality
    lines = []
    if transcript.recogniser:
        lines.append((text("quality.recogniser"), transcript.recogniser))
    if quality.mean_log_probability is not None:
        lines.append((text("quality.mean_log_probability"), f"{quality.mean_log_probability:.2f}"))
    if quality.no_speech_share is not None:
        lines.append((text("quality.no_speech_share"), f"{quality.no_speech_share:.0%}"))
    dropped = sum(quality.dropped.values())
    if dropped:
        lines.append((text("quality.dropped"), str(dropped)))
    return lines
