"""Jobs: how far the processing of each recording has come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from huaxiang.api.http import schemas
from huaxiang.api.http.answers import Answer, respond
from huaxiang.api.http.dependencies import Manager, ServicesDep, once
from huaxiang.api.progress import StageProgress, progress_of
from huaxiang.api.serialise import time_json
from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.core.jobs import JobStatus
from huaxiang.core.types import Json, RecordingStatus

router = APIRouter(prefix="/v1", tags=["jobs"])


@router.get("/jobs", summary="List jobs", responses={200: {"model": schemas.JobPage}})
def get_jobs(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Return jobs, newest first; follow ``next_cursor`` for more."""
    with transaction(services.sessions) as session:
        jobs = services.jobs.page(session, limit + 1, cursor)
        shown = jobs[:limit]
        progress = progress_of(session, [job.recording_id for job in shown])
    items: list[Json] = [job_json(job, progress.get(job.recording_id)) for job in shown]
    next_cursor = shown[-1].id if len(jobs) > limit else None
    return respond(request, Answer({"items": items, "next_cursor": next_cursor}))


@router.get(
    "/jobs/{recording_id}",
    summary="Read the newest job of a recording",
    responses={200: {"model": schemas.Job}},
)
def get_job(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    recording_id: Annotated[str, Path(max_length=36)],
) -> Response:
    """Return the state, the stage and how far it is, and the error code where it failed."""
    with transaction(services.sessions) as session:
        job = services.jobs.status(session, recording_id)
        progress = progress_of(session, [recording_id]).get(recording_id)
    return respond(request, Answer(job_json(job, progress)))


@router.post(
    "/recordings/{recording_id}/reprocess",
    summary="Process a recording again",
    status_code=202,
    responses={202: {"model": schemas.Queued}},
)
def reprocess(
    request: Request,
    services: ServicesDep,
    caller: Manager,
    recording_id: Annotated[str, Path(max_length=36)],
) -> Response:
    """Queue another run of all stages; 409 while the last one is not finished."""

    def work(session: Session) -> Answer:
        job_id = queue_again(session, services, recording_id)
        return Answer(
            {"id": job_id, "recording_id": recording_id}, 202, {"Location": f"/v1/jobs/{recording_id}"}
        )

    return once(request, caller, work)


def queue_again(session: Session, services: Services, recording_id: str) -> str:
    """Queue another run of a recording, which then waits; return the job's id.

    What was stored of it stays until the run replaces it. Raises NotFound and Conflict.
    """
    services.recordings.get(session, recording_id)
    job_id = services.jobs.enqueue_again(session, recording_id)
    services.recordings.set_status(session, recording_id, RecordingStatus.RECEIVED)
    return job_id


def job_json(job: JobStatus, progress: StageProgress | None = None) -> Json:
    """Return a job as JSON, with how far its stage is where that is told."""
    share = progress.share if progress is not None and progress.stage == job.stage else None
    return {
        "id": job.id,
        "recording_id": job.recording_id,
        "state": job.state.value,
        "stage": job.stage,
        "share": share,
        "attempts": job.attempts,
        "error_code": job.error_code,
        "created_at": time_json(job.created_at),
        "updated_at": time_json(job.updated_at),
    }
