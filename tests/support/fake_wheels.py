"""Wheels made for a test, and the lock that names them."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from huaxiang.core.lock import ModelLock

WEIGHTS = bytes(range(256)) * 4096
HALF = len(WEIGHTS) // 2
TOKENIZER = b'{"version": "1.0"}'
UNPACKED = WEIGHTS[::-1]


def build_wheel(
    folder: Path,
    package: str,
    members: Mapping[str, bytes],
    *,
    version: str = "1.0",
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel that pip accepts; file names and times are fixed, so equal input is an equal wheel."""
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    contents = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in contents.items()
    ]
    contents[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in contents.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return wheel


def reverse_bytes(source: Path, target: Path) -> None:
    """An unpacker for tests."""
    (target / "unpacked.bin").write_bytes(source.read_bytes()[::-1])


UNPACKERS = {"reverse": reverse_bytes}


@dataclass(frozen=True)
class Registry:
    """A folder of wheels as pip sees it, and the text of the lock that names what they hold."""

    folder: Path
    lock_path: Path
    first: Path
    second: Path

    @property
    def lock(self) -> ModelLock:
        return ModelLock.load(path=self.lock_path)

    def rewrite_lock(self, old: str, new: str) -> ModelLock:
        text = self.lock_path.read_text(encoding="utf-8")
        assert old in text
        self.lock_path.write_text(text.replace(old, new), encoding="utf-8")
        return self.lock


def make_registry(folder: Path, tag: str = "py3-none-any", platform: str = "") -> Registry:
    """Two wheels: the first with half of the weights, the second with the rest and a tokenizer."""
    wheels = folder / "registry"
    first = build_wheel(wheels, "half-one", {"half_one/model.1": WEIGHTS[:HALF]}, tag=tag)
    second = build_wheel(
        wheels, "half-two", {"half_two/model.2": WEIGHTS[HALF:], "half_two/tok.json": TOKENIZER}, tag=tag
    )
    text = "version = 1\n"
    for wheel in (first, second):
        text += f"""
[wheels.{wheel.name.split("-")[0].replace("_", "-")}]
version = "1.0"
size_bytes = {wheel.stat().st_size}
sha256 = "{sha256(wheel.read_bytes()).hexdigest()}"
{f'platform = "{platform}"' if platform else ""}
"""
    text += """
[models.tiny]
task = "asr"
licence = "MIT"
repository = "owner/tiny"
revision = "0123456789012345678901234567890123456789"
"""
    for path, content, sources in (
        (
            "model.bin",
            WEIGHTS,
            '{ kind = "wheel", parts = [{ package = "half-one", member = "half_one/model.1" }, '
            '{ package = "half-two", member = "half_two/model.2" }] }',
        ),
        (
            "tokenizer.json",
            TOKENIZER,
            '{ kind = "wheel", parts = [{ package = "half-two", member = "half_two/tok.json" }] }',
        ),
        ("unpacked.bin", UNPACKED, '{ kind = "unpacked", source = "model.bin", unpacker = "reverse" }'),
    ):
        text += f"""
[[models.tiny.files]]
path = "{path}"
size_bytes = {len(content)}
sha256 = "{sha256(content).hexdigest()}"
sources = [{sources}]
"""
    lock_path = folder / "models.lock"
    lock_path.write_text(text, encoding="utf-8")
    return Registry(wheels, lock_path, first, second)
