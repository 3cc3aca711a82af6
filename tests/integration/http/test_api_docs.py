"""The examples of docs/api.md, run as they stand there by a shell against a real server."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import wave
from pathlib import Path

import pytest
from api_world import World, add_call
from reviews import store_conversations
from tus_server import PATH, serving

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
# What is tested here does not depend on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def examples() -> list[tuple[str, str]]:
    """Return each command with the first line of output that is shown for it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = re.sub(r"\\\n\s*", "", part).partition("\n")
            found.append((command, shown.strip().split("\n")[0]))
    return found


def write_inputs(folder: Path) -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(256)) * 100)
    (folder / "call.wav").write_bytes(buffer.getvalue())
    (folder / "customers.csv").write_text("客户编号,姓名\nC-1,示例一\nC-2,示例二\n", "utf-8")
    (folder / "mapping.yaml").write_text("id: 客户编号\ncolumns:\n  姓名: {field: name}\n", "utf-8")


def test_every_example_works_and_answers_what_is_shown(world: World, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine: the examples of docs/api.md were not run")
    write_inputs(tmp_path)
    commands = examples()
    assert len(commands) > 15
    with serving(world.app) as address:
        environment = {
            "PATH": os.environ["PATH"],
            "HUAXIANG": address.removesuffix(PATH),
            "RECORDING": add_call(world.services),
            "SCORED": store_conversations(world.services.sessions)[0].recording.id,
            **{name.upper(): world.keys[name] for name in ("device", "crm", "manager", "admin")},
        }
        for command, shown in commands:
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
    assert (tmp_path / "clip.part").stat().st_size == 64_000
