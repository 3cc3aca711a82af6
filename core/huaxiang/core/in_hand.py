"""The jobs that a worker's process has in hand, and which of their stages may be done beside each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WorkerStopping(BaseException):
    """Leaves a job where it is, to be gone on with by whoever takes it up."""


class InHand:
    """Which jobs are being done, and whether they may go on; shared by the threads that do them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: set[str] = set()
        self._stopping = False
        self._stages = 0
        self._alone = False
        self._wanting_alone = 0

    @contextmanager
    def job(self, job_id: str) -> Iterator[None]:
        """Hold a job. Raises WorkerStopping where no more may be begun."""
        with self._changed:
            self._go_on()
            self._jobs.add(job_id)
        try:
            yield
        finally:
            with self._changed:
                self._jobs.discard(job_id)
                self._changed.notify_all()

    @contextmanager
    def stage(self, *, alone: bool) -> Iterator[None]:
        """Do a stage beside others, or ``alone``: then it waits for those begun, and others wait for it.

        Raises WorkerStopping where no more may be begun, also to those that wait.
        """
        with self._changed:
            self._wait_for_room(alone=alone)
            self._stages += 1
            self._alone = alone
        try:
            yield
        finally:
            with self._changed:
                self._stages -= 1
                self._alone = False
                self._changed.notify_all()

    def jobs(self) -> frozenset[str]:
        """Return the ids of the jobs that are being done."""
        with self._changed:
            return frozenset(self._jobs)

    def stop(self, grace_s: float) -> bool:
        """Let no stage begin any more, and wait so long for those begun; return whether all jobs ended."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._jobs, timeout=grace_s)

    def _wait_for_room(self, *, alone: bool) -> None:
        """Wait until the stage may begin; those that want to be alone go before those that do not."""
        self._wanting_alone += alone
        try:
            self._changed.wait_for(lambda: self._stopping or self._has_room(alone=alone))
        finally:
            self._wanting_alone -= alone
        self._go_on()

    def _has_room(self, *, alone: bool) -> bool:
        if alone:
            return self._stages == 0
        return not self._alone and self._wanting_alone == 0

    def _go_on(self) -> None:
        if self._stopping:
            raise WorkerStopping
