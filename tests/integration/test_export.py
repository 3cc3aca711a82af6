"""Export: what people corrected, in the guideline's format, with the audio of the words they wrote."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from api_world import World, make_world
from corrected_calls import CALMER, add_scored_call, correct, text
from invented_call import SAID, invented_transcript
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.export.run import Exporter, Wanted
from huaxiang.asr.manifest import read_labelled_audio
from huaxiang.core.errors import Conflict
from huaxiang.core.types import FindingKind, RecordingStatus, Role
from huaxiang.ingest.recordings import RecordingFilters
from huaxiang.nlp.conversation_file import read_conversations
from huaxiang.quality.review.corrections import Change, CorrectionKind

DONE = RecordingFilters(status=RecordingStatus.DONE)


@pytest.fixture
def world(engine: Engine, sessions: sessionmaker[Session], tmp_path: Path) -> World:
    return make_world(engine, sessions, tmp_path / "data")


@pytest.fixture
def exporter(world: World) -> Exporter:
    services = world.services
    return Exporter(
        services.sessions,
        services.recordings,
        services.corrections,
        services.blobs,
        services.rules,
    )


def test_a_corrected_call_comes_out_as_training_reads_it(
    world: World, exporter: Exporter, tmp_path: Path
) -> None:
    call = add_scored_call(world.services)
    add_scored_call(world.services)
    missed = Change(
        CorrectionKind.FINDING_MISSED,
        turn=7,
        finding_kind=FindingKind.INTENT,
        label="negotiate",
        char_start=0,
        char_end=4,
        heard=CALMER,
    )
    correct(world.services, call, text(7, CALMER), missed)
    exported = exporter.run(Wanted(DONE), tmp_path / "out")
    (conversation,) = read_conversations(tmp_path / "out" / "conversations.jsonl")
    assert conversation.id == call
    assert [turn.text for turn in conversation.transcript.turns] == [
        CALMER if index == 7 else said for index, (_, said) in enumerate(SAID)
    ]
    truth = conversation.labels.turns
    assert "negotiate" in truth[7].intents
    assert truth[8].acts == {"objection_handling", "overpromise"}
    assert truth[9].objection is None  # it waits for review, and nobody confirmed it
    assert [(one.type, one.text, one.value) for one in truth[6].entities] == [("money", "九千六百元", 9600)]
    assert conversation.labels.call["qa"]["forbidden"] == ["overpromise"]
    assert conversation.labels.call["qa"]["greeting"] is True
    assert (exported.conversations, exported.turns, exported.corrected_turns) == (1, len(SAID), 1)


def test_the_words_that_people_wrote_come_with_their_audio(
    world: World, exporter: Exporter, tmp_path: Path
) -> None:
    call = add_scored_call(world.services)
    correct(world.services, call, text(7, CALMER), Change(CorrectionKind.TURN_ROLE, turn=9, role=Role.AGENT))
    exported = exporter.run(Wanted(DONE), tmp_path / "out")
    (labelled,) = read_labelled_audio(tmp_path / "out" / "asr" / "manifest.jsonl")
    assert labelled.text == CALMER
    turn = invented_transcript(call).turns[7]
    with wave.open(str(labelled.audio), "rb") as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 16_000, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert len(samples) / 16 == pytest.approx(turn.end_ms - turn.start_ms + 400, abs=1)
    assert np.abs(samples[16 * 300 : -16 * 300]).max() > 5000
    assert np.abs(samples[: 16 * 150]).max() == 0
    assert exported.clips == 1
    assert exported.clips_ms == len(samples) // 16


def test_what_was_undone_only_proposed_or_not_consented_to_stays(
    world: World, exporter: Exporter, tmp_path: Path
) -> None:
    undone, proposed = add_scored_call(world.services), add_scored_call(world.services)
    refused = add_scored_call(world.services, consent=False)
    correct(world.services, undone, text(7, CALMER))
    with world.services.sessions() as session:
        (row,) = world.services.corrections.log.load(session, undone)
    correct(world.services, undone, Change(CorrectionKind.UNDO, target=row.id))
    correct(world.services, proposed, text(7, CALMER), proposed=True)
    correct(world.services, refused, text(7, CALMER))
    exported = exporter.run(Wanted(DONE), tmp_path / "out")
    assert (exported.conversations, exported.without_consent) == (0, 1)
    assert not (tmp_path / "out" / "conversations.jsonl").exists()
    everything = exporter.run(Wanted(DONE, everything=True), tmp_path / "all")
    assert (everything.conversations, everything.clips) == (2, 0)


def test_calls_are_chosen_by_seller(world: World, exporter: Exporter, tmp_path: Path) -> None:
    for seller in ("lin", "he.yun"):
        correct(world.services, add_scored_call(world.services, seller=seller), text(7, CALMER))
    filters = RecordingFilters(status=RecordingStatus.DONE, seller="lin")
    assert exporter.run(Wanted(filters), tmp_path / "out").conversations == 1


def test_a_dry_run_says_the_same_and_writes_nothing(world: World, exporter: Exporter, tmp_path: Path) -> None:
    correct(world.services, add_scored_call(world.services), text(7, CALMER))
    planned = exporter.run(Wanted(DONE), tmp_path / "out", dry_run=True)
    assert not (tmp_path / "out").exists()
    assert exporter.run(Wanted(DONE), tmp_path / "out").document() == planned.document()


def test_nothing_is_written_over_and_what_broke_off_leaves_nothing(
    world: World, exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct(world.services, add_scored_call(world.services), text(7, CALMER))
    kept = tmp_path / "out" / "conversations.jsonl"
    exporter.run(Wanted(DONE), tmp_path / "out")
    before = kept.read_bytes()
    with pytest.raises(Conflict):
        exporter.run(Wanted(DONE), tmp_path / "out")
    assert kept.read_bytes() == before

    def broken(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("huaxiang.api.export.run.write_clip", broken)
    listed = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(OSError, match="no space"):
        exporter.run(Wanted(DONE), tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == listed


def test_every_line_is_one_object_that_names_what_people_touched(
    world: World, exporter: Exporter, tmp_path: Path
) -> None:
    call = add_scored_call(world.services)
    correct(world.services, call, text(7, CALMER), text(0, "您好，我是小何。"))
    exporter.run(Wanted(DONE, audio=False), tmp_path / "out")
    (line,) = (tmp_path / "out" / "conversations.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["corrected_turns"] == [0, 7]
    assert not (tmp_path / "out" / "asr").exists()
