"""Gathers what the page of one recording shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from huaxiang.console.present import (
    ScorecardView,
    TurnView,
    clock,
    lanes,
    number,
    page_data,
    scorecard_view,
    turn_views,
)
from huaxiang.console.present_metrics import MetricsView, metrics_view
from huaxiang.console.texts import Texts
from huaxiang.core.types import Insights, Json, Recording, Scorecard, Skipped, Transcript


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a recording so far; None where a stage has not come to it."""

    recording: Recording
    transcript: Transcript | None
    insights: Insights | None
    scorecard: Scorecard | None
    playable: bool
    customer_id: str | None
    error_code: str | None
    error_message: str | None


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
    turns: tuple[TurnView, ...]
    understood: str
    scorecard: ScorecardView | None
    metrics: MetricsView | None
    skipped: tuple[Skipped, ...]
    details: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    error_code: str | None
    error_message: str | None
    data: Json


def recording_page(stored: Stored, text: Texts, zone: tzinfo, nonce: str) -> RecordingPage:
    """Return the page's content; times of day are shown in ``zone``."""
    recording, transcript = stored.recording, stored.transcript
    duration_ms = transcript.duration_ms if transcript else 0
    if recording.audio is not None:
        duration_ms = recording.audio.duration_ms
    turns = tuple(turn_views(transcript, stored.insights, text)) if transcript else ()
    parts = (transcript, stored.insights, stored.scorecard)
    skipped = dict.fromkeys(item for part in parts if part is not None for item in part.skipped)
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
        turns=turns,
        understood=_understood(stored, text),
        scorecard=scorecard_view(stored.scorecard, text) if stored.scorecard else None,
        metrics=metrics_view(stored.insights.metrics, text) if stored.insights else None,
        skipped=tuple(skipped),
        details=tuple(_details(recording, transcript, text, zone)),
        warnings=tuple(_warnings(recording, text)),
        error_code=stored.error_code,
        error_message=stored.error_message,
        data={
            "turns": page_data(turns),
            "peaksUrl": f"/v1/recordings/{recording.id}/peaks",
            "channelRoles": _channel_roles(turns, transcript),
            "nonce": nonce,
        },
    )


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
