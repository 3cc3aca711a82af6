"""Invents whole conversations, the same ones from the same seed, to measure and to try things with.

Nothing of it was ever said by anybody: the people, firms and sentences are made up here.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from huaxiang.core.types import (
    AudioInfo,
    CallMetadata,
    Direction,
    Insights,
    Recording,
    RecordingStatus,
    Setting,
    Transcript,
    TranscriptQuality,
)
from huaxiang.nlp.call_story import call_story
from huaxiang.nlp.conversation_level import conversation_findings
from huaxiang.nlp.metrics import conversation_metrics
from huaxiang.nlp.objection_course import objection_courses
from huaxiang.quality.history.invented_course import Plan, Style, course
from huaxiang.quality.history.invented_lines import CUSTOMERS, TRADES, Trade
from huaxiang.quality.history.invented_turns import MODEL, findings_of, spoken

FIRST_DAY = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
DEFAULT_WEEKS = 8
_SAMPLE_BYTES_PER_MS = 32


@dataclass(frozen=True, slots=True)
class InventedSeller:
    """A seller of the invented company group, with the way he or she works."""

    key: str
    name: str
    team: str
    trade: int
    style: Style


SELLERS: tuple[InventedSeller, ...] = (
    InventedSeller("he.yun", "何芸", "电话一组", 0, Style(0.95, 0.9, 3, 0.85, 0.9, 0.03, 165)),
    InventedSeller("lu.qiao", "陆乔", "电话一组", 0, Style(0.9, 0.6, 2, 0.7, 0.7, 0.08, 175)),
    InventedSeller("bai.song", "白松", "电话一组", 1, Style(0.8, 0.5, 2, 0.5, 0.6, 0.12, 150)),
    InventedSeller("gu.lan", "顾岚", "电话一组", 1, Style(0.95, 0.8, 3, 0.6, 0.8, 0.02, 180)),
    InventedSeller("ji.ran", "季然", "门店组", 2, Style(0.85, 0.3, 2, 0.8, 0.75, 0.05, 170)),
    InventedSeller("mo.xi", "莫曦", "门店组", 2, Style(0.6, 0.2, 1, 0.6, 0.4, 0.18, 140)),
    InventedSeller("tang.wei", "唐惟", "门店组", 3, Style(0.9, 0.4, 3, 0.9, 0.85, 0.04, 185)),
    InventedSeller("ye.zhou", "叶舟", "门店组", 3, Style(0.7, 0.2, 1, 0.4, 0.5, 0.15, 155)),
    InventedSeller("qin.mu", "秦牧", "方案组", 4, Style(0.95, 0.7, 4, 0.9, 0.9, 0.01, 190)),
    InventedSeller("shen.ke", "沈可", "方案组", 4, Style(0.9, 0.6, 2, 0.7, 0.6, 0.06, 175)),
    InventedSeller("fang.ji", "方霁", "方案组", 0, Style(0.85, 0.7, 2, 0.5, 0.7, 0.07, 160)),
    InventedSeller("ruan.an", "阮安", "方案组", 1, Style(0.75, 0.4, 1, 0.3, 0.5, 0.2, 145)),
)


@dataclass(frozen=True, slots=True)
class InventedConversation:
    """One conversation as the stages would have left it; ``outcome`` is ``won``, ``lost`` or ``open``."""

    recording: Recording
    transcript: Transcript
    insights: Insights
    seller: InventedSeller
    trade: str
    outcome: str


def invented_history(
    count: int, *, seed: int = 1, weeks: int = DEFAULT_WEEKS, first_day: datetime = FIRST_DAY, start: int = 0
) -> Iterator[InventedConversation]:
    """Give conversations number ``start`` to ``start + count`` of the history that ``seed`` stands for.

    They are spread over ``weeks`` from ``first_day`` (aware) and over all sellers in turn. Each one
    depends on the seed and its own number alone, so a history can be invented in parts.
    """
    for number in range(start, start + count):
        yield _invent(random.Random(f"{seed}/{number}"), number, weeks, first_day)  # noqa: S311 # not a secret


def _invent(rng: random.Random, number: int, weeks: int, first_day: datetime) -> InventedConversation:
    seller = SELLERS[number % len(SELLERS)]
    trade = TRADES[seller.trade]
    started_at = first_day + timedelta(
        days=rng.randrange(weeks * 7), minutes=rng.randrange(10 * 60), seconds=rng.randrange(60)
    )
    plan = Plan(trade, seller.name, rng.choice(CUSTOMERS), seller.style)
    lines, outcome = course(rng, plan)
    identifier = _id(rng, started_at)
    turns, marks = spoken(rng, lines, seller.style.ms_per_character)
    transcript = Transcript(
        recording_id=identifier,
        turns=turns,
        duration_ms=turns[-1].end_ms + 800,
        channels=2 if trade.setting is Setting.PHONE else 1,
        recogniser="invented @ 1",
        quality=TranscriptQuality(round(-0.2 - rng.random() / 4, 3), round(rng.random() / 5, 3)),
    )
    return InventedConversation(
        recording=_recording(rng, number, identifier, started_at, seller, trade, transcript.duration_ms),
        transcript=transcript,
        insights=_insights(rng, transcript, marks),
        seller=seller,
        trade=trade.id,
        outcome=outcome,
    )


def _insights(
    rng: random.Random, transcript: Transcript, marks: list[tuple[int, str, str, int, int]]
) -> Insights:
    findings = findings_of(rng, transcript, marks)
    findings += conversation_findings(transcript, findings)
    findings += (*objection_courses(transcript, findings), *call_story(transcript, findings))
    metrics, skipped = conversation_metrics(transcript, findings)
    named = (replace(finding, id=str(uuid.UUID(int=rng.getrandbits(128), version=4))) for finding in findings)
    return Insights(tuple(sorted(named, key=lambda finding: finding.turn)), metrics, skipped, MODEL)


def _recording(
    rng: random.Random,
    number: int,
    identifier: str,
    started_at: datetime,
    seller: InventedSeller,
    trade: Trade,
    duration_ms: int,
) -> Recording:
    phone = trade.setting is Setting.PHONE
    return Recording(
        id=identifier,
        sha256=f"{rng.getrandbits(256):064x}",
        size_bytes=duration_ms * _SAMPLE_BYTES_PER_MS,
        filename=f"invented-{number:05}.wav",
        blob_key=f"received/{identifier}",
        source="invented",
        received_at=started_at + timedelta(milliseconds=duration_ms + 60_000),
        metadata=CallMetadata(
            started_at=started_at,
            zone="Asia/Shanghai",
            seller=seller.key,
            customer_ref=f"INV-{number * 2 // 3:05}",
            direction=rng.choice((Direction.INBOUND, Direction.OUTBOUND)) if phone else None,
            setting=trade.setting,
            agent_channel=0 if phone else None,
            consent=True,
            title=f"{trade.product} · {number:05}",
            device=f"badge-{seller.key}",
        ),
        audio=AudioInfo("pcm_s16le", 16_000, 2 if phone else 1, duration_ms),
        status=RecordingStatus.DONE,
    )


def _id(rng: random.Random, moment: datetime) -> str:
    """Return a UUIDv7 (RFC 9562) of a moment, its random bits from ``rng``."""
    bits = int(moment.timestamp() * 1000) << 80 | rng.getrandbits(80)
    bits = bits & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=bits & ~(0x3 << 62) | 0x2 << 62))
