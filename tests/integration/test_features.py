"""Stored features: what was stored comes back, whole, on both databases, and goes with its recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from history import add_history
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound, StorageError
from huaxiang.core.types import CallMetadata, Json, Role, Transcript, Turn
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.history.features import pack, unpack
from huaxiang.quality.history.invented import InventedConversation, invented_history
from huaxiang.quality.history.store import FeatureStore, pages
from huaxiang.quality.history.tables import FeaturesRow

STORE = FeatureStore()
TOLD: dict[str, Json] = {"seller": "he.yun", "duration": 61.5, "tags": ["price", "stage=open"]}


def store_features(session: Session, conversations: list[InventedConversation]) -> None:
    for conversation in conversations:
        recording, transcript = conversation.recording, conversation.transcript
        STORE.save(session, recording, transcript, conversation.insights, TOLD)


def without_raw(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """No rule reads the raw text, and it is not kept."""
    return tuple(replace(turn, raw_text="") for turn in turns)


def test_what_is_unpacked_is_what_was_packed() -> None:
    for conversation in invented_history(20):
        features = unpack(pack(TOLD, conversation.transcript, conversation.insights))
        assert features.transcript.turns == without_raw(conversation.transcript.turns)
        assert features.transcript.duration_ms == conversation.transcript.duration_ms
        assert features.told == TOLD
        assert features.insights.metrics == conversation.insights.metrics
        stored = sorted(conversation.insights.findings, key=lambda finding: (finding.turn, finding.id))
        found = features.insights.findings
        assert [replace(finding, id="") for finding in found] == [replace(f, id="") for f in stored]


def test_words_are_those_of_before_however_they_are_asked_for() -> None:
    conversation = next(iter(invented_history(1)))
    turn = conversation.transcript.turns[3]
    features = unpack(pack(TOLD, conversation.transcript, conversation.insights))
    words = features.transcript.turns[3].words
    assert len(words) == len(turn.words) > 2
    assert words == turn.words
    assert words[-1] == turn.words[-1]
    assert list(words[1:3]) == list(turn.words[1:3])
    assert "".join(word.text for word in words) == turn.raw_text


def test_a_typed_conversation_of_which_nothing_was_told_is_kept() -> None:
    conversation = next(iter(invented_history(1)))
    turns = (Turn(4, Role.UNKNOWN, 0, 0, "你好，在吗？"), Turn(7, Role.CUSTOMER, 0, 0, "在", "在。", 0.5, 1))
    transcript = Transcript(conversation.recording.id, turns, 0, timed=False)
    features = unpack(pack({}, transcript, replace(conversation.insights, findings=())))
    assert features.transcript.timed is False
    assert features.told == {}
    assert features.transcript.turns == without_raw(turns)


def test_an_encoding_of_another_version_is_refused_with_its_cure() -> None:
    with pytest.raises(StorageError, match="rules index"):
        unpack(b"", 99)


def test_the_same_is_judged_from_features_as_from_the_stages(sessions: sessionmaker[Session]) -> None:
    conversations = add_history(sessions, 24)
    inspector = Inspector(default_scorecard())
    with transaction(sessions) as session:
        store_features(session, conversations)
    scanned = [packed for page in pages(sessions, limit=7) for packed in page]
    assert len(scanned) == 24
    with transaction(sessions) as session:
        for packed in scanned:
            features = packed.features()
            transcript = TranscriptStore().load(session, packed.recording_id)
            insights = InsightsStore().load(session, packed.recording_id)
            again = inspector.inspect(features.transcript, features.insights)
            assert again == inspector.inspect(transcript, insights)


def test_the_history_is_read_in_the_order_of_its_conversations_from_a_day_on(
    sessions: sessionmaker[Session],
) -> None:
    conversations = add_history(sessions, 12)
    with transaction(sessions) as session:
        store_features(session, conversations)
        begun = sorted(
            c.recording.metadata.started_at for c in conversations if c.recording.metadata.started_at
        )
        since = begun[5] - timedelta(seconds=1)
        assert STORE.count(session, since) == 7
    scanned = [packed for page in pages(sessions, since, limit=4) for packed in page]
    assert [packed.started_at for packed in scanned] == begun[5:]
    assert {packed.seller for packed in scanned} <= {c.seller.key for c in conversations}


def test_what_has_no_features_or_old_ones_is_missing(sessions: sessionmaker[Session]) -> None:
    conversations = add_history(sessions, 4)
    identifiers = sorted(conversation.recording.id for conversation in conversations)
    with transaction(sessions) as session:
        assert STORE.missing(session) == identifiers
        store_features(session, conversations)
        assert STORE.missing(session) == []
        session.execute(
            update(FeaturesRow).where(FeaturesRow.recording_id == identifiers[0]).values(encoding=0)
        )
        InsightsStore().save(session, identifiers[1], InsightsStore().load(session, identifiers[1]), "0" * 64)
        assert STORE.missing(session) == identifiers[:2]


def test_features_go_with_their_recording(sessions: sessionmaker[Session]) -> None:
    conversations = add_history(sessions, 2)
    with transaction(sessions) as session:
        store_features(session, conversations)
        session.execute(delete(RecordingRow).where(RecordingRow.id == conversations[0].recording.id))
        assert session.scalar(select(func.count()).select_from(FeaturesRow)) == 1
        with pytest.raises(NotFound):
            STORE.load(session, conversations[0].recording.id)


def test_a_recording_that_does_not_say_when_it_began_counts_from_when_it_came(
    sessions: sessionmaker[Session],
) -> None:
    conversation = add_history(sessions, 1)[0]
    recording = replace(conversation.recording, metadata=CallMetadata())
    with transaction(sessions) as session:
        STORE.save(session, recording, conversation.transcript, conversation.insights, {})
        assert STORE.page(session)[0].started_at == recording.received_at
        assert RecordingStore().get(session, recording.id).received_at == recording.received_at
