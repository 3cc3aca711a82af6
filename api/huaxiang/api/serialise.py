"""The JSON of the project: pure functions from the frozen dataclasses to the shapes that are promised.

The same shapes are printed by ``--json``, answered by ``/v1`` and read by the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from huaxiang.core.types import (
    CallMetadata,
    Evidence,
    Finding,
    Insights,
    Json,
    Recording,
    Scorecard,
    ScorecardItem,
    Skipped,
    Tag,
    Transcript,
    Turn,
)

JsonObject = dict[str, Json]


def time_json(value: datetime | None) -> str | None:
    """Return an RFC 3339 time in UTC with a ``Z``, or null."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def evidence_json(evidence: Iterable[Evidence]) -> list[Json]:
    """Return evidence as a list of spans with their quotes and their seconds of audio."""
    return [span_json(item) for item in evidence]


def span_json(evidence: Evidence) -> JsonObject:
    """Return one quoted span with its second of audio."""
    return {
        "turn": evidence.turn,
        "char_start": evidence.char_start,
        "char_end": evidence.char_end,
        "start_ms": evidence.start_ms,
        "end_ms": evidence.end_ms,
        "quote": evidence.quote,
    }


def turn_json(turn: Turn, *, timed: bool = True) -> JsonObject:
    """Return one turn with its words; the positions of a typed conversation are null."""
    return {
        "index": turn.index,
        "role": turn.role.value,
        "role_confidence": round(turn.role_confidence, 4),
        "channel": turn.channel,
        "speaker": turn.speaker,
        "overlap": turn.overlap,
        "start_ms": turn.start_ms if timed else None,
        "end_ms": turn.end_ms if timed else None,
        "text": turn.text,
        "raw_text": turn.raw_text or turn.text,
        "words": [
            {
                "start_ms": word.start_ms,
                "end_ms": word.end_ms,
                "text": word.text,
                "confidence": round(word.confidence, 4),
            }
            for word in turn.words
        ],
    }


def finding_json(finding: Finding) -> JsonObject:
    """Return one finding with its evidence."""
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "label": finding.label,
        "value": finding.value,
        "confidence": round(finding.confidence, 4),
        "for_review": finding.for_review,
        "source": finding.source,
        "evidence": evidence_json(finding.evidence),
    }


def skipped_json(skipped: Iterable[Skipped]) -> list[Json]:
    """Return what was not done, each with its reason."""
    return [asdict(item) for item in skipped]


def _item_json(item: ScorecardItem) -> JsonObject:
    window: JsonObject | None = None
    if item.window is not None:
        window = {
            "start_ms": item.window.start_ms,
            "end_ms": item.window.end_ms,
            "first_turn": item.window.first_turn,
            "last_turn": item.window.last_turn,
        }
    return {
        "id": item.id,
        "title": item.title,
        "title_en": item.title_en,
        "section": item.section,
        "passed": item.passed,
        "points": item.points,
        "possible": item.possible,
        "confidence": round(item.confidence, 4),
        "auto_fail": item.auto_fail,
        "for_review": item.for_review,
        "suggest_only": item.suggest_only,
        "reason": item.reason,
        "reason_code": item.reason_code,
        "reason_detail": item.reason_detail,
        "evidence": evidence_json(item.evidence),
        "window": window,
    }


def scorecard_json(scorecard: Scorecard) -> JsonObject:
    """Return a scorecard with its items."""
    return {
        "definition": scorecard.definition,
        "title": scorecard.title,
        "title_en": scorecard.title_en,
        "score": scorecard.score,
        "possible": scorecard.possible,
        "auto_failed": scorecard.auto_failed,
        "grade": _grade_json(scorecard),
        "sections": [asdict(section) for section in scorecard.sections],
        "items": [_item_json(item) for item in scorecard.items],
        "skipped": skipped_json(scorecard.skipped),
    }


def _grade_json(scorecard: Scorecard) -> JsonObject | None:
    if not scorecard.grade_id:
        return None
    return {"id": scorecard.grade_id, "title": scorecard.grade, "title_en": scorecard.grade_en}


def tag_json(tag: Tag) -> JsonObject:
    """Return one tag with its source, time and evidence."""
    return {
        "key": tag.key,
        "value": tag.value,
        "confidence": round(tag.confidence, 4),
        "source": tag.source,
        "observed_at": time_json(tag.observed_at),
        "evidence": [
            {"recording_id": evidence.recording_id, **span_json(evidence)} for evidence in tag.evidence
        ],
    }


def metadata_json(metadata: CallMetadata) -> JsonObject:
    """Return what was told about a recording; unknown fields are null."""
    return {
        "started_at": time_json(metadata.started_at),
        "zone": metadata.zone,
        "seller": metadata.seller,
        "customer_ref": metadata.customer_ref,
        "direction": metadata.direction.value if metadata.direction else None,
        "setting": metadata.setting.value if metadata.setting else None,
        "agent_channel": metadata.agent_channel,
        "consent": metadata.consent,
        "title": metadata.title,
    }


def recording_json(recording: Recording) -> JsonObject:
    """Return a recording without its content: identity, state, format, metadata."""
    audio = recording.audio
    return {
        "id": recording.id,
        "sha256": recording.sha256,
        "size_bytes": recording.size_bytes,
        "filename": recording.filename,
        "source": recording.source,
        "status": recording.status.value,
        "received_at": time_json(recording.received_at),
        "duration_ms": audio.duration_ms if audio else None,
        "channels": audio.channels if audio else None,
        "audio": asdict(audio) if audio else None,
        "metadata": metadata_json(recording.metadata),
    }


def quality_json(transcript: Transcript) -> JsonObject:
    """Return how far a transcript may be trusted."""
    quality = transcript.quality
    return {
        "mean_log_probability": quality.mean_log_probability,
        "no_speech_share": quality.no_speech_share,
        "damaged_frames": quality.damaged_frames,
        "dropped": dict(quality.dropped),
        "repaired": quality.repaired,
    }


def conversation_json(
    identifier: str,
    recording: Recording | None,
    transcript: Transcript,
    insights: Insights | None = None,
    scorecards: Sequence[Scorecard] = (),
    tags: Iterable[Tag] = (),
    left_out: Iterable[Skipped] = (),
) -> JsonObject:
    """Return the one object that ``process``, ``transcribe`` and ``analyze`` print a conversation.

    ``scorecards`` has the main one first, which is ``scorecard`` too; ``left_out`` is what inspection
    skipped.
    """
    skipped = [
        *transcript.skipped,
        *(insights.skipped if insights else ()),
        *left_out,
    ]
    return {
        "id": identifier,
        "recording": recording_json(recording) if recording else None,
        "turns": [turn_json(turn, timed=transcript.timed) for turn in transcript.turns],
        "findings": [finding_json(finding) for finding in insights.findings] if insights else [],
        "metrics": dict(insights.metrics) if insights else {},
        "scorecard": scorecard_json(scorecards[0]) if scorecards else None,
        "scorecards": [scorecard_json(scorecard) for scorecard in scorecards],
        "tags": [tag_json(tag) for tag in tags],
        "quality": quality_json(transcript),
        "skipped": skipped_json(dict.fromkeys(skipped)),
    }
