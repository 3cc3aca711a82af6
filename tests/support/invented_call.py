"""One invented sales call with everything that the stages store of it, and its audio."""

from __future__ import annotations

import io
import wave
from datetime import UTC, datetime

import numpy as np

from huaxiang.core.evidence import quote
from huaxiang.core.types import (
    AudioInfo,
    CallMetadata,
    Direction,
    Evidence,
    Finding,
    FindingKind,
    Insights,
    Json,
    Recording,
    RecordingStatus,
    Role,
    Scorecard,
    ScorecardItem,
    Setting,
    Skipped,
    Transcript,
    TranscriptQuality,
    Turn,
    Window,
)

SAID: tuple[tuple[Role, str], ...] = (
    (Role.AGENT, "您好，我是云帆软件的小何，您现在说话方便吗？"),
    (Role.CUSTOMER, "方便，你说吧。"),
    (Role.AGENT, "想了解一下，您店里现在有几个导购，客户资料都记在哪里？"),
    (Role.CUSTOMER, "八个导购，资料都在各人手机里，走一个人就丢一批客户。"),
    (Role.AGENT, "这个很多门店都遇到过。佛山一家十二个人的店用了半年，找回四十多个老客户。"),
    (Role.CUSTOMER, "那一年要多少钱？"),
    (Role.AGENT, "八个账号一年是九千六百元，这个月签有培训。"),
    (Role.CUSTOMER, "太贵了吧，我们现在用的那家一年才三千。"),
    (Role.AGENT, "理解，价格是要算清楚。三千的那种不带录音和提醒，保证您肯定赚回来。"),
    (Role.CUSTOMER, "嗯，这倒也是。那我要和我爱人商量一下。"),
    (Role.AGENT, "好的，那周四下午三点我带机器到店里给您演示，可以吗？"),
    (Role.CUSTOMER, "行，周四下午三点你过来吧。"),
    (Role.AGENT, "好，周四下午三点见，谢谢您，再见。"),
)
MS_PER_CHARACTER = 180
GAP_MS = 350
MODEL = "nlp-heads @ 1"
RULES = "entity-grammar @ 1"
DEFINITION = "phone-sales @ 1"
SELLER = "he.yun"
CUSTOMER_REF = "CRM-1001"


def invented_recording(identifier: str) -> Recording:
    """The recording as it stands when all is done."""
    return Recording(
        id=identifier,
        sha256="ab" * 32,
        size_bytes=1_234_567,
        filename="call-0001.wav",
        blob_key=f"received/{identifier}",
        source="api:token:test",
        received_at=datetime(2026, 11, 20, 2, 0, tzinfo=UTC),
        metadata=CallMetadata(
            started_at=datetime(2026, 11, 20, 1, 30, tzinfo=UTC),
            zone="Asia/Shanghai",
            seller=SELLER,
            customer_ref=CUSTOMER_REF,
            direction=Direction.OUTBOUND,
            setting=Setting.PHONE,
            agent_channel=0,
            consent=True,
            title="首次电话：门店客户管理",
        ),
        audio=AudioInfo("pcm_alaw", 8000, 2, invented_transcript(identifier).duration_ms, damaged_frames=2),
        status=RecordingStatus.DONE,
    )


def invented_transcript(identifier: str) -> Transcript:
    """The turns, one after another."""
    turns, position_ms = [], 400
    for index, (role, text) in enumerate(SAID):
        end_ms = position_ms + len(text) * MS_PER_CHARACTER
        confidence = 0.72 if index == 9 else 0.99
        channel = 0 if role is Role.AGENT else 1
        turns.append(Turn(index, role, position_ms, end_ms, text, text, confidence, channel))
        position_ms = end_ms + GAP_MS
    return Transcript(
        recording_id=identifier,
        turns=tuple(turns),
        duration_ms=position_ms + 600,
        channels=2,
        recogniser="whisper-base",
        quality=TranscriptQuality(-0.31, 0.12, 2, {"no_speech": 1}),
        skipped=(Skipped("speaker_embedding", "channel_known", "the channels tell who speaks"),),
    )


