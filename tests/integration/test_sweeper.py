"""The sweeper removes what was given up, and outlives a store that fails."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import now
from huaxiang.core.errors import StorageError
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits, UploadSettings
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.sweeper import Sweeper, Swept
from huaxiang.ingest.uploads import UploadService

OLD_BLOB = "recordings/01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11"  # made in December 2024


def make_sweeper(
    sessions: sessionmaker[Session], blobs: BlobStore, every_s: float = 3600.0
) -> tuple[Sweeper, UploadService]:
    receiver = Receiver(blobs, MemoryJobs(), AudioLimits())
    late = UploadService(
        receiver, blobs, sessions, UploadSettings(expire_s=60), lambda: now() + timedelta(hours=1)
    )
    early = UploadService(receiver, blobs, sessions, UploadSettings(expire_s=60))
    return Sweeper(late, receiver, sessions, every_s), early


def test_expired_uploads_and_lone_blobs_are_removed(
    sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    sweeper, uploads = make_sweeper(sessions, blobs)
    upload = uploads.create("device", 100, {})
    uploads.patch(upload.id, "device", 0, [b"begin"])
    blobs.put(OLD_BLOB, [b"never recorded"])
    blobs.put("recordings/not-an-id", [b"of somebody else"])

    assert sweeper.sweep() == Swept(uploads=1, blobs=1)
    assert blobs.list() == ["recordings/not-an-id"]
    assert sweeper.sweep() == Swept(uploads=0, blobs=0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_sweeps_again_after_a_failure_until_it_is_stopped(
    sessions: sessionmaker[Session], blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper, _ = make_sweeper(sessions, blobs, every_s=0.02)
    blobs.put(OLD_BLOB, [b"never recorded"])
    failed = threading.Event()
    sweep = UploadService.sweep

    def fail_once(service: UploadService) -> int:
        if not failed.is_set():
            failed.set()
            raise StorageError("the store is away")
        return sweep(service)

    monkeypatch.setattr(UploadService, "sweep", fail_once)
    end = time.monotonic() + 10
    with sweeper:
        while blobs.exists(OLD_BLOB) and time.monotonic() < end:
            time.sleep(0.01)

    assert failed.is_set()
    assert not blobs.exists(OLD_BLOB)
