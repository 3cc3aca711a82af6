"""``process``, ``transcribe`` and ``analyze``: the pipeline on files, nothing stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from huaxiang.api import bootstrap, serialise
from huaxiang.api.command.console import emit_json, emit_text, people, progress_bar
from huaxiang.api.local import process_file, transcribe_file, typed_recording
from huaxiang.api.pipeline import Conversation
from huaxiang.core.errors import Conflict, HuaxiangError
from huaxiang.core.settings import load_settings
from huaxiang.core.types import CallMetadata, Json, Setting

Files = Annotated[list[Path], typer.Argument(help="Recordings in any supported format.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
AgentChannel = Annotated[
    int | None, typer.Option("--agent-channel", min=0, help="Channel of the seller, from 0.")
]
Place = Annotated[Setting | None, typer.Option("--setting", help="Where the conversation took place.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    app.command()(process)
    app.command()(transcribe)
    app.command()(analyze)


def process(
    files: Files,
    agent_channel: AgentChannel = None,
    setting: Place = None,
    out: Annotated[
        Path | None, typer.Option("--out", file_okay=False, help="Also write ID.json here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole pipeline on files: transcript, findings, metrics, scorecard, tags."""
    pipeline = bootstrap.build_pipeline(load_settings())
    metadata = CallMetadata(agent_channel=agent_channel, setting=setting)

    written: set[str] = set()

    def one(path: Path, progress: Callable[[float], None]) -> None:
        conversation = process_file(pipeline, path, metadata, progress)
        if conversation.recording.id in written:
            raise Conflict(f"{path.name} has the id of an earlier file of this run; rename one of them")
        written.add(conversation.recording.id)
        result = _conversation_json(conversation)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            _write(out / f"{conversation.recording.id}.json", result)
        emit_json(result) if as_json else emit_text(_summary(conversation))

    _each(files, one)


def transcribe(
    files: Files,
    agent_channel: AgentChannel = None,
    as_json: AsJson = False,
) -> None:
    """Turn speech into turns only."""
    settings = load_settings()
    decode, speech = bootstrap.build_decoder(settings), bootstrap.build_speech(settings)
    metadata = CallMetadata(agent_channel=agent_channel)

    def one(path: Path, progress: Callable[[float], None]) -> None:
        recording, transcript = transcribe_file(decode, speech, path, metadata, progress)
        if as_json:
            emit_json(serialise.conversation_json(recording.id, recording, transcript))
            return
        emit_text(f"# {path.name}")
        for turn in transcript.turns:
            emit_text(f"{_clock(turn.start_ms)} {turn.role.value:8} {turn.text}")

    _each(files, one)


def analyze(
    conversation: Annotated[
        Path, typer.Argument(help="Conversations as JSONL in the guideline's format.", exists=True)
    ],
    as_json: AsJson = False,
) -> None:
    """Find intents, objections, sentiment, acts and entities in given turns, and score them."""
    from huaxiang.nlp.conversation_file import read_conversations

    analysis = bootstrap.build_analysis(load_settings())
    given = list(read_conversations(conversation))
    with progress_bar(conversation.name) as advance:
        for done, item in enumerate(given, start=1):
            recording = typed_recording(item.transcript, item.setting)
            result = analysis.analyse(recording, item.transcript)
            if as_json:
                emit_json(_conversation_json(result))
            else:
                emit_text(_summary(result))
            advance(done / len(given))


def _each(files: list[Path], one: Callable[[Path, Callable[[float], None]], None]) -> None:
    """Do each file; a bad one is named and the rest go on, and the exit code tells."""
    failed = 0
    for path in files:
        try:
            with progress_bar(path.name) as advance:
                one(path, advance)
        except HuaxiangError as error:
            failed += 1
            people.print(f"{path}: {error.message} ({error.code})", markup=False)
    if failed:
        people.print(f"{failed} of {len(files)} files failed", markup=False)
        raise typer.Exit(1)


def _conversation_json(conversation: Conversation) -> dict[str, Json]:
    stored = conversation.recording.audio is not None
    return serialise.conversation_json(
        conversation.recording.id,
        conversation.recording if stored else None,
        conversation.transcript,
        conversation.insights,
        conversation.scorecards,
        conversation.tags,
        conversation.skipped,
    )


def _write(path: Path, value: Json) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _summary(conversation: Conversation) -> str:
    scores = [f"{one.definition} {one.score:g}/{one.possible:g}" for one in conversation.scorecards]
    return (
        f"{conversation.recording.id}: {len(conversation.transcript.turns)} turns, "
        f"{len(conversation.insights.findings)} findings, {len(conversation.tags)} tags, "
        f"scores: {', '.join(scores) or 'no scorecard applies'}"
    )


def _clock(position_ms: int) -> str:
    minutes, rest = divmod(position_ms, 60_000)
    return f"{minutes:02d}:{rest / 1000:04.1f}"
