"""Workers have names that are unique while they live and stay when they come back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from huaxiang.core.errors import ConfigurationError
from huaxiang.core.executor_id import executor_id

HOLD = "import sys; from pathlib import Path; from huaxiang.core.executor_id import executor_id\n"
HOLD += "with executor_id(Path(sys.argv[1])) as name: print(name, flush=True); sys.stdin.read()"


def test_a_worker_that_comes_back_has_its_name(tmp_path: Path) -> None:
    with executor_id(tmp_path) as first:
        pass
    with executor_id(tmp_path) as again:
        assert again == first


def test_two_living_workers_have_two_names(tmp_path: Path) -> None:
    with executor_id(tmp_path) as one, executor_id(tmp_path) as other:
        assert one != other


def test_the_name_of_a_killed_worker_is_free_again(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2] / "core")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": root},
    ) as process:
        assert process.stdout is not None
        held = process.stdout.readline().strip()
        with executor_id(tmp_path) as other:
            assert other != held
        process.kill()
    with executor_id(tmp_path) as again:
        assert again == held


def test_a_copied_folder_yields_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with executor_id(tmp_path) as here:
        pass
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    with executor_id(tmp_path) as there:
        assert there != here


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(ConfigurationError, match="HUAXIANG_DATA_DIR"), executor_id(blocked):
        pass
