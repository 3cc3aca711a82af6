"""A worker in a process of its own, whose stages write down that they were done; tests kill it.

``python worker_program.py URL EXECUTOR_ID FOLDER RECORDINGS [STAGE:POINT] [SIGNAL]`` sends itself the signal
at that point, once: SIGKILL as it comes; with several recordings, when so many are there. It ends when its
standard input is closed.

The recording ``killer`` kills its worker in the first stage, and whoever is in that stage at the same time
dies with it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

STAGES = ("hear", "understand", "keep")


class StruckAt:
    """An observer that kills or stops its own process, as a power cut or a sleeping machine would.

    A stage that was stopped goes on only when ``folder`` holds ``awake``: a test may let the process run
    a little, so that no thread of it sleeps amid a transaction.
    """

    def __init__(self, where: str, by: signal.Signals, folder: Path, recordings: int) -> None:
        self._where = where
        self._there = threading.Barrier(recordings)
        self._by = by
        self._folder = folder

    def reached(self, stage: str, point: str) -> None:
        if f"{stage}:{point}" == self._where:
            self._there.wait(60)
            self._where = ""
            os.kill(os.getpid(), self._by)
            while not (self._folder / "awake").exists():
                time.sleep(0.02)


def die_of_the_killer(recording_id: str, folder: Path) -> None:
    """End the process where the killer is in hand; another recording waits a moment whether it comes."""
    (folder / f"{os.getpid()}-{recording_id}").touch()
    time.sleep(1.0)
    if (folder / f"{os.getpid()}-killer").exists():
        os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, executor_id: str, folder: Path, recordings: int, observer: StruckAt) -> None:
    """Work until standard input closes."""
    from huaxiang.core.database import make_engine
    from huaxiang.core.jobs import StageRunner, Workflow
    from huaxiang.core.stages import StageExecutor
    from huaxiang.core.types import Json
    from huaxiang.core.worker import Worker, WorkerOptions

    def write_down(name: str, recording_id: str) -> Json:
        if name == STAGES[0] and recording_id in ("killer", "beside"):
            die_of_the_killer(recording_id, folder)
        with (folder / "done").open("a", encoding="utf-8") as file:
            file.write(f"{recording_id} {name}\n")
        return {"stage": name}

    def run(stages: StageRunner, recording_id: str) -> None:
        told = [stages.stage(name, lambda name=name: write_down(name, recording_id)) for name in STAGES]  # type: ignore[misc]
        (folder / f"result-{recording_id}").write_text(repr(told), encoding="utf-8")

    engine = make_engine(url)
    worker = Worker(
        engine,
        Workflow(run, STAGES),
        executor_id,
        StageExecutor(observer),
        WorkerOptions(
            heartbeat_s=0.2, dead_after_s=1.5, poll_s=0.1, max_stage_attempts=3, recordings=recordings
        ),
    )
    with worker:
        (folder / f"started-{executor_id}").touch()
        sys.stdin.read()
    engine.dispose()


if __name__ == "__main__":
    url, executor_id, folder, recordings, where, by = [*sys.argv[1:], "", "SIGKILL"][:6]
    struck = StruckAt(where, signal.Signals[by], Path(folder), int(recordings))
    main(url, executor_id, Path(folder), int(recordings), struck)
