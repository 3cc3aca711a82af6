"""Receiving: kept first, then known, then queued; the same bytes only once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from audio_files import AMR_WB_WITH_SILENCE_FRAMES, make
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore, MemoryBlobs, make_blob_store
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound, StorageError, TooLarge
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import CallMetadata, RecordingStatus
from huaxiang.ingest.receive import Received, Receiver, made_at, sha256_of
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.ingest.tables import QuarantineRow, RecordingRow

BYTES = [b"some bytes " * 1000, b"and more", b""]
WHOLE = b"".join(BYTES)
RECORDINGS = RecordingStore()


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return MemoryBlobs() if request.param == "memory" else make_blob_store((tmp_path / "blobs").as_uri())


@pytest.fixture
def jobs() -> MemoryJobs:
    return MemoryJobs()


@pytest.fixture
def receiver(blobs: BlobStore, jobs: MemoryJobs) -> Receiver:
    return Receiver(blobs, jobs, AudioLimits(max_upload_bytes=1_000_000))


def receive(
    sessions: sessionmaker[Session],
    receiver: Receiver,
    content: Path | list[bytes] = BYTES,
    source: str = "device-1",
) -> Received:
    with transaction(sessions) as session:
        return receiver.receive_file(session, source, content, "a.mp3", CallMetadata(seller="he.yun"))


def queued(sessions: sessionmaker[Session], jobs: MemoryJobs) -> list[str]:
    with transaction(sessions) as session:
        return [job.recording_id for job in jobs.page(session)]


def counts(sessions: sessionmaker[Session]) -> tuple[int, int]:
    with transaction(sessions) as session:
        return tuple(  # type: ignore[return-value]
            session.scalar(select(func.count()).select_from(table)) for table in (RecordingRow, QuarantineRow)
        )


def test_bytes_become_a_recording_and_a_job(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, receiver: Receiver
) -> None:
    received = receive(sessions, receiver)

    assert (received.duplicate, received.error) == (False, None)
    assert queued(sessions, jobs) == [received.recording_id]
    with transaction(sessions) as session:
        recording = RECORDINGS.get(session, received.recording_id)
    assert recording.sha256 == sha256(WHOLE).hexdigest()
    assert recording.size_bytes == len(WHOLE)
    assert (recording.filename, recording.source) == ("a.mp3", "device-1")
    assert recording.metadata == CallMetadata(seller="he.yun")
    assert recording.status is RecordingStatus.RECEIVED
    assert b"".join(blobs.read(recording.blob_key)) == WHOLE


def test_the_same_bytes_again_are_said_to_be_the_same_recording(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, receiver: Receiver
) -> None:
    first = receive(sessions, receiver)
    again = receive(sessions, receiver)
    other = receive(sessions, receiver, source="device-2")

    assert again == Received(first.recording_id, duplicate=True)
    assert not other.duplicate
    assert other.recording_id != first.recording_id
    assert sorted(queued(sessions, jobs)) == sorted([first.recording_id, other.recording_id])
    assert len(blobs.list("recordings")) == 2
    assert counts(sessions) == (2, 0)


def test_the_same_bytes_sent_at_the_same_moment_are_one_recording(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, receiver: Receiver
) -> None:
    both_stored = threading.Barrier(2)
    results: list[Received] = []

    def send() -> None:
        def chunks() -> Iterator[bytes]:
            yield WHOLE
            both_stored.wait(timeout=10)

        with transaction(sessions) as session:
            results.append(receiver.receive_file(session, "device-1", chunks(), "a.mp3"))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one.recording_id for one in results}) == 1
    assert sorted(one.duplicate for one in results) == [False, True]
    assert len(blobs.list("recordings")) == 1
    assert counts(sessions) == (1, 0)
    assert len(queued(sessions, jobs)) == 1


def test_a_failed_transaction_leaves_no_row_and_no_job_and_the_sweep_takes_the_blob(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, receiver: Receiver
) -> None:
    kept = receive(sessions, receiver)
    with sessions() as session:
        receiver.receive_file(session, "device-1", [b"lost"], "b.mp3")
        session.rollback()

    assert counts(sessions) == (1, 0)
    assert queued(sessions, jobs) == [kept.recording_id]
    assert len(blobs.list("recordings")) == 2
    with transaction(sessions) as session:
        assert receiver.sweep(session) == 0, "a young blob may belong to a transaction under way"
        assert receiver.sweep(session, older_than=timedelta(seconds=-1)) == 1
    assert blobs.list("recordings") == [f"recordings/{kept.recording_id}"]


def test_an_interrupted_sender_leaves_nothing(
    sessions: sessionmaker[Session], blobs: BlobStore, receiver: Receiver
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"begin"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError), transaction(sessions) as session:
        receiver.receive_file(session, "device-1", broken(), "a.mp3")

    assert counts(sessions) == (0, 0)
    assert blobs.list("recordings") == []


def test_too_many_bytes_leave_nothing(
    sessions: sessionmaker[Session], blobs: BlobStore, receiver: Receiver
) -> None:
    with pytest.raises(TooLarge, match="1000000 bytes"):
        receive(sessions, receiver, [b"x" * 600_000] * 2)

    assert counts(sessions) == (0, 0)
    assert blobs.list("recordings") == []


def test_an_empty_file_is_quarantined_and_not_queued(
    sessions: sessionmaker[Session], jobs: MemoryJobs, receiver: Receiver
) -> None:
    received = receive(sessions, receiver, [])

    assert received.error is not None
    assert received.error.code == "empty_audio"
    assert counts(sessions) == (1, 1)
    assert queued(sessions, jobs) == []


def test_a_file_that_is_no_audio_is_kept_in_the_quarantine_and_the_next_is_taken(
    sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, receiver: Receiver, tmp_path: Path
) -> None:
    note = tmp_path / "note.mp3"
    note.write_text("no recording at all")
    bad = receive(sessions, receiver, note)
    good = receive(sessions, receiver, make(tmp_path, "phone.amr"))

    assert bad.error is not None
    assert (bad.error.code, good.error) == ("not_audio", None)
    assert queued(sessions, jobs) == [good.recording_id]
    with transaction(sessions) as session:
        failed = RECORDINGS.get(session, bad.recording_id)
        failure = RECORDINGS.failure(session, bad.recording_id)
    assert failed.status is RecordingStatus.FAILED
    assert failure is not None
    assert failure.code == "not_audio"
    assert b"".join(blobs.read(failed.blob_key)) == note.read_bytes()
    assert receive(sessions, receiver, note) == Received(bad.recording_id, duplicate=True)


def test_a_file_is_summed_and_known_before_it_is_stored(
    sessions: sessionmaker[Session], receiver: Receiver
) -> None:
    digest = sha256_of(AMR_WB_WITH_SILENCE_FRAMES)
    assert digest == sha256(AMR_WB_WITH_SILENCE_FRAMES.read_bytes()).hexdigest()
    received = receive(sessions, receiver, AMR_WB_WITH_SILENCE_FRAMES)

    with transaction(sessions) as session:
        assert receiver.known(session, "device-1", digest) == received.recording_id
        assert receiver.known(session, "device-2", digest) is None


def test_a_missing_file_is_said_to_be_missing(
    sessions: sessionmaker[Session], receiver: Receiver, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match=r"gone\.wav"):
        receive(sessions, receiver, tmp_path / "gone.wav")
    with pytest.raises(NotFound):
        sha256_of(tmp_path / "gone.wav")
    with pytest.raises(StorageError):
        sha256_of(tmp_path)


def test_only_a_uuid_of_version_7_tells_its_age() -> None:
    assert made_at("01939c3e-7c1e-7d3a-9d52-6f0a4d1f2b11") is not None
    assert made_at("c56a4180-65aa-42ec-a945-5fd21dec0538") is None
    assert made_at("decoded.wav") is None