def invented_insights(transcript: Transcript) -> Insights:
    """Findings of most kinds, one of them for review, and metrics."""

    def found(
        kind: FindingKind,
        label: str,
        turn: int,
        words: str = "",
        confidence: float = 0.93,
        value: Json = None,
        *,
        source: str = MODEL,
        for_review: bool = False,
    ) -> Finding:
        evidence = said(transcript, turn, words)
        return Finding(kind, label, confidence, source, (evidence,), value, for_review)

    intent, act, entity = FindingKind.INTENT, FindingKind.ACT, FindingKind.ENTITY
    return Insights(
        findings=(
            found(act, "greeting", 0, "您好", 0.98),
            found(act, "self_intro", 0, "我是云帆软件的小何", 0.97),
            found(act, "permission", 0, "您现在说话方便吗", 0.95),
            found(act, "need_discovery", 2, "", 0.9),
            found(intent, "express_need", 3, "走一个人就丢一批客户", 0.88),
            found(FindingKind.NEED, "need", 3, "走一个人就丢一批客户", 0.81, "客户资料留在公司"),
            found(entity, "number", 3, "八个", 1.0, 8, source=RULES),
            found(act, "value_evidence", 4, "佛山一家十二个人的店用了半年", 0.91),
            found(intent, "inquire_price", 5, "多少钱", 0.97),
            found(act, "quote", 6, "八个账号一年是九千六百元", 0.94),
            found(entity, "money", 6, "九千六百元", 1.0, 9600, source=RULES),
            found(FindingKind.OBJECTION, "price", 7, "太贵了吧", 0.96),
            found(intent, "compare_competitor", 7, "我们现在用的那家一年才三千", 0.86),
            found(FindingKind.SENTIMENT, "negative", 7, "", 0.77),
            found(act, "objection_handling", 8, "", 0.89),
            found(act, "overpromise", 8, "保证您肯定赚回来", 0.83),
            found(FindingKind.OBJECTION, "authority", 9, "我要和我爱人商量一下", 0.55, for_review=True),
            found(FindingKind.NEXT_STEP, "demo", 10, "周四下午三点我带机器到店里给您演示", 0.9),
            found(entity, "time", 10, "周四下午三点", 1.0, "2026-11-26T15:00:00+08:00", source=RULES),
            found(intent, "agree_next_step", 11, "", 0.95),
            found(act, "farewell", 12, "再见", 0.97),
        ),
        metrics={
            "duration_ms": transcript.duration_ms,
            "talk_ratio": 0.68,
            "talk_time_ms": {"agent": 33_000, "customer": 15_700, "union": 48_700, "overlap": 0},
            "speech_rate": {"agent": 333.0, "customer": 331.5},
            "longest_monologue_ms": 9_180,
            "question_count": {"agent": 3, "customer": 1},
            "interruption": [],
            "patience_ms": {"median": 350, "p25": 350, "p90": 350},
        },
        skipped=(Skipped("competitor", "no_lexicon", "no list of competitors is configured"),),
        model=MODEL,
    )


def invented_scorecard(transcript: Transcript) -> Scorecard:
    """Passed, failed and not applicable items, an auto-fail, one for review, one window."""

    def item(
        identifier: str,
        passed: bool | None,
        possible: float,
        evidence: tuple[Evidence, ...] = (),
        *,
        window: Window | None = None,
        auto_fail: bool = False,
        confidence: float = 0.95,
    ) -> ScorecardItem:
        return ScorecardItem(
            id=identifier,
            title=identifier,
            passed=passed,
            points=possible if passed else 0,
            possible=possible,
            confidence=confidence,
            evidence=evidence,
            window=window,
            auto_fail=auto_fail,
            for_review=confidence < 0.7,
        )

    whole = Window(0, transcript.duration_ms, 0, len(transcript.turns) - 1)
    return Scorecard(
        definition=DEFINITION,
        score=55,
        possible=80,
        items=(
            item("greeting", True, 10, (said(transcript, 0, "您好"),)),
            item("self_intro", True, 10, (said(transcript, 0, "我是云帆软件的小何"),)),
            item("permission", True, 10, (said(transcript, 0, "您现在说话方便吗"),)),
            item("need_discovery", False, 15, window=whole, confidence=0.62),
            item("value_evidence", True, 15, (said(transcript, 4, "佛山一家十二个人的店用了半年"),)),
            item("objection_handled", None, 0),
            item("next_step_agreed", True, 10, (said(transcript, 11),)),
            item("pressure", True, 0, window=whole, auto_fail=True),
            item("overpromise", False, 10, (said(transcript, 8, "保证您肯定赚回来"),), auto_fail=True),
        ),
        auto_failed=True,
    )


def said(transcript: Transcript, turn: int, words: str = "") -> Evidence:
    """Evidence for some words of a turn, or for all of it."""
    if not words:
        return quote(transcript, turn)
    start = transcript.turns[turn].text.index(words)
    return quote(transcript, turn, start, start + len(words))


def invented_audio(transcript: Transcript) -> bytes:
    """A 16 kHz stereo WAV: a tone on the speaker's channel during each turn, silence between."""
    samples = np.zeros((transcript.duration_ms * 16, 2), dtype=np.float64)
    for turn in transcript.turns:
        first, last = turn.start_ms * 16, turn.end_ms * 16
        times = np.arange(last - first) / 16_000
        envelope = 0.35 + 0.25 * np.sin(2 * np.pi * 3.1 * times + turn.index)
        pitch = 180 if turn.role is Role.AGENT else 240
        samples[first:last, turn.channel] = envelope * np.sin(2 * np.pi * pitch * times)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
