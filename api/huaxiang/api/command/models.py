"""``huaxiang models``: the lock, what of it is on this machine, and the only command that downloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Column, Table

from huaxiang.api.command.console import emit_json, emit_table, emit_text, people
from huaxiang.core.errors import InvalidInput
from huaxiang.core.lock import (
    FileState,
    FileStatus,
    LockedModel,
    ModelLock,
    PackageSource,
    add_model,
    describe_folder,
)
from huaxiang.core.pull import PulledFile, PullEvent, PullProgress, PullStage, pull
from huaxiang.core.settings import load_settings
from huaxiang.core.types import Json

app = typer.Typer(help="The models of models.lock: fetch, list, verify, add.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Names = Annotated[list[str] | None, typer.Argument(help="Models by name; all if none is given.")]

# What a folder has to hold for its task: without a tokenizer, a recogniser would want to fetch one.
NEEDED_FILES = {"asr": ("model.bin", "config.json", "tokenizer.json")}
VERBS = {
    PullStage.WAIT: "waiting for",
    PullStage.DOWNLOAD: "fetching",
    PullStage.WRITE: "writing",
    PullStage.UNPACK: "unpacking",
}


@app.command("pull")
def pull_models(names: Names = None, as_json: AsJson = False) -> None:
    """Fetch what is missing, verify it and put it into the models folder."""
    from huaxiang.nlp.unpack import UNPACKER, unpack_q4_bert

    settings = load_settings()
    lock = ModelLock.load(settings.user_lock)
    with _pull_bars() as progress:
        pulled = pull(
            lock, settings.models_dir, names or None, progress, unpackers={UNPACKER: unpack_q4_bert}
        )
    if as_json:
        emit_json(
            {
                "models_dir": str(settings.models_dir),
                "digest": lock.digest,
                "models": list(names or lock.models),
                "pulled": [_pulled_json(file) for file in pulled],
            }
        )
        return
    for file in pulled:
        emit_text(f"{file.model}/{file.path}  {decimal(file.size_bytes)}  {file.source}")
    what = "models are" if len(names or lock.models) > 1 else "model is"
    emit_text(f"{', '.join(names or lock.models)}: the {what} ready in {settings.models_dir}")


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the locked models and whether each is on this machine."""
    settings = load_settings()
    lock = ModelLock.load(settings.user_lock)
    statuses = lock.verify(settings.models_dir, always_hash=False)
    rows = [_model_json(lock, model, statuses, settings.models_dir) for model in lock.models.values()]
    if as_json:
        emit_json({"models_dir": str(settings.models_dir), "digest": lock.digest, "models": rows})
        return
    table = Table("model", "task", "licence", "size", "state", box=None, pad_edge=False)
    for model, row in zip(lock.models.values(), rows, strict=True):
        size = decimal(sum(file.size_bytes for file in model.files))
        table.add_row(model.name, model.task, model.licence, size, str(row["state"]))
    emit_table(table)
    emit_text(f"lock {lock.digest[:12]}, models in {settings.models_dir}")


