"""A worker with the real stages in a process of its own; ``DATA_DIR URL [STAGE:POINT]`` says where it dies.

It writes ``stage`` lines to DATA_DIR/begun and DATA_DIR/done as it begins and has done each stage, kills
itself by SIGKILL at the point named, and ends when its standard input is closed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


class DiesAt:
    """An observer that writes down each stage and kills its process at one point, as a power cut would."""

    def __init__(self, folder: Path, where: str) -> None:
        self._folder = folder
        self._where = where

    def reached(self, stage: str, point: str) -> None:
        with (self._folder / "reached").open("a", encoding="utf-8") as file:
            file.write(f"{stage}:{point}\n")
        if f"{stage}:{point}" == self._where:
            os.kill(os.getpid(), signal.SIGKILL)


def main(data_dir: Path, database_url: str, die_at: str) -> None:
    """Work until standard input closes."""
    from huaxiang.api import bootstrap
    from huaxiang.core.settings import load_settings

    settings = load_settings(
        data_dir=data_dir, database_url=database_url, worker_heartbeat_s=0.5, worker_dead_after_s=2.0
    )
    with bootstrap.running_worker(bootstrap.build_system(settings), DiesAt(data_dir, die_at)):
        (data_dir / "started").touch()
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
