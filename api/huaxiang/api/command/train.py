"""``train``: what is learned from labelled conversations: findings, how sellers talk, likely words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huaxiang.api import bootstrap
from huaxiang.api.command.console import emit_json, emit_text, people, progress_bar
from huaxiang.core.file_sums import sums_by_name
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json

if TYPE_CHECKING:
    from huaxiang.nlp.training_run import TrainingData

app = typer.Typer(help="Train on your own labelled data.", no_args_is_help=True)
WORK = Path("build/train-nlp")
WEIGHTS = Path("nlp/huaxiang/nlp/weights")
SELLER_TALK = Path("asr/huaxiang/asr/weights/seller-talk.json")
SALES_WORDS = Path("asr/huaxiang/asr/weights/sales-words.json.gz")
Heard = Annotated[
    list[Path] | None,
    typer.Option(help="Folders of calls with their truth: training sees how they are recognised."),
]
Beside = Annotated[
    list[Path] | None,
    typer.Option(
        help="More labelled conversations (JSONL): learned from, in no figure.", exists=True, dir_okay=False
    ),
]


@app.command("nlp")
def train_language(
    corpus: Annotated[list[Path], typer.Argument(help="Labelled conversations (JSONL).", exists=True)],
    out: Annotated[Path, typer.Option(help="Folder for the weights.")] = WEIGHTS,
    work: Annotated[
        Path, typer.Option(help="Folder for checkpoints: a run goes on where it stopped.")
    ] = WORK,
    lock: Annotated[Path | None, typer.Option(help="models.lock to write the sums into.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 2,
    adapter_rank: Annotated[
        int, typer.Option(min=0, help="Rank of low-rank adapters in the encoder; 0 leaves it as it is.")
    ] = 16,
    adapter_epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs with adapters; by default 4 for up to 350 conversations, 1 for 1,000 and more.",
        ),
    ] = None,
    frozen_layers: Annotated[
        int, typer.Option(min=0, max=12, help="Layers from below without adapters; 0 adapts all.")
    ] = 6,
    heard: Heard = None,
    beside: Beside = None,
    homophones: Annotated[
        float, typer.Option(min=0, max=1, help="Share of characters that a damaged copy hears wrongly.")
    ] = 0.15,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Cross-validate, train on everything, and write weights with their calibration."""
    from huaxiang.nlp.honest import scores_out_of_fold
    from huaxiang.nlp.lock_entry import update_lock
    from huaxiang.nlp.network import NetworkShape
    from huaxiang.nlp.noise import NoiseLevel
    from huaxiang.nlp.training import TrainingPlan
    from huaxiang.nlp.training_run import train_nlp

    settings = load_settings()
    data = training_data(corpus, beside, heard)
    suited = TrainingPlan.suited(len(data.learned()))
    plan = replace(
        suited,
        shape=NetworkShape(frozen_layers=frozen_layers, rank=adapter_rank),
        adapter_epochs=(adapter_epochs or suited.adapter_epochs) if adapter_rank else 0,
        copies=(NoiseLevel(homophones=homophones),),
    )
    with steps() as progress:
        trained = train_nlp(data, bootstrap.encoder_folder(settings), out, plan, progress, work, threads)
    if lock is not None:
        update_lock(lock, trained, data.sums)
    understanding, inspector = bootstrap.build_judged_language("nlp-heads @ cross-validation")
    report = scores_out_of_fold(data, trained.out_of_fold, understanding, inspector)
    report |= {"weights": {"sha256": trained.sha256, "size_bytes": trained.size_bytes}}
    if as_json:
        emit_json(report)
        return
    shown = {name: value for name, value in report["nlp"].items() if name != "labels"}
    emit_text(_readable(shown | {name: report[name] for name in ("recognition",) if name in report}))


@app.command("roles")
def train_roles(
    corpus: Annotated[Path, typer.Argument(help="Labelled conversations (JSONL).", exists=True)],
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Folders of calls whose conversations are not learned from.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File for the weights.")] = SELLER_TALK,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Learn how sellers talk, for recordings whose speakers are known by what they say alone."""
    from huaxiang.asr.normalise import MandarinNormaliser
    from huaxiang.asr.role_training import read_conversations, train_seller_talk, write_seller_talk

    ids = _conversations_of(held_out)
    talk, report = train_seller_talk(read_conversations(corpus, MandarinNormaliser(), ids))
    write_seller_talk(talk, out, sha256(corpus.read_bytes()).hexdigest(), ids)
    report |= {"sha256": sha256(out.read_bytes()).hexdigest(), "size_bytes": out.stat().st_size}
    if as_json:
        emit_json({"roles": report})
    else:
        emit_text(_readable(report))


def _readable(report: object) -> str:
    return json.dumps(report, ensure_ascii=False, indent=2)


@app.command("words")
def train_words(
    corpus: Annotated[
        list[Path], typer.Argument(help="Conversations (JSONL), labelled or not.", exists=True)
    ],
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Folders of calls whose conversations are not learned from.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File for the sentences.")] = SALES_WORDS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Learn how people word things in sales, so that a recogniser writes the right homophone."""
    from huaxiang.asr.hotwords import JiebaWords
    from huaxiang.asr.language_model import write_sentences
    from huaxiang.asr.language_training import AsWritten, sentences_of
    from huaxiang.asr.role_training import read_conversations

    ids, sums = _conversations_of(held_out), sums_by_name(corpus)
    conversations = [item for path in corpus for item in read_conversations(path, AsWritten(), ids)]
    sentences = sentences_of(conversations, JiebaWords().cut)
    write_sentences(out, sentences, sums, ids)
    report: dict[str, Json] = {
        "conversations": len(conversations),
        "sentences": len(sentences),
        "words": sum(map(len, sentences)),
        "sha256": sha256(out.read_bytes()).hexdigest(),
        "size_bytes": out.stat().st_size,
    }
    if as_json:
        emit_json({"words": report})
    else:
        emit_text(_readable(report))


def training_data(
    corpora: Sequence[Path], beside: Sequence[Path] | None, heard: Sequence[Path] | None
) -> TrainingData:
    """Read conversations, and recognise the recordings of some of them where there are any."""
    from huaxiang.api.hearing import read_calls, with_recordings
    from huaxiang.nlp.training_run import read_training_data

    data = read_training_data(corpora, beside or ())
    if not heard:
        return data
    settings = load_settings()
    with progress_bar("hearing the recordings") as advance:
        decode, speech = bootstrap.build_decoder(settings), bootstrap.build_speech(settings)
        return with_recordings(data, read_calls(heard), decode, speech, advance)


def _conversations_of(folders: list[Path] | None) -> set[str]:
    """Return the ids of the conversations that the calls of some folders speak."""
    return {truth.stem for folder in folders or () for truth in folder.glob("*.json")}


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Show what is being done and how far it is, and a line a step where there is no terminal."""
    with progress_bar("train nlp") as advance:

        def report(what: str, done: int, total: int) -> None:
            advance(done / total)
            if not people.is_terminal or done == total:
                people.print(f"{what}: {done}/{total}", markup=False)

        yield report
