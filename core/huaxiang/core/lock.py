"""models.lock: which models may be used, and that each file is the one that was locked.

The lock ships with the project. A user's additions stand in a second file, merged over it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from huaxiang.core.errors import ConfigurationError, InvalidInput, ModelNotLocked
from huaxiang.core.lock_format import (
    LockedFile,
    LockedModel,
    LockedWheel,
    PackageSource,
    UnpackedSource,
    WheelSource,
    parse_lock,
    write_models,
)
from huaxiang.core.model_files import FileChecker, FileState, FileStatus, root_of, sha256_of

__all__ = [
    "FileState",
    "FileStatus",
    "LockedFile",
    "LockedModel",
    "LockedWheel",
    "ModelLock",
    "PackageSource",
    "UnpackedSource",
    "WheelSource",
    "add_model",
    "describe_folder",
    "offline_environment",
    "shipped_lock",
]

LOCK_NAME = "models.lock"

OFFLINE = MappingProxyType(
    {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
)


def offline_environment() -> None:
    """Forbid the hub client and transformers to use a network in this process and its children.

    To be called before either is imported: they read the variables at import. ``huaxiang models pull``
    is the one command that does not call it.
    """
    os.environ.update(OFFLINE)


def shipped_lock(package: Path | None = None) -> Path:
    """Return the path of the project's models.lock, looked for from the folder of this package.

    In an installed wheel it lies in the package, in an editable install at the root of the checkout.
    Raises ConfigurationError where there is neither.
    """
    package = package or Path(__file__).parent
    candidates = (package / LOCK_NAME, package.parents[2] / LOCK_NAME)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ConfigurationError("models.lock is not part of this installation: reinstall huaxiang")


@dataclass(frozen=True)
class ModelLock:
    """The locked models by name, and the wheels that carry their files."""

    models: Mapping[str, LockedModel]
    wheels: Mapping[str, LockedWheel] = field(default_factory=dict)

    @classmethod
    def load(cls, user_lock: Path | None = None, path: Path | None = None) -> ModelLock:
        """Read the shipped lock (or ``path``) and merge the user's additions over it, if there are any.

        Raises ConfigurationError for a lock that cannot be read or has mistakes.
        """
        shipped = _read(path or shipped_lock())
        if user_lock is None or not user_lock.is_file():
            return shipped
        added = _read(user_lock)
        return cls({**shipped.models, **added.models}, {**shipped.wheels, **added.wheels})

    @cached_property
    def digest(self) -> str:
        """The sha256 of what the lock says the models are (not of where they are fetched from)."""
        canonical = json.dumps(
            {name: _identity(model) for name, model in self.models.items()},
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    def model(self, name: str) -> LockedModel:
        """Return the entry of a model; raises ModelNotLocked with the names that are there."""
        try:
            return self.models[name]
        except KeyError:
            raise ModelNotLocked(
                f"model {name!r} is not in models.lock (it holds {', '.join(sorted(self.models))}); "
                f"add its sums with `huaxiang models add {name} DIR`",
                model=name,
            ) from None

    def ensure(self, name: str, models_dir: Path) -> Path:
        """Return the folder of a model whose files are all as locked.

        A file is hashed when it is first met or has changed, else its size and modification time
        suffice. Raises ModelNotLocked, ModelMissing or ModelCorrupt, naming the file and the cure.
        """
        return FileChecker(models_dir).require(self.model(name))

    def folder(self, name: str, models_dir: Path) -> Path:
        """Return where a model's files belong, whether or not they are there."""
        model = self.model(name)
        return root_of(model, model.files[0], models_dir)

    def verify(
        self,
        models_dir: Path,
        names: Iterable[str] | None = None,
        *,
        always_hash: bool = True,
        progress: Callable[[int], None] | None = None,
    ) -> tuple[FileStatus, ...]:
        """Compare every file of the models (all, or those named) with the lock.

        With ``always_hash`` each is read in full; ``progress`` is told the bytes read, piece by piece.
        """
        checker = FileChecker(models_dir)
        chosen = [self.model(name) for name in (self.models if names is None else names)]
        return tuple(
            checker.check(model, file, always_hash=always_hash, progress=progress)
            for model in chosen
            for file in model.files
        )


def add_model(lock: ModelLock, user_lock: Path, model: LockedModel, *, replace: bool = False) -> None:
    """Write a user's model into ``user_lock``, beside those that are there.

    Raises InvalidInput where the name is taken and ``replace`` is not given.
    """
    if model.name in lock.models and not replace:
        raise InvalidInput(
            f"model {model.name} is already locked; say --replace to put this one in its place"
        )
    there = dict(_read(user_lock).models) if user_lock.is_file() else {}
    there[model.name] = model
    user_lock.parent.mkdir(parents=True, exist_ok=True)
    fresh = user_lock.with_suffix(".new")
    fresh.write_text(write_models(there), encoding="utf-8")
    os.replace(fresh, user_lock)


def describe_folder(
    name: str,
    folder: Path,
    task: str,
    *,
    licence: str = "unknown",
    repository: str = "",
    revision: str = "",
    progress: Callable[[int], None] | None = None,
) -> LockedModel:
    """Hash every file of a folder (hidden ones aside) into an entry that points at it.

    Raises InvalidInput for a folder without files, or a name or task that a lock cannot hold.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder")
    root = folder.resolve()
    paths = sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    if not paths:
        raise InvalidInput(f"{folder} holds no files")
    files = tuple(
        LockedFile(
            path=path.relative_to(root).as_posix(),
            size_bytes=path.stat().st_size,
            sha256=sha256_of(path, progress),
        )
        for path in paths
    )
    try:
        return LockedModel(
            name=name,
            task=task,
            licence=licence,
            repository=repository,
            revision=revision,
            folder=root,
            files=files,
        )
    except ValueError as error:
        raise InvalidInput(f"{name!r} ({task!r}) cannot be locked: use letters, digits, . _ and -") from error


def _read(path: Path) -> ModelLock:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    content = parse_lock(text, str(path))
    return ModelLock(content.models, content.wheels)


def _identity(model: LockedModel) -> dict[str, object]:
    return {
        "task": model.task,
        "licence": model.licence,
        "repository": model.repository,
        "revision": model.revision,
        "made_from": dict(model.made_from),
        "files": [[file.path, file.sha256, file.size_bytes] for file in model.files],
    }
