"""What has to be there before the server takes requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from huaxiang.api.http.health import blobs_check, database_check
from huaxiang.api.language import ENCODER, HEADS
from huaxiang.api.recognisers import local_recogniser
from huaxiang.api.speakers import SPEAKER_MODELS
from huaxiang.core.lock import ModelLock
from huaxiang.core.settings import Settings

if TYPE_CHECKING:
    from huaxiang.api.bootstrap import Storage


def readiness_checks(settings: Settings, storage: Storage, lock: ModelLock) -> dict[str, Callable[[], None]]:
    """Return the checks of ``/readyz`` by name; each raises a HuaxiangError where all is not well."""

    def models() -> None:
        for name in (*local_recogniser(settings), "silero-vad", *SPEAKER_MODELS, ENCODER, HEADS):
            lock.ensure(name, settings.models_dir)

    return {
        "database": database_check(storage.engine),
        "blobs": blobs_check(storage.blobs),
        "models": models,
    }
