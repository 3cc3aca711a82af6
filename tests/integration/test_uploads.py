"""Resumable uploads without HTTP: the offset, the lease, the checksum, completion, clearing away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import new, sha256
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import (
    ChecksumMismatch,
    Conflict,
    EmptyAudio,
    Gone,
    InvalidInput,
    InvalidMetadata,
    Locked,
    NotFound,
    StorageError,
    TooLarge,
)
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits, UploadSettings
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.ingest.tables import RecordingRow, UploadRow
from huaxiang.ingest.upload_writer import Checksum, Upload, upload_of_part
from huaxiang.ingest.uploads import UploadService

PART = 64 * 1024
DATA = bytes(range(256)) * 1000  # 256,000 bytes: three parts and a rest
SOURCE = "device-1"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs() -> MemoryJobs:
    return MemoryJobs()


@pytest.fixture
def service(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, clock: Clock
) -> UploadService:
    receiver = Receiver(blobs, jobs, AudioLimits(max_upload_bytes=1_000_000))
    settings = UploadSettings(part_bytes=PART, expire_s=3600, lease_s=30)
    return UploadService(receiver, blobs, sessions, settings, clock)


def begin(service: UploadService, length: int = len(DATA)) -> Upload:
    return service.create(SOURCE, length, {"filename": "call.mp3", "seller": "he.yun"})


def send(service: UploadService, upload: Upload, start: int, end: int, **more: Checksum) -> Upload:
    return service.patch(upload.id, SOURCE, start, [DATA[start:end]], **more)


def stored(sessions: sessionmaker[Session], blobs: BlobStore, upload: Upload) -> bytes:
    assert upload.recording_id is not None
    with transaction(sessions) as session:
        return b"".join(blobs.read(RecordingStore().get(session, upload.recording_id).blob_key))


def test_an_upload_in_pieces_becomes_one_recording_and_one_job(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, service: UploadService
) -> None:
    upload = begin(service)
    for start, end in ((0, 10), (10, 100_000), (100_000, 100_000), (100_000, 255_999)):
        step = send(service, upload, start, end)
        assert (step.offset_bytes, step.recording_id) == (end, None)
        assert service.head(upload.id, SOURCE).offset_bytes == end
    done = send(service, upload, 255_999, 256_000)

    assert done.offset_bytes == len(DATA)
    assert not done.duplicate
    assert service.head(upload.id, SOURCE) == done
    assert stored(sessions, blobs, done) == DATA
    assert blobs.list("uploads") == []
    with transaction(sessions) as session:
        recording = RecordingStore().get(session, str(done.recording_id))
        assert [job.recording_id for job in jobs.page(session)] == [recording.id]
    assert recording.sha256 == sha256(DATA).hexdigest()
    assert (recording.filename, recording.metadata.seller, recording.source) == ("call.mp3", "he.yun", SOURCE)


def test_parts_are_no_larger_than_the_setting(
    blobs: BlobStore, service: UploadService, sessions: sessionmaker[Session]
) -> None:
    upload = begin(service, len(DATA) + 1)
    service.patch(upload.id, SOURCE, 0, [DATA])

    assert [blobs.size(key) for key in blobs.list("uploads")] == [PART] * 3 + [len(DATA) - 3 * PART]


def test_the_same_bytes_uploaded_again_are_a_duplicate(
    service: UploadService, blobs: BlobStore, jobs: MemoryJobs, sessions: sessionmaker[Session]
) -> None:
    first = send(service, begin(service), 0, len(DATA))
    again_upload = begin(service)
    again = send(service, again_upload, 0, len(DATA))

    assert (again.recording_id, again.duplicate) == (first.recording_id, True)
    assert service.head(again_upload.id, SOURCE).duplicate
    assert len(blobs.list("recordings")) == 1
    with transaction(sessions) as session:
        assert len(jobs.page(session)) == 1


@pytest.mark.parametrize(
    ("length", "metadata", "error"),
    [
        (0, {}, EmptyAudio),
        (-1, {}, InvalidInput),
        (1_000_001, {}, TooLarge),
        (10, {"started_at": "2026-03-01T10:00:00"}, InvalidMetadata),
        (10, {"colour": "red"}, InvalidMetadata),
    ],
)
def test_what_cannot_be_an_upload_is_refused_at_its_creation(
    length: int, metadata: dict[str, str], error: type[Exception], service: UploadService
) -> None:
    with pytest.raises(error):
        service.create(SOURCE, length, metadata)


def test_an_answer_that_was_lost_is_made_up_by_asking(service: UploadService) -> None:
    upload = begin(service)
    send(service, upload, 0, 1000)

    with pytest.raises(Conflict) as raised:
        send(service, upload, 0, 1000)

    assert raised.value.context["offset_bytes"] == 1000
    assert type(raised.value) is Conflict
    done = send(service, upload, 1000, len(DATA))
    with pytest.raises(Conflict):
        send(service, upload, 1000, len(DATA))
    assert service.patch(upload.id, SOURCE, len(DATA), []) == done


def test_more_bytes_than_announced_are_refused(service: UploadService) -> None:
    upload = begin(service, 1000)

    with pytest.raises(TooLarge, match="1000 bytes"):
        service.patch(upload.id, SOURCE, 0, [b"x" * 1001])
    assert service.head(upload.id, SOURCE).offset_bytes == 0
    assert service.patch(upload.id, SOURCE, 0, [b"x" * 1000]).recording_id is not None


def test_the_upload_of_another_device_does_not_exist(service: UploadService) -> None:
    upload = begin(service)

    for attempt in (
        lambda: service.head(upload.id, "device-2"),
        lambda: service.patch(upload.id, "device-2", 0, [b"x"]),
        lambda: service.terminate(upload.id, "device-2"),
        lambda: service.head("nothing", SOURCE),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_one_request_at_a_time_writes(service: UploadService, clock: Clock) -> None:
    upload = begin(service)
    writer = service.open(upload.id, SOURCE, 0)

    for attempt in (
        lambda: send(service, upload, 0, 10),
        lambda: service.terminate(upload.id, SOURCE),
    ):
        with pytest.raises(Locked):
            attempt()
    assert service.head(upload.id, SOURCE).offset_bytes == 0
    writer.take(DATA[:10])
    assert writer.finish().offset_bytes == 10
    assert send(service, upload, 10, 20).offset_bytes == 20


def test_a_dead_request_loses_its_lease_and_can_change_nothing(
    service: UploadService, clock: Clock, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    upload = begin(service)
    dead = service.open(upload.id, SOURCE, 0)
    dead.take(b"\xff" * PART)
    clock.forward(seconds=31)
    done = send(service, upload, 0, len(DATA))

    for late in (dead.flush, dead.finish):
        with pytest.raises(Locked):
            late()
    dead.close()

    assert service.head(upload.id, SOURCE) == done
    assert stored(sessions, blobs, done) == DATA


def test_a_dead_request_that_was_overtaken_midway_changes_nothing(
    service: UploadService, clock: Clock, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    upload = begin(service)
    dead = service.open(upload.id, SOURCE, 0)
    dead.take(b"\xff" * 10)
    clock.forward(seconds=31)
    writer = service.open(upload.id, SOURCE, 0)
    with pytest.raises(Locked):
        dead.finish()
    dead.close()
    writer.take(DATA)
    done = writer.finish()

    assert stored(sessions, blobs, done) == DATA


def test_a_slow_request_renews_its_lease_and_keeps_what_came(
    service: UploadService, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds pass between two chunks, of the lease of thirty."""
    passed = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr("huaxiang.ingest.upload_writer.time.monotonic", lambda: passed.seconds)
    upload = begin(service)
    writer = service.open(upload.id, SOURCE, 0)
    for index in range(10):
        writer.take(DATA[index * 100 : index * 100 + 100])
        passed.seconds += 10.1
        clock.forward(seconds=10.1)
        assert writer.due
        writer.flush()
        assert not writer.due
        assert service.head(upload.id, SOURCE).offset_bytes == index * 100 + 100
        with pytest.raises(Locked):
            service.open(upload.id, SOURCE, index * 100 + 100)
    writer.take(DATA[1000:])

    assert writer.finish().recording_id is not None


