"""``bench``: speed and memory on this machine, beside a plain baseline measured in the same run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from huaxiang.api.command.console import progress_bar
from huaxiang.api.command.evaluate import show
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json


class Part(StrEnum):
    """What is measured."""

    ASR = "asr"
    NLP = "nlp"
    PIPELINE = "pipeline"
    STORE = "store"


def register(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command()(bench)


def bench(
    part: Annotated[Part | None, typer.Argument(help="What to measure; everything if not given.")] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option("--audio", help="Recordings to measure with; two samples as it comes."),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Conversations (JSONL) for the language part; what the samples say as it comes."),
    ] = None,
    conversations: Annotated[
        int, typer.Option(min=1, help="How many invented conversations the store is filled with.")
    ] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Measure speed and memory beside a plain way of the same work, in the same run."""
    from huaxiang.api.benchmark import bench_language, bench_pipeline, bench_speech
    from huaxiang.api.samples import sample_calls

    settings = load_settings()
    calls = audio or sample_calls()
    report: dict[str, Json] = {}
    if part in (None, Part.ASR):
        with progress_bar("asr") as advance:
            report["asr"] = bench_speech(calls, settings, advance)
    if part in (None, Part.NLP):
        with progress_bar("nlp") as advance:
            report["nlp"] = bench_language(corpus, settings, advance)
    if part in (None, Part.PIPELINE):
        with progress_bar("pipeline") as advance:
            report["pipeline"] = bench_pipeline(calls, settings, advance)
    if part in (None, Part.STORE):
        from huaxiang.api.benchmark_store import bench_store

        with progress_bar("store") as advance:
            report["store"] = bench_store(conversations, advance)
    show(report, as_json)
