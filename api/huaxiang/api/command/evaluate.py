"""``eval``: scores on the user's own labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_table, progress_bar
from huaxiang.api.command.train import WORK, Beside, Heard, steps, training_data
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json

if TYPE_CHECKING:
    from huaxiang.nlp.training_run import TrainingData

app = typer.Typer(help="Accuracy on your own labelled data.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command("asr")
def evaluate_speech(
    manifest: Annotated[Path, typer.Argument(help="JSONL with audio and text, or a folder of calls.")],
    as_json: AsJson = False,
) -> None:
    """Score recognition: character error rate with intervals, beside the plain library."""
    from huaxiang.asr.evaluate import evaluate_asr

    settings = load_settings()
    with progress_bar(manifest.name) as advance:
        report = evaluate_asr(
            manifest,
            bootstrap.build_speech(settings),
            bootstrap.build_plain_recognisers(settings),
            bootstrap.build_decoder(settings),
            advance,
        )
    show(report, as_json)


@app.command("speakers")
def evaluate_speaking(
    folder: Annotated[
        Path, typer.Argument(help="Recordings with ID.json or ID.rttm.", file_okay=False, exists=True)
    ],
    as_json: AsJson = False,
) -> None:
    """Score who spoke when, who is the seller, and where turns begin and end."""
    from huaxiang.asr.evaluate_speakers import evaluate_speakers

    with progress_bar(folder.name) as advance:
        report = evaluate_speakers(folder, bootstrap.build_speaker_evaluation(load_settings()), advance)
    show(report, as_json)


@app.command("nlp")
def evaluate_language(
    corpus: Annotated[Path, typer.Argument(help="Labelled conversations (JSONL).", exists=True)],
    cross_validate: Annotated[
        bool,
        typer.Option(
            "--cross-validate",
            help="Train anew in five folds, an hour or two: for the training data itself.",
        ),
    ] = False,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints of --cross-validate.")] = WORK,
    heard: Heard = None,
    beside: Beside = None,
    baselines: Annotated[
        bool, typer.Option(help="Score keyword lists and embeddings with a regression beside the model.")
    ] = True,
    curve: Annotated[
        bool, typer.Option("--learning-curve", help="Score against the number of training conversations.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score findings, entities and scorecard items against labelled conversations.

    ``--heard`` and ``--beside`` are for ``--cross-validate``, as in ``train nlp``; the baselines learn from
    the corpus alone.
    """
    from huaxiang.api.evaluation import evaluate_corpus, with_baselines
    from huaxiang.nlp.conversation_file import read_conversations

    if (heard or beside) and not cross_validate:
        raise typer.BadParameter("--heard and --beside are learned from; add --cross-validate")
    settings = load_settings()
    encoder = bootstrap.build_sentence_encoder(settings) if baselines else None
    if cross_validate:
        data = training_data([corpus], beside, heard)
        report = with_baselines(cross_validated(data, work), data.conversations, encoder)
    else:
        with progress_bar(corpus.name) as advance:
            report = evaluate_corpus(corpus, bootstrap.build_analysis(settings), advance, encoder)
    if curve:
        from huaxiang.nlp.learning_curve import learning_curve

        with steps() as progress:
            report |= {"learning_curve": learning_curve(list(read_conversations(corpus)), progress)}
    show(report, as_json)


def cross_validated(data: TrainingData, work: Path) -> dict[str, Json]:
    """Return the scores of networks that never saw the conversation they judge."""
    from huaxiang.nlp.honest import cross_validated_scores
    from huaxiang.nlp.training import TrainingPlan

    settings = load_settings()
    understanding, inspector = bootstrap.build_judged_language("nlp-heads @ cross-validation")
    folder = bootstrap.encoder_folder(settings)
    with steps() as progress:
        plan = TrainingPlan.suited(len(data.learned()))
        return cross_validated_scores(data, folder, plan, understanding, inspector, progress, work)


@app.command("calls")
def evaluate_calls(
    folder: Annotated[
        Path, typer.Argument(help="Recordings with their truth.", file_okay=False, exists=True)
    ],
    as_json: AsJson = False,
) -> None:
    """Score the whole pipeline on recordings with their truth: words, findings, speed."""
    from huaxiang.api.evaluation import evaluate_recordings

    with progress_bar(folder.name) as advance:
        report = evaluate_recordings(folder, bootstrap.build_pipeline(load_settings()), advance)
    show(report, as_json)


def show(report: dict[str, Json], as_json: bool) -> None:
    """Print a report as JSON, or as a table for people."""
    if as_json:
        emit_json(report)
        return
    table = Table("measure", "value")
    for name, value in _flat(report, ""):
        table.add_row(name, value)
    emit_table(table)


def _flat(value: Json, name: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _flat(inner, f"{name}.{key}" if name else key)]
    if isinstance(value, float):
        return [(name, f"{value:.4f}")]
    return [(name, str(value))]
