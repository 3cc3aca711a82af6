"""Measures how long the whole stored history takes to be scored again, beside scoring each call anew."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import make_engine, session_factory, transaction
from huaxiang.core.migrations import upgrade
from huaxiang.core.types import FindingKind, Json, Role, Scorecard
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.definition import (
    FindingCondition,
    Item,
    KeywordCondition,
    PatternCondition,
    Place,
    ScorecardDefinition,
)
from huaxiang.quality.heard import Told, told_of
from huaxiang.quality.history.compare import compare
from huaxiang.quality.history.invented import InventedConversation, invented_history
from huaxiang.quality.history.judging import Judging, marks_of
from huaxiang.quality.history.store import FeatureStore, Packed, pages
from huaxiang.quality.history.sweep import Sweep

CONVERSATIONS = 10_000
Advance = Callable[[float], None]
_DIGEST = "0" * 64
_PART = 200
_FILLED, _SWEPT = 0.5, 0.6
"""Where the progress stands after the store is filled, and after the history was scored again."""


def bench_store(
    conversations: int, advance: Advance, engine: Engine | None = None, processes: int | None = None
) -> dict[str, Json]:
    """Fill a store with invented conversations, try a changed scorecard on it, and return the figures.

    ``rescore_s`` is the wall time of the whole comparison (every item of both scorecards judged on every
    stored conversation by ``processes`` processes, their start included, and added up by seller and team),
    ``one_process_s`` the same in one process. ``plain_s`` is the time to load each conversation from the
    stores of transcripts and insights and score it by the changed scorecard alone, in one process;
    ``ratio`` is ``plain_s`` over ``rescore_s``. ``same_scores`` says whether each of the scorecards,
    evidence and all, was the same both ways. ``engine`` is a migrated empty database; without it a SQLite
    file is made for the time.
    """
    if engine is not None:
        return _bench(session_factory(engine), conversations, advance, processes)
    with tempfile.TemporaryDirectory(prefix="huaxiang-") as folder:
        own = make_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            upgrade(own)
            return _bench(session_factory(own), conversations, advance, processes)
        finally:
            own.dispose()


def _bench(
    sessions: sessionmaker[Session], conversations: int, advance: Advance, processes: int | None
) -> dict[str, Json]:
    started = time.perf_counter()
    _fill(sessions, conversations, advance)
    fill_s = time.perf_counter() - started
    before = default_scorecard()
    after = changed_scorecard(before)
    workers = processes or os.cpu_count() or 1
    rescore_s, changed = _timed_comparison(sessions, before, after, workers)
    one_process_s, _ = _timed_comparison(sessions, before, after, 1)
    advance(_SWEPT)
    plain_s, same = _scored_anew(sessions, after, conversations, advance)
    stored_bytes = sum(len(packed.payload) for page in pages(sessions) for packed in page)
    return {
        "conversations": conversations,
        "items": len(before.items) + len(after.items),
        "changed": changed,
        "rescore_s": round(rescore_s, 2),
        "per_s": round(conversations / rescore_s),
        "processes": workers,
        "one_process_s": round(one_process_s, 2),
        "plain_s": round(plain_s, 2),
        "ratio": round(plain_s / rescore_s, 1),
        "same_scores": same == conversations,
        "compared": same,
        "bytes_each": round(stored_bytes / conversations),
        "fill_s": round(fill_s, 1),
    }


def _timed_comparison(
    sessions: sessionmaker[Session], before: ScorecardDefinition, after: ScorecardDefinition, workers: int
) -> tuple[float, int]:
    started = time.perf_counter()
    judged = Sweep(sessions, workers).results(Judging.by((before, after), {}))
    comparison = compare(before, after, judged, {})
    return time.perf_counter() - started, comparison.whole.changed


def _scored_anew(
    sessions: sessionmaker[Session], definition: ScorecardDefinition, conversations: int, advance: Advance
) -> tuple[float, int]:
    """Return the seconds that scoring each call anew takes, and how many come to the very same.

    Reading what the other way came to, and comparing, is not counted.
    """
    recordings, transcripts, insights = RecordingStore(), TranscriptStore(), InsightsStore()
    inspector, judging = Inspector(definition), Judging.by([definition], {})
    plain_s, same, done = 0.0, 0, 0
    for page in pages(sessions, limit=_PART):
        started = time.perf_counter()
        anew: list[Scorecard] = []
        with transaction(sessions) as session:
            for packed in page:
                transcript = transcripts.load(session, packed.recording_id)
                told = told_of(recordings.get(session, packed.recording_id), transcript, UTC)
                heard = insights.load(session, packed.recording_id)
                anew.append(inspector.inspect(transcript, heard, told))
        plain_s += time.perf_counter() - started
        same += _agreeing(judging, page, anew)
        done += len(page)
        advance(_SWEPT + (1 - _SWEPT) * done / conversations)
    return plain_s, same


def _agreeing(judging: Judging, page: Sequence[Packed], anew: Sequence[Scorecard]) -> int:
    agreeing = 0
    for packed, scorecard in zip(page, anew, strict=True):
        (swept,) = judging(packed).marks
        (full,) = judging.scorecards(packed)
        agreeing += full == scorecard and swept == marks_of(scorecard)
    return agreeing


def _fill(sessions: sessionmaker[Session], conversations: int, advance: Advance) -> None:
    done = 0
    for part in _invented_parts(conversations):
        with transaction(sessions) as session:
            for conversation in part:
                store_conversation(session, conversation)
        done += len(part)
        advance(_FILLED * done / conversations)


def _invented_parts(conversations: int) -> Iterator[list[InventedConversation]]:
    make = partial(invented_history, seed=1)
    for start in range(0, conversations, _PART):
        yield list(make(min(_PART, conversations - start), start=start))


def store_conversation(session: Session, conversation: InventedConversation) -> Told:
    """Store an invented conversation through the stages' own stores, with its features."""
    recording, transcript, insights = conversation.recording, conversation.transcript, conversation.insights
    RecordingStore().add(session, recording)
    TranscriptStore().save(session, transcript, _DIGEST)
    InsightsStore().save(session, recording.id, insights, _DIGEST)
    told = told_of(recording, transcript, UTC)
    FeatureStore().save(session, recording, transcript, insights, told.values)
    return told


def changed_scorecard(definition: ScorecardDefinition) -> ScorecardDefinition:
    """Return the scorecard with two items asked for differently, and two new ones that read the text."""
    tenth, half = Place("first", 10, "percent"), Place("last", 50, "percent")
    moved = {
        "greeting": FindingCondition(FindingKind.ACT, frozenset({"greeting"}), place=tenth),
        "need_discovery": FindingCondition(FindingKind.ACT, frozenset({"need_discovery"}), at_least=2),
    }
    items = tuple(
        replace(item, condition=moved[item.id]) if item.id in moved else item for item in definition.items
    )
    section = definition.items[0].section
    notice = KeywordCondition(("录音",), role=Role.AGENT)
    price = PatternCondition(r"\d+(?:\.\d+)?\s*元", unless="不收|免费", role=Role.AGENT, place=half)
    added = (
        Item("recording_notice", "告知录音", "Tells of the recording", 5, notice, section=section),
        Item("price_in_figures", "报价清楚", "Names the price", 5, price, section=section),
    )
    return replace(definition, version=definition.version + 1, items=items + added)
