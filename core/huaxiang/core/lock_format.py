"""What models.lock holds: the entries, how they are written in TOML, and how they are read.

The file has a table of wheels (each with version, size and sum) and a table of models. A model has
its task, licence and upstream, and for every file the sum, the size and the sources to try in order::

    version = 1

    [wheels.some-package]
    version = "1.0.0"
    size_bytes = 1234
    sha256 = "…"

    [models.some-model]
    task = "asr"
    licence = "MIT"
    repository = "owner/name"
    revision = "…"

    [[models.some-model.files]]
    path = "model.bin"
    size_bytes = 5678
    sha256 = "…"
    sources = [
      { kind = "wheel", parts = [{ package = "some-package", member = "some_package/model.bin" }] },
      { kind = "hub", filename = "model.bin" },
    ]
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from huaxiang.core.errors import ConfigurationError

FORMAT_VERSION = 1


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\\" in path:
        raise ValueError("must be a relative path that stays inside its folder")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
PackageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LockedWheel(_Entry):
    """A wheel that carries model files: the name and version that pip knows it by, size and sum.

    ``platform`` is the wheel's platform tag where it has one; the data inside is the same for all, so
    pip is asked for that tag on every machine.
    """

    package: PackageName
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+!]+$")]
    size_bytes: int = Field(gt=0)
    sha256: Sha256
    platform: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] | None = None


class WheelPart(_Entry):
    """One member of one wheel."""

    package: PackageName
    member: RelativePath


class WheelSource(_Entry):
    """The file is these members, joined in this order."""

    kind: Literal["wheel"]
    parts: tuple[WheelPart, ...] = Field(min_length=1)


class HubSource(_Entry):
    """The file is in the model's upstream repository at its revision."""

    kind: Literal["hub"]
    filename: RelativePath


class UnpackedSource(_Entry):
    """The file is made from another file of the same model by a named unpacker."""

    kind: Literal["unpacked"]
    source: RelativePath
    unpacker: str


class InstalledSource(_Entry):
    """The file lies in an installed distribution; ``root`` is the folder that ``path`` starts from."""

    kind: Literal["installed"]
    distribution: PackageName
    root: RelativePath


class PackageSource(_Entry):
    """The file ships inside huaxiang; ``root`` is a folder below the ``huaxiang`` package."""

    kind: Literal["package"]
    root: RelativePath


Source: TypeAlias = Annotated[
    WheelSource | HubSource | UnpackedSource | InstalledSource | PackageSource, Field(discriminator="kind")
]


class LockedFile(_Entry):
    """One file of a model, its identity, and where it may be had, best source first.

    A file without sources is one that the user put there.
    """

    path: RelativePath
    size_bytes: int = Field(ge=0)
    sha256: Sha256
    sources: tuple[Source, ...] = ()


class LockedModel(_Entry):
    """A model: what it does, whose it is, and its files.

    ``made_from`` names the data that the weights were trained on, each with its sha256. ``folder`` is
    set for models that a user added in place.
    """

    name: ModelName
    task: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
    licence: str
    repository: str = ""
    revision: str = ""
    made_from: Mapping[str, Sha256] = Field(default_factory=dict)
    folder: Path | None = None
    files: tuple[LockedFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> LockedModel:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("a file is listed twice")
        for source in (source for file in self.files for source in file.sources):
            if isinstance(source, UnpackedSource) and source.source not in paths:
                raise ValueError(f"it unpacks {source.source}, which is not among its files")
            if isinstance(source, HubSource) and not (self.repository and self.revision):
                raise ValueError("a hub source needs the model's repository and revision")
        return self

    def file(self, path: str) -> LockedFile:
        """Return the file of that path; raises KeyError."""
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(path)


class LockContent(_Entry):
    """A whole lock file."""

    version: Literal[1]
    wheels: Mapping[str, LockedWheel] = Field(default_factory=dict)
    models: Mapping[str, LockedModel] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _wheels_are_known(self) -> LockContent:
        for model in self.models.values():
            for source in (source for file in model.files for source in file.sources):
                for part in source.parts if isinstance(source, WheelSource) else ():
                    if part.package not in self.wheels:
                        raise ValueError(f"model {model.name} names the unlisted wheel {part.package}")
        return self


def parse_lock(text: str, origin: str) -> LockContent:
    """Read a lock file's text; ``origin`` is its name in errors.

    Raises ConfigurationError that names the entry and what is wrong with it.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{origin} is not TOML: {error}") from error
    for table, key in (("wheels", "package"), ("models", "name")):
        for name, entry in document.get(table, {}).items():
            entry[key] = name
    try:
        return LockContent.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'lock'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{origin} has mistakes: {wrong}") from error


def write_models(models: Mapping[str, LockedModel]) -> str:
    """Write models without sources (those that a user added) as a lock file's text."""
    lines = [f"version = {FORMAT_VERSION}"]
    for model in models.values():
        lines += ["", f"[models.{_quoted(model.name)}]"]
        for key in ("task", "licence", "repository", "revision"):
            lines.append(f"{key} = {_quoted(getattr(model, key))}")
        if model.folder is not None:
            lines.append(f"folder = {_quoted(str(model.folder))}")
        for file in model.files:
            lines += [
                "",
                f"[[models.{_quoted(model.name)}.files]]",
                f"path = {_quoted(file.path)}",
                f"size_bytes = {file.size_bytes}",
                f'sha256 = "{file.sha256}"',
            ]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    # A JSON string is a TOML basic string, but for the surrogate pairs that escaping would write.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
