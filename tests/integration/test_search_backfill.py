"""Conversations become findable: by the workflow, after a correction, and by command for older ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from api_world import add_row, make_services
from history import add_history
from invented_call import invented_audio, invented_insights, invented_recording, invented_transcript
from reviews import MEI
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session, sessionmaker
from typer.testing import CliRunner
from workflows import workflow_of

from huaxiang.api import bootstrap
from huaxiang.api.command import app
from huaxiang.api.pipeline import Pipeline
from huaxiang.api.search.index import Search
from huaxiang.api.search.listing import ListFilters
from huaxiang.api.search.suite import build_search, reindex
from huaxiang.api.search.tables import SearchTurnRow
from huaxiang.api.search.terms import read_terms
from huaxiang.api.services import Services
from huaxiang.core.audio import DecodedAudio
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Recording, Transcript
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.corrections import Change, CorrectionKind

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CALL = "01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"


class Heard:
    """Speech to the turns of the invented call."""

    def run(self, recording: Recording, audio: DecodedAudio, progress: object = None) -> Transcript:
        return invented_transcript(recording.id)


@pytest.fixture
def services(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> Services:
    return make_services(engine, sessions, tmp_path / "data")


def finds(services: Services, typed: str) -> list[str]:
    search = Search(read_terms(typed))
    with transaction(services.sessions) as session:
        page = services.search.list.page(session, ListFilters(search=search))
    return [item.recording.id for item in page.items]


def transcribed(services: Services) -> None:
    """Run the stage of the workflow on a decoded call."""
    key = f"decoded/{CALL}.wav"
    services.blobs.put(key, [invented_audio(invented_transcript(CALL))])
    with transaction(services.sessions) as session:
        add_row(session, invented_recording(CALL), key)

    def pipeline() -> Pipeline:
        nothing: object = None
        return Pipeline(nothing, nothing, nothing, nothing, nothing, Heard())  # type: ignore[arg-type]

    workflow_of(services, pipeline).transcribe(CALL)


@ON_SQLITE
def test_a_call_is_findable_as_soon_as_it_is_transcribed(services: Services) -> None:
    assert finds(services, "爱人商量") == []
    transcribed(services)
    assert finds(services, "爱人商量") == [CALL]


def test_a_corrected_call_is_found_by_what_it_says_now(services: Services) -> None:
    transcribed(services)
    transcript = invented_transcript(CALL)
    with transaction(services.sessions) as session:
        services.insights.save(session, CALL, invented_insights(transcript), "0" * 64)
        change = Change(CorrectionKind.TURN_TEXT, turn=9, text="嗯，这倒也是。那我要和股东商量一下。")
        CorrectionStore().add(session, transcript, change, MEI)
        reindex(session, services, CALL)
    assert finds(services, "股东商量") == [CALL]
    assert finds(services, "爱人商量") == []


def test_what_was_not_transcribed_cannot_be_indexed(services: Services) -> None:
    with pytest.raises(NotFound), transaction(services.sessions) as session:
        reindex(session, services, CALL)


def test_older_conversations_are_indexed_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAXIANG_DATA_DIR", str(tmp_path / "data"))
    storage = bootstrap.open_storage(load_settings())
    history = add_history(storage.sessions, 3)
    with transaction(storage.sessions) as session:
        session.execute(delete(SearchTurnRow))

    def answer(*options: str) -> dict[str, object]:
        result = CliRunner().invoke(app, ["search", "index", "--json", *options])
        assert result.exit_code == 0, result.stderr
        document: dict[str, object] = json.loads(result.stdout)
        return document

    assert answer("--dry-run") == {"dry_run": True, "waiting": 3, "indexed": 0}
    assert answer() == {"dry_run": False, "waiting": 3, "indexed": 3}
    assert answer() == {"dry_run": False, "waiting": 0, "indexed": 0}
    assert answer("--all", "--dry-run") == {"dry_run": True, "waiting": 3, "indexed": 0}
    with transaction(storage.sessions) as session:
        greeted = sum(any("您好" in turn.text for turn in one.transcript.turns) for one in history)
        found = build_search(storage.engine).list
        assert found.count(session, ListFilters(search=Search(read_terms("您好")))) == greeted > 0
    storage.engine.dispose()
