"""A watched folder: every recording once, when it is whole; what is bad is told and harms nothing."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from audio_files import MONO_CALL, STEREO_CALL, make
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import StorageError
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits
from huaxiang.core.types import Recording, RecordingStatus
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.ingest.tables import QuarantineRow
from huaxiang.ingest.watch import FolderWatch, WatchEvent, source_of

STABLE_S = 5.0


class Clock:
    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs() -> MemoryJobs:
    return MemoryJobs()


Start = Callable[..., FolderWatch]


@pytest.fixture
def start(
    folder: Path, sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs, clock: Clock
) -> Start:
    """Start a watch, as a new process would."""
    receiver = Receiver(blobs, jobs, AudioLimits(max_upload_bytes=1_000_000))

    def begin(**options: bool) -> FolderWatch:
        return FolderWatch(folder, receiver, sessions, stable_s=STABLE_S, monotonic=clock, **options)

    return begin


def settle(watch: FolderWatch, clock: Clock) -> list[WatchEvent]:
    """Look, let the files stand still, and look again."""
    events = list(watch.scan())
    clock.time_s += STABLE_S
    return events + list(watch.scan())


def outcomes(events: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.path, event.outcome.value) for event in events]


def recordings(sessions: sessionmaker[Session]) -> list[Recording]:
    with transaction(sessions) as session:
        return list(RecordingStore().list(session).items)


def test_calls_are_taken_with_what_their_sidecars_say(
    folder: Path, start: Start, clock: Clock, sessions: sessionmaker[Session], jobs: MemoryJobs
) -> None:
    (folder / "monday").mkdir()
    shutil.copyfile(STEREO_CALL, folder / "monday" / "saas-007.mp3")
    shutil.copyfile(STEREO_CALL.with_suffix(".json"), folder / "monday" / "saas-007.json")
    shutil.copyfile(MONO_CALL, folder / "b.MP3")
    told = {"started_at": "2026-03-01T10:00:00+08:00", "seller": "he.yun", "vendor_model": "X-1"}
    (folder / "b.json").write_text(json.dumps(told))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    events = settle(start(), clock)

    assert outcomes(events) == [("b.MP3", "received"), ("monday/saas-007.mp3", "received")]
    b, stereo = (
        next(one for one in recordings(sessions) if one.filename == name)
        for name in ("b.MP3", "saas-007.mp3")
    )
    assert b.metadata.seller == "he.yun"
    assert b.metadata.zone == "+08:00"
    assert stereo.metadata.agent_channel == 0
    assert b.source == f"watch:{folder.resolve()}"
    assert {event.recording_id for event in events} == {b.id, stereo.id}
    with transaction(sessions) as session:
        assert {job.recording_id for job in jobs.page(session)} == {b.id, stereo.id}
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_taken_once_however_often_it_is_looked_at(
    folder: Path, start: Start, clock: Clock, sessions: sessionmaker[Session]
) -> None:
    make(folder, "phone.amr")
    watch = start()
    assert outcomes(settle(watch, clock)) == [("phone.amr", "received")]
    assert settle(watch, clock) == []
    (folder / "phone.amr").rename(folder / "copy.amr")
    assert outcomes(settle(watch, clock)) == [("copy.amr", "duplicate")]

    again = settle(start(), clock)

    assert outcomes(again) == [("copy.amr", "duplicate")]
    assert [one.id for one in recordings(sessions)] == [again[0].recording_id]


def test_a_file_that_grows_is_waited_for(
    folder: Path, start: Start, clock: Clock, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    whole = make(folder, "phone.amr").read_bytes()
    watch = start()
    for size in (100, 500, 900):
        (folder / "phone.amr").write_bytes(whole[:size])
        assert list(watch.scan()) == []
        clock.time_s += STABLE_S - 0.1
        assert list(watch.scan()) == []
    (folder / "phone.amr").write_bytes(whole)

    assert outcomes(settle(watch, clock)) == [("phone.amr", "received")]
    (recording,) = recordings(sessions)
    assert b"".join(blobs.read(recording.blob_key)) == whole


def test_a_sidecar_that_comes_late_is_waited_for(
    folder: Path, start: Start, clock: Clock, sessions: sessionmaker[Session]
) -> None:
    make(folder, "phone.amr")
    watch = start()
    list(watch.scan())
    clock.time_s += STABLE_S - 1
    (folder / "phone.json").write_text('{"seller": "he.yun"}')
    assert list(watch.scan()) == []
    clock.time_s += STABLE_S

    assert outcomes(list(watch.scan())) == [("phone.amr", "received")]
    assert recordings(sessions)[0].metadata.seller == "he.yun"


def test_bad_files_are_told_and_quarantined_and_the_watch_goes_on(
    folder: Path, start: Start, clock: Clock, sessions: sessionmaker[Session], jobs: MemoryJobs
) -> None:
    (folder / "a-note.mp3").write_text("not a recording")
    (folder / "b-empty.wav").touch()
    (folder / "c-large.wav").write_bytes(bytes(1_000_001))
    make(folder, "phone.amr").rename(folder / "d-misdated.amr")
    (folder / "d-misdated.json").write_text('{"started_at": "2026-03-01T10:00:00"}')
    make(folder, "pcm16.wav").rename(folder / "e-good.wav")
    (folder / "e-good.json").write_text("{}")
    make(folder, "mulaw.wav").rename(folder / "f-broken-sidecar.wav")
    (folder / "f-broken-sidecar.json").write_text("[1, 2")
    make(folder, "alaw.wav").rename(folder / "g-list.wav")
    (folder / "g-list.json").write_text("[]")
    watch = start()

    events = settle(watch, clock)

    assert [(event.path, event.outcome.value, event.code) for event in events] == [
        ("a-note.mp3", "quarantined", "not_audio"),
        ("b-empty.wav", "quarantined", "empty_audio"),
        ("c-large.wav", "refused", "too_large"),
        ("d-misdated.amr", "refused", "invalid_metadata"),
        ("e-good.wav", "received", None),
        ("f-broken-sidecar.wav", "refused", "invalid_metadata"),
        ("g-list.wav", "refused", "invalid_metadata"),
    ]
    with transaction(sessions) as session:
        held = {row.recording_id: row.code for row in session.scalars(select(QuarantineRow))}
        queued = [job.recording_id for job in jobs.page(session)]
    failed = {one.id for one in recordings(sessions) if one.status is RecordingStatus.FAILED}
    assert failed == set(held) == {events[0].recording_id, events[1].recording_id}
    assert queued == [events[4].recording_id]

    (folder / "d-misdated.json").write_text('{"started_at": "2026-03-01T10:00:00+08:00"}')
    assert outcomes(settle(watch, clock)) == [("d-misdated.amr", "received")]


def test_what_is_no_recording_by_its_name_is_passed_over(
    folder: Path, start: Start, clock: Clock, tmp_path: Path
) -> None:
    outside = make(tmp_path, "phone.amr")
    for name in ("notes.txt", ".hidden.wav", "upload.wav.part", "call.json"):
        (folder / name).write_bytes(b"x")
    (folder / ".trash").mkdir()
    (folder / ".trash" / "old.wav").write_bytes(b"x")
    (folder / "link.amr").symlink_to(outside)

    assert settle(start(), clock) == []


def test_a_dry_run_tells_and_takes_nothing(
    folder: Path, start: Start, clock: Clock, sessions: sessionmaker[Session], blobs: BlobStore
) -> None:
    make(folder, "phone.amr")
    (folder / "note.mp3").write_text("not a recording")

    events = settle(start(dry_run=True), clock)

    assert [(event.path, event.outcome.value, event.code) for event in events] == [
        ("note.mp3", "refused", "not_audio"),
        ("phone.amr", "would_receive", None),
    ]
    assert recordings(sessions) == []
    assert blobs.list() == []


def test_a_store_that_fails_is_tried_again(
    folder: Path, start: Start, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder, "phone.amr")
    watch = start()

    def fail(*_: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Receiver, "store", fail)
        assert [event.code for event in settle(watch, clock)] == ["storage"]
    assert outcomes(list(watch.scan())) == [("phone.amr", "received")]


def test_the_watch_runs_until_it_is_stopped(
    folder: Path, sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs
) -> None:
    watch = FolderWatch(folder, Receiver(blobs, jobs, AudioLimits()), sessions, stable_s=0.1, poll_s=0.02)
    stop = threading.Event()
    events: list[WatchEvent] = []

    def follow() -> None:
        events.extend(watch.run(stop))

    thread = threading.Thread(target=follow)
    thread.start()
    make(folder, "phone.amr")
    end = time.monotonic() + 20
    while not events and time.monotonic() < end:
        time.sleep(0.02)
        if recordings(sessions):
            stop.set()
            break
    thread.join(timeout=10)

    assert not thread.is_alive()
    assert outcomes(events) == [("phone.amr", "received")]


def test_looking_once_ends_and_names_what_is_still_written(
    folder: Path, sessions: sessionmaker[Session], blobs: BlobStore, jobs: MemoryJobs
) -> None:
    make(folder, "phone.amr")
    make(folder, "pcm16.wav")
    watch = FolderWatch(folder, Receiver(blobs, jobs, AudioLimits()), sessions, stable_s=0.4)
    writer = threading.Timer(0.1, lambda: os.utime(folder / "pcm16.wav", ns=(1, 1)))
    writer.start()

    events = list(watch.run(threading.Event(), once=True))

    assert outcomes(events) == [("phone.amr", "received"), ("pcm16.wav", "unstable")]
    assert events[0].as_json() == {
        "file": "phone.amr",
        "outcome": "received",
        "recording_id": events[0].recording_id,
        "code": None,
        "message": None,
    }
    assert str(events[1]) == "unstable: pcm16.wav (it is still being written)"


def test_a_long_folder_name_still_is_one_source(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120) / ("y" * 120)

    assert source_of(tmp_path) == f"watch:{tmp_path.resolve()}"
    assert len(source_of(deep)) < 200
    assert source_of(deep) != source_of(deep.parent / ("z" * 120))