@app.command("verify")
def verify_models(names: Names = None, as_json: AsJson = False) -> None:
    """Hash every file and compare it with the lock; exits 1 if any is missing or wrong."""
    settings = load_settings()
    lock = ModelLock.load(settings.user_lock)
    chosen = [lock.model(name) for name in names or lock.models]
    with _byte_bar("hashing", sum(file.size_bytes for model in chosen for file in model.files)) as progress:
        statuses = lock.verify(settings.models_dir, [model.name for model in chosen], progress=progress)
    right = all(status.state is FileState.OK for status in statuses)
    if as_json:
        emit_json(
            {"ok": right, "digest": lock.digest, "files": [_status_json(status) for status in statuses]}
        )
    else:
        for status in statuses:
            emit_text(f"{status.state:<10}  {status.model}/{status.path}  {status.location}")
        if not right:
            people.print("not all files are as locked: run `huaxiang models pull`", markup=False)
    if not right:
        raise typer.Exit(1)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The name to know the model by.")],
    folder: Annotated[Path, typer.Argument(help="The folder with its files, which stay where they are.")],
    task: Annotated[str, typer.Option(help="What the model does.")] = "asr",
    licence: Annotated[str, typer.Option(help="Its licence.")] = "unknown",
    repository: Annotated[str, typer.Option(help="Where it comes from.")] = "",
    revision: Annotated[str, typer.Option(help="The revision it comes from.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace the model of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lock a model of your own: write the sums of its files beside the shipped lock."""
    settings = load_settings()
    lock = ModelLock.load(settings.user_lock)
    lacking = [needed for needed in NEEDED_FILES.get(task, ()) if not (folder / needed).is_file()]
    if folder.is_dir() and lacking:
        raise InvalidInput(
            f"{folder} lacks {', '.join(lacking)}: a recogniser is a Whisper converted for CTranslate2, "
            "with its tokenizer"
        )
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with _byte_bar("hashing", total) as progress:
        model = describe_folder(
            name, folder, task, licence=licence, repository=repository, revision=revision, progress=progress
        )
    add_model(lock, settings.user_lock, model, replace=replace)
    fresh = ModelLock.load(settings.user_lock)
    if as_json:
        statuses = fresh.verify(settings.models_dir, [name], always_hash=False)
        emit_json(
            {
                "lock": str(settings.user_lock),
                "digest": fresh.digest,
                "model": _model_json(fresh, model, statuses, settings.models_dir),
            }
        )
        return
    emit_text(f"{name}: {len(model.files)} files locked in {settings.user_lock}")


def _pulled_json(file: PulledFile) -> dict[str, Json]:
    return {"model": file.model, "file": file.path, "size_bytes": file.size_bytes, "source": file.source}


def _status_json(status: FileStatus) -> dict[str, Json]:
    return {
        "model": status.model,
        "file": status.path,
        "state": status.state.value,
        "location": str(status.location),
    }


def _model_json(
    lock: ModelLock, model: LockedModel, statuses: tuple[FileStatus, ...], models_dir: Path
) -> dict[str, Json]:
    states = {status.state for status in statuses if status.model == model.name}
    if states == {FileState.OK}:
        state = "ready"
    else:
        state = "missing" if states <= {FileState.OK, FileState.MISSING} else "corrupt"
    shipped = any(isinstance(source, PackageSource) for file in model.files for source in file.sources)
    return {
        "name": model.name,
        "task": model.task,
        "licence": model.licence,
        "repository": model.repository,
        "revision": model.revision,
        "state": state,
        "origin": "user" if model.folder else "package" if shipped else "lock",
        "folder": str(lock.folder(model.name, models_dir)),
        "made_from": dict(model.made_from),
        "files": [
            {"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256} for file in model.files
        ],
    }


def _bars(transient: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", table_column=Column(no_wrap=True, ratio=1)),
        BarColumn(bar_width=10),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TransferSpeedColumn(table_column=Column(no_wrap=True)),
        expand=True,
        console=people,
        transient=transient,
        disable=not people.is_terminal,
    )


@contextmanager
def _byte_bar(description: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    with _bars(transient=True) as bars:
        task = bars.add_task(description, total=total_bytes)
        yield lambda size: bars.advance(task, size)


@contextmanager
def _pull_bars() -> Iterator[PullProgress]:
    """Show a bar for each piece of work, or a line for each where there is no terminal."""
    tasks: dict[tuple[PullStage, str], TaskID] = {}
    with _bars(transient=False) as bars:

        def show(event: PullEvent) -> None:
            key = (event.stage, event.item)
            if key not in tasks:
                what = f"{VERBS[event.stage]} {event.item}"
                tasks[key] = bars.add_task(what, total=event.total_bytes or None)
                if not people.is_terminal:
                    people.print(what, markup=False)
            bars.update(tasks[key], completed=event.done_bytes)

        yield show