def test_a_request_that_breaks_off_keeps_what_came(service: UploadService) -> None:
    upload = begin(service)

    def broken() -> Iterator[bytes]:
        yield DATA[: PART + 10]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        service.patch(upload.id, SOURCE, 0, broken())

    assert service.head(upload.id, SOURCE).offset_bytes == PART
    assert send(service, upload, PART, len(DATA)).recording_id is not None


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_bytes_with_their_checksum_are_kept_and_others_are_not(
    algorithm: str, service: UploadService, blobs: BlobStore, sessions: sessionmaker[Session]
) -> None:
    upload = begin(service)
    good = Checksum(algorithm, new(algorithm, DATA[:200_000]).digest())
    assert send(service, upload, 0, 200_000, checksum=good).offset_bytes == 200_000
    kept = blobs.list("uploads")

    with pytest.raises(ChecksumMismatch) as raised:
        send(service, upload, 200_000, len(DATA), checksum=good)

    assert raised.value.status == 460
    assert service.head(upload.id, SOURCE).offset_bytes == 200_000
    assert blobs.list("uploads") == kept
    right = Checksum(algorithm, new(algorithm, DATA[200_000:]).digest())
    done = send(service, upload, 200_000, len(DATA), checksum=right)
    assert stored(sessions, blobs, done) == DATA


