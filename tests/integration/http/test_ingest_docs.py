"""docs/ingest.md stays true: its examples run, its tables name what the code takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from api_world import World
from audio_files import STEREO_CALL
from tus_server import PATH, serving

from huaxiang.core.errors import AudioError
from huaxiang.core.settings import Settings
from huaxiang.ingest.formats import CODECS
from huaxiang.ingest.metadata import KEYS

TEXT = (Path(__file__).parents[3] / "docs" / "ingest.md").read_text("utf-8")


def examples() -> list[tuple[str, str]]:
    """Return each command with the first line of output that is shown for it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = re.sub(r"\\\n\s*", "", part).partition("\n")
            found.append((command, shown.strip()))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_example_works_and_answers_what_is_shown(world: World, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine: the examples of docs/ingest.md were not run")
    shutil.copyfile(STEREO_CALL, tmp_path / "call.mp3")
    with serving(world.app) as address:
        environment = {
            "PATH": os.environ["PATH"],
            "HUAXIANG": address.removesuffix(PATH),
            "DEVICE": world.keys["device"],
        }
        for command, shown in examples():
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (command.split(" -H ")[0], done.stdout[:300])
            pattern = ".*".join(re.escape(part) for part in shown.split("…"))
            assert re.match(pattern, done.stdout, re.DOTALL), (command.split(" -H ")[0], done.stdout[:300])


def test_the_tables_name_every_codec_key_error_and_setting() -> None:
    table = TEXT.partition("## Formats")[2].partition("| limit |")[0]
    assert not {codec for codec in CODECS if not re.search(rf"\b{codec}\b", table)}
    assert not {key for key in KEYS if f"`{key}`" not in TEXT}
    codes = {AudioError.code, *(kind.code for kind in AudioError.__subclasses__())}
    assert not {code for code in codes if f"`{code}`" not in TEXT}
    named = set(re.findall(r"HUAXIANG_(AUDIO|UPLOAD)__([A-Z_]+)", TEXT))
    fields = Settings.model_fields
    for group, name in named:
        assert name.lower() in fields[group.lower()].default.__class__.model_fields
    assert len(named) >= 7
