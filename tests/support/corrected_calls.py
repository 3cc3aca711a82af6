"""Invented calls that are scored by the scorecards in use, so that a correction can change the score."""

from __future__ import annotations

from dataclasses import replace

from api_world import add_call
from invented_call import invented_recording

from huaxiang.api.services import Services
from huaxiang.core.database import transaction
from huaxiang.core.types import new_id


def add_scored_call(services: Services, **metadata: object) -> str:
    """Store the invented call, scored by the rules themselves, and return its id."""
    told = replace(invented_recording("").metadata, **metadata)  # type: ignore[arg-type]
    call = add_call(services, metadata=told, sha256=new_id().replace("-", "") * 2)
    with transaction(services.sessions) as session:
        form = services.corrections.form(session, call)
        grounds = services.inspecting.grounds(session, form.recording, form.transcript, form.insights)
    scorecards = services.inspecting.scorecards(grounds)
    with transaction(services.sessions) as session:
        services.scorecards.save_all(session, call, scorecards)
    return call
