"""The scripted twin of the job queue, and stages done on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import event
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, NotFound, StageFailed
from huaxiang.core.jobs import FINISHED, JobState, JobStatus, StagePoint, Workflow
from huaxiang.core.stages import StageExecutor
from huaxiang.core.types import Json


@dataclass
class InlineStages:
    """Does stages at once in this process; ``done`` keeps their results by name."""

    executor: StageExecutor = field(default_factory=lambda: StageExecutor(retry_waits_s=()))
    done: dict[str, Json] = field(default_factory=dict)

    def stage(self, name: str, step: Callable[[], Json]) -> Json:
        """Do the stage, or return the result it had."""
        if name not in self.done:
            self.done[name] = self.executor.work(name, lambda: None, step)
            self.executor.observer.reached(name, StagePoint.STORED)
        return self.done[name]


class MemoryJobs:
    """Jobs in a list, run when ``run_all`` is called; a commit makes them, a rollback forgets them."""

    def __init__(self) -> None:
        self._jobs: dict[str, JobStatus] = {}
        self._stages: dict[str, InlineStages] = {}

    def enqueue(self, session: Session, recording_id: str) -> None:
        """Queue a recording."""
        if recording_id not in self._jobs:
            self._add_on_commit(session, recording_id, recording_id)

    def enqueue_again(self, session: Session, recording_id: str) -> str:
        """Queue another run."""
        newest = self.status(session, recording_id)
        if newest.state not in FINISHED:
            raise Conflict(f"job {newest.id} of this recording is not finished")
        runs = sum(job.recording_id == recording_id for job in self._jobs.values())
        job_id = f"{recording_id}-{runs + 1}"
        self._add_on_commit(session, job_id, recording_id)
        return job_id

    def status(self, session: Session, recording_id: str) -> JobStatus:
        """Return the newest job."""
        found = [job for job in self._jobs.values() if job.recording_id == recording_id]
        if not found:
            raise NotFound(f"recording {recording_id} was never queued")
        return found[-1]

    def page(self, session: Session, limit: int = 50, after: str | None = None) -> Sequence[JobStatus]:
        """Return jobs, newest first."""
        newest_first = list(reversed(self._jobs.values()))
        if after is None:
            return newest_first[:limit]
        places = [place for place, job in enumerate(newest_first) if job.id == after]
        if not places:
            raise NotFound(f"job {after} does not exist")
        return newest_first[places[0] + 1 :][:limit]

    def run_all(self, workflow: Workflow) -> None:
        """Run every job that is not finished, in order."""
        for job in [job for job in self._jobs.values() if job.state not in FINISHED]:
            self._jobs[job.id] = replace(job, state=JobState.RUNNING, attempts=job.attempts + 1)
            stages = self._stages.setdefault(job.id, InlineStages())
            try:
                workflow.run(stages, job.recording_id)
            except StageFailed as failed:
                self._finish(job.id, JobState.FAILED, failed.stage, failed.error_code)
            else:
                self._finish(job.id, JobState.DONE, list(stages.done)[-1] if stages.done else None, None)

    def _finish(self, job_id: str, state: JobState, stage: str | None, error_code: str | None) -> None:
        job = self._jobs[job_id]
        self._jobs[job_id] = replace(job, state=state, stage=stage, error_code=error_code, updated_at=now())

    def _add_on_commit(self, session: Session, job_id: str, recording_id: str) -> None:
        at = now()
        job = JobStatus(job_id, recording_id, JobState.QUEUED, None, 0, None, created_at=at, updated_at=at)

        def committed(_session: Session) -> None:
            self._jobs.setdefault(job_id, job)

        def rolled_back(_session: Session) -> None:
            event.remove(session, "after_commit", committed)

        event.listen(session, "after_commit", committed, once=True)
        event.listen(session, "after_rollback", rolled_back, once=True)
