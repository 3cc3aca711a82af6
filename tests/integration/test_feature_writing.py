"""What rules see is written with every recording, follows corrections, and is made up for older ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from api_world import make_services
from history import add_history
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from tried import SHANGHAI, writer_of
from typer.testing import CliRunner

from huaxiang.api.command import app
from huaxiang.api.corrections import Corrections
from huaxiang.api.history.features import index_history, missing_features
from huaxiang.api.history.meaning import Meaning
from huaxiang.api.pipeline import Pipeline, tag_names
from huaxiang.api.search.suite import build_search
from huaxiang.api.workflow import RecordingWorkflow, Stores
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.blobs import MemoryBlobs
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Insights, Recording, Transcript, Turn
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.nlp.encoder import ScriptedEncoder, Vectors
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.profile.coaching.sellers import SellerStore, SellerValues
from huaxiang.profile.tags import tags_from
from huaxiang.quality.history.invented import InventedConversation
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.corrections import Change, CorrectionKind
from huaxiang.quality.review.outcomes import Actor
from huaxiang.quality.scorecard_store import ScorecardStore

MEI = Actor("user:mei", "mei")
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Understands:
    """A language stage that is given what it finds."""

    def __init__(self, insights: Insights) -> None:
        self._insights = insights

    def run(self, transcript: Transcript, recording: Recording | None = None) -> Insights:
        return self._insights


def never(source: Path, target: Path) -> NoReturn:
    raise AssertionError("nothing is decoded here")


def workflow_of(sessions: sessionmaker[Session], insights: Insights) -> RecordingWorkflow:
    """Return the stages over real stores, with a language stage that finds ``insights``."""
    features = writer_of()
    inspecting = features.inspecting
    pipeline = Pipeline(
        Understands(insights), inspecting.inspection, tags_from, SHANGHAI, decode=never, speech=Mute()
    )
    with transaction(sessions) as session:
        search = build_search(session.get_bind().engine)
    stores = Stores(RecordingStore(), TranscriptStore(), InsightsStore(), ScorecardStore(), search)
    return RecordingWorkflow(
        decode=never,
        pipeline=lambda: pipeline,
        sessions=sessions,
        blobs=MemoryBlobs(),
        stores=stores,
        lock_digest="0" * 64,
        country="CN",
        inspecting=inspecting,
        corrections=Corrections(sessions, stores, inspecting),
        features=features,
    )


class Mute:
    """A speech stage that nobody asks for."""

    def run(self, *_: object) -> NoReturn:
        raise AssertionError("nothing is recognised here")


def correct_text(sessions: sessionmaker[Session], conversation: InventedConversation, text: str) -> Turn:
    """Correct the words of the conversation's first turn, and return the turn."""
    turn = conversation.transcript.turns[0]
    change = Change(CorrectionKind.TURN_TEXT, turn=turn.index, text=text)
    with transaction(sessions) as session:
        CorrectionStore().add(session, conversation.transcript, change, MEI)
    return turn


def text_of_first_turn(sessions: sessionmaker[Session], recording_id: str) -> str:
    with transaction(sessions) as session:
        return FeatureStore().load(session, recording_id).transcript.turns[0].text


def test_what_the_stages_understood_is_kept_for_rules_at_once(sessions: sessionmaker[Session]) -> None:
    (conversation,) = add_history(sessions, 1)
    identifier = conversation.recording.id
    workflow_of(sessions, conversation.insights).understand(identifier)
    with transaction(sessions) as session:
        features = FeatureStore().load(session, identifier)
        insights = InsightsStore().load(session, identifier)
        recording = RecordingStore().get(session, identifier)
        told = writer_of().inspecting.told(session, recording, conversation.transcript, insights)
    assert features.metrics == insights.metrics
    assert len(features.insights.findings) == len(insights.findings)
    assert features.told == told.values
    assert features.told["seller"] == conversation.recording.metadata.seller
    assert features.told["hour"] in range(24)
    assert missing_features(sessions) == ()


def test_features_follow_a_correction_and_stay_so_when_the_call_is_processed_again(
    sessions: sessionmaker[Session], engine: Engine, tmp_path: Path
) -> None:
    (conversation,) = add_history(sessions, 1)
    identifier = conversation.recording.id
    index_history(sessions, writer_of(), [identifier])
    before = correct_text(sessions, conversation, "您好，这里是示例公司。").text
    assert text_of_first_turn(sessions, identifier) == before
    services = make_services(engine, sessions, tmp_path)
    with transaction(sessions) as session:
        services.features.refresh(session, identifier)
    assert text_of_first_turn(sessions, identifier) == "您好，这里是示例公司。"
    workflow_of(sessions, conversation.insights).understand(identifier)
    assert text_of_first_turn(sessions, identifier) == "您好，这里是示例公司。"


@sqlite_only
def test_a_recording_that_is_not_there_has_no_features(
    sessions: sessionmaker[Session], engine: Engine, tmp_path: Path
) -> None:
    services = make_services(engine, sessions, tmp_path)
    with transaction(sessions) as session, pytest.raises(NotFound):
        services.features.refresh(session, "nothing")


@sqlite_only
def test_rules_may_ask_for_the_sellers_team_and_the_tags_of_the_conversation(
    sessions: sessionmaker[Session],
) -> None:
    (conversation,) = add_history(sessions, 1)
    recording, transcript, insights = conversation.recording, conversation.transcript, conversation.insights
    with transaction(sessions) as session:
        assert recording.metadata.seller is not None
        SellerStore().add(session, recording.metadata.seller, SellerValues(team="门店组"), by="mei")
        told = writer_of().inspecting.told(session, recording, transcript, insights).values
    assert told["team"] == "门店组"
    tags = tags_from(recording, transcript, insights)
    assert tags
    assert told["tags"] == list(tag_names(tags))


@sqlite_only
def test_older_recordings_are_indexed_once_and_the_dry_run_says_how_many(
    sessions: sessionmaker[Session], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversations = add_history(sessions, 7)
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HUAXIANG_DATABASE_URL", database_url)

    def command(*options: str) -> dict[str, object]:
        done = CliRunner().invoke(app, ["rules", "index", "--json", *options])
        assert done.exit_code == 0, done.output
        shown: dict[str, object] = json.loads(done.stdout)
        return shown

    assert command("--dry-run") == {"missing": 7, "indexed": 0, "dry_run": True}
    assert command("--dry-run")["missing"] == 7
    assert command() == {"missing": 7, "indexed": 7, "dry_run": False}
    assert command() == {"missing": 0, "indexed": 0, "dry_run": False}
    with transaction(sessions) as session:
        assert FeatureStore().count(session) == len(conversations)


def test_only_words_that_are_new_are_encoded_after_a_correction(sessions: sessionmaker[Session]) -> None:
    encoder = Counting()
    writer = writer_of(Meaning("counting @ 1", encoder))
    (conversation,) = add_history(sessions, 1)
    identifier = conversation.recording.id
    with transaction(sessions) as session:
        writer.refresh(session, identifier)
    assert len(encoder.asked) == len({turn.text for turn in conversation.transcript.turns})
    encoder.asked.clear()
    correct_text(sessions, conversation, "您好，这里是示例公司。")
    with transaction(sessions) as session:
        writer.refresh(session, identifier)
    assert encoder.asked == ["您好，这里是示例公司。"]


class Counting(ScriptedEncoder):
    """An encoder that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return super().encode(texts)
