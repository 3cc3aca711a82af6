"""The files of a model on disk: where they lie, and whether they are what the lock says.

Hashing 145 MB at each start would cost a second, so a file that was hashed once is remembered by its
size and modification time; whatever changes either is hashed again. ``verify`` always hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from huaxiang.core.errors import ModelCorrupt, ModelMissing
from huaxiang.core.lock_format import InstalledSource, LockedFile, LockedModel, PackageSource

READ_BYTES = 1024 * 1024
MARKERS = ".verified"


class FileState(StrEnum):
    """What was found where a locked file should be."""

    OK = "ok"
    MISSING = "missing"
    WRONG_SIZE = "wrong_size"
    WRONG_SUM = "wrong_sum"


@dataclass(frozen=True, slots=True)
class FileStatus:
    """The state of one file of one model, and where it was looked for."""

    model: str
    path: str
    state: FileState
    location: Path
    size_bytes: int


def root_of(model: LockedModel, file: LockedFile, models_dir: Path) -> Path:
    """Return the folder that ``file.path`` starts from: cache, package, distribution or user folder."""
    if model.folder is not None:
        return model.folder
    for source in file.sources:
        if isinstance(source, PackageSource):
            return _package_folder(source.root)
        if isinstance(source, InstalledSource):
            return _distribution_folder(source)
    return models_dir / model.name


def _package_folder(root: str) -> Path:
    roots = [Path(entry) / root for entry in importlib.import_module("huaxiang").__path__]
    return next((folder for folder in roots if folder.is_dir()), roots[0])


def _distribution_folder(source: InstalledSource) -> Path:
    try:
        distribution = importlib.metadata.distribution(source.distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelMissing(
            f"the package {source.distribution}, which carries a model, is not installed: "
            f"reinstall huaxiang with its dependencies",
            package=source.distribution,
        ) from error
    return Path(str(distribution.locate_file(source.root)))


def sha256_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Hash a file; ``progress`` is told the number of bytes read, piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(READ_BYTES):
            digest.update(piece)
            if progress is not None:
                progress(len(piece))
    return digest.hexdigest()


class FileChecker:
    """Checks the files of models below one folder, and remembers what it has hashed."""

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir

    def check(
        self,
        model: LockedModel,
        file: LockedFile,
        *,
        always_hash: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> FileStatus:
        """Compare one file with the lock; what is merely missing or wrong is a state, not an error."""
        location = root_of(model, file, self._models_dir) / file.path
        state = self._state(model, file, location, always_hash, progress)
        return FileStatus(model.name, file.path, state, location, file.size_bytes)

    def _state(
        self,
        model: LockedModel,
        file: LockedFile,
        location: Path,
        always_hash: bool,
        progress: Callable[[int], None] | None,
    ) -> FileState:
        try:
            stat = location.stat()
        except (FileNotFoundError, NotADirectoryError):
            return FileState.MISSING
        if stat.st_size != file.size_bytes:
            return FileState.WRONG_SIZE
        stamp = _stamp(file, stat)
        if not always_hash and self._remembered(model.name).get(file.path) == stamp:
            return FileState.OK
        if sha256_of(location, progress) != file.sha256:
            # Bytes can rot under an unchanged modification time: what was remembered is void.
            self._remember(model.name, file.path, "")
            return FileState.WRONG_SUM
        self._remember(model.name, file.path, stamp)
        return FileState.OK

    def remember(self, model: LockedModel, file: LockedFile) -> None:
        """Take note that a file was just put into place after its bytes were hashed."""
        location = root_of(model, file, self._models_dir) / file.path
        self._remember(model.name, file.path, _stamp(file, location.stat()))

    def require(self, model: LockedModel) -> Path:
        """Return the folder that holds all files of ``model``.

        Raises ModelMissing or ModelCorrupt naming the first file that is not as locked, and the cure.
        """
        for file in model.files:
            status = self.check(model, file)
            if status.state is not FileState.OK:
                raise _refusal(model, status)
        return root_of(model, model.files[0], self._models_dir)

    def _marker(self, name: str) -> Path:
        return self._models_dir / MARKERS / f"{name}.json"

    def _remembered(self, name: str) -> dict[str, str]:
        try:
            known = json.loads(self._marker(name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _remember(self, name: str, path: str, stamp: str) -> None:
        marker = self._marker(name)
        known = self._remembered(name) | {path: stamp}
        fresh = marker.with_suffix(f".{uuid4().hex}")
        # A cache that may only be read still serves; it is then hashed at each start.
        with contextlib.suppress(OSError):
            marker.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")
            os.replace(fresh, marker)


def _stamp(file: LockedFile, stat: os.stat_result) -> str:
    return f"{file.sha256} {stat.st_size} {stat.st_mtime_ns}"


def _refusal(model: LockedModel, status: FileStatus) -> ModelMissing | ModelCorrupt:
    """Say what is wrong and the cure, not where the file is: callers of the API read it too."""
    what = f"{status.path} of model {model.name}"
    cure = _cure(model, status)
    if status.state is FileState.MISSING:
        return ModelMissing(f"{what} is missing: {cure}", model=model.name, file=status.path)
    wrong = "size" if status.state is FileState.WRONG_SIZE else "sha256"
    return ModelCorrupt(
        f"{what} has not the {wrong} that models.lock names: {cure}",
        model=model.name,
        file=status.path,
    )


def _cure(model: LockedModel, status: FileStatus) -> str:
    if model.folder is not None:
        return f"put the file back, or accept it with `huaxiang models add --replace {model.name} DIR`"
    sources = model.file(status.path).sources
    if any(isinstance(source, PackageSource | InstalledSource) for source in sources):
        return "it belongs to an installed package, reinstall huaxiang"
    return f"run `huaxiang models pull {model.name}`"
