"""The workflow of a recording over the stores of a world, with the stages that a test gives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from huaxiang.api.pipeline import Pipeline
from huaxiang.api.services import Services
from huaxiang.api.workflow import RecordingWorkflow, Stores


def no_models() -> NoReturn:
    """Stand for a pipeline where only stages without models are run."""
    raise AssertionError("this stage needs no model")


def nothing_decoded(source: Path, target: Path) -> NoReturn:
    """Stand for a decoder that nobody asks for."""
    raise AssertionError("nothing is decoded")


def workflow_of(services: Services, pipeline: Callable[[], Pipeline] = no_models) -> RecordingWorkflow:
    """Return the stages over the services' own stores."""
    return RecordingWorkflow(
        decode=nothing_decoded,
        pipeline=pipeline,
        sessions=services.sessions,
        blobs=services.blobs,
        stores=Stores(
            services.recordings, services.transcripts, services.insights, services.scorecards, services.search
        ),
        inspecting=services.inspecting,
        corrections=services.corrections,
        features=services.features,
        lock_digest="0" * 64,
        country="CN",
    )