def test_a_checksum_covers_all_parts_of_a_request(service: UploadService, blobs: BlobStore) -> None:
    upload = begin(service)
    wrong = Checksum("sha256", sha256(b"other").digest())

    with pytest.raises(ChecksumMismatch):
        service.patch(upload.id, SOURCE, 0, [DATA[:PART], DATA[PART : 3 * PART], DATA[3 * PART :]], wrong)

    assert service.head(upload.id, SOURCE).offset_bytes == 0
    assert blobs.list("uploads") == []


def test_other_checksums_are_not_offered() -> None:
    with pytest.raises(InvalidInput, match="sha1 or sha256"):
        Checksum("md5", b"")


def test_a_terminated_upload_is_gone_with_its_parts(service: UploadService, blobs: BlobStore) -> None:
    upload = begin(service)
    send(service, upload, 0, 200_000)
    service.terminate(upload.id, SOURCE)

    assert blobs.list("uploads") == []
    with pytest.raises(NotFound):
        service.head(upload.id, SOURCE)


def test_terminating_a_completed_upload_leaves_its_recording(
    service: UploadService, blobs: BlobStore, sessions: sessionmaker[Session]
) -> None:
    done = send(service, begin(service), 0, len(DATA))
    service.terminate(done.id, SOURCE)

    assert stored(sessions, blobs, done) == DATA


def test_an_upload_expires_unless_bytes_come(service: UploadService, clock: Clock, blobs: BlobStore) -> None:
    fed, starved = begin(service), begin(service)
    send(service, starved, 0, 10)
    clock.forward(seconds=3599)
    assert send(service, fed, 0, 100).expires_at == clock.time + timedelta(hours=1)
    clock.forward(seconds=2)

    with pytest.raises(Gone):
        service.head(starved.id, SOURCE)
    with pytest.raises(Gone):
        send(service, starved, 10, 20)
    assert service.sweep() == 1
    assert service.sweep() == 0
    with pytest.raises(NotFound):
        service.head(starved.id, SOURCE)
    assert [upload_of_part(key) for key in blobs.list("uploads")] == [fed.id]
    assert send(service, fed, 100, len(DATA)).recording_id is not None


def test_the_sweep_takes_parts_that_lost_their_row(
    service: UploadService, clock: Clock, blobs: BlobStore, sessions: sessionmaker[Session]
) -> None:
    upload = begin(service)
    send(service, upload, 0, 10)
    with transaction(sessions) as session:
        session.delete(session.get_one(UploadRow, upload.id))

    assert service.sweep() == 0
    assert len(blobs.list("uploads")) == 1, "too young: its row may be on its way"
    clock.forward(seconds=3601)
    service.sweep()
    assert blobs.list("uploads") == []


def test_a_crash_before_the_last_transaction_leaves_an_upload_to_go_on_with(
    service: UploadService,
    blobs: BlobStore,
    sessions: sessionmaker[Session],
    jobs: MemoryJobs,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = begin(service)
    send(service, upload, 0, 100_000)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("killed between the joined bytes and the row")

    with monkeypatch.context() as patched:
        patched.setattr(Receiver, "record", crash)
        with pytest.raises(RuntimeError):
            send(service, upload, 100_000, len(DATA))

    kept = service.head(upload.id, SOURCE).offset_bytes
    assert kept == 100_000 + 2 * PART
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(RecordingRow)) == 0
        assert jobs.page(session) == []
    done = send(service, upload, kept, len(DATA))
    assert stored(sessions, blobs, done) == DATA
    assert blobs.list("uploads") == []


def test_a_lost_part_is_noticed(service: UploadService, blobs: BlobStore) -> None:
    upload = begin(service)
    send(service, upload, 0, 10)
    blobs.delete(blobs.list("uploads")[0])

    with pytest.raises(StorageError):
        send(service, upload, 10, len(DATA))
    assert service.head(upload.id, SOURCE).recording_id is None


def test_many_requests_at_once_make_one_recording(
    service: UploadService, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    upload = begin(service)
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            service.patch(upload.id, SOURCE, 0, [DATA])
        except (Locked, Conflict) as error:
            outcomes.append(error.code)
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "locked", "conflict"}
    assert stored(sessions, blobs, service.head(upload.id, SOURCE)) == DATA
