"""Whatever a poor link does to an upload: in the end the bytes are the same, and there once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from huaxiang.core.blobs import make_blob_store
from huaxiang.core.database import make_engine, now, session_factory, transaction
from huaxiang.core.errors import ChecksumMismatch, Conflict, Locked
from huaxiang.core.jobs_memory import MemoryJobs
from huaxiang.core.settings import AudioLimits, UploadSettings
from huaxiang.ingest.receive import Receiver
from huaxiang.ingest.tables import RecordingRow
from huaxiang.ingest.upload_writer import Checksum, UploadWriter
from huaxiang.ingest.uploads import UploadService

LEASE_S = 30
PART_BYTES = 64 * 1024

sizes = st.one_of(st.integers(0, 300), st.integers(0, 150_000), st.just(PART_BYTES))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), sizes),
        st.tuples(st.just("send summed"), sizes),
        st.tuples(st.just("send damaged"), sizes),
        st.tuples(st.just("answer lost"), sizes),
        st.tuples(st.just("connection lost"), sizes),
        st.tuples(st.just("server killed"), sizes),
        st.tuples(st.just("time passes"), st.integers(0, 3 * LEASE_S)),
    ),
    max_size=12,
)


@dataclass
class Link:
    """A client that believes an offset, a service, and what can go wrong between them."""

    service: UploadService
    upload_id: str
    data: bytes
    delta: list[timedelta]
    believed: int = 0
    ghosts: list[UploadWriter] = field(default_factory=list)

    def do(self, step: str, amount: int) -> None:
        """Take one step; where the service refuses, ask where the upload is as a client would."""
        if step == "time passes":
            self.delta[0] += timedelta(seconds=amount)
            return
        piece = self.data[self.believed : self.believed + amount]
        try:
            self._send(step, piece)
        except (Conflict, ChecksumMismatch, ConnectionResetError):
            self.believed = self.service.head(self.upload_id, "device").offset_bytes

    def _send(self, step: str, piece: bytes) -> None:
        checksum = None
        if step in ("send summed", "send damaged"):
            sent = piece if step == "send summed" else piece + b"?"
            checksum = Checksum("sha256", sha256(sent).digest())
        if step == "server killed":
            ghost = self.service.open(self.upload_id, "device", self.believed)
            if self.believed < len(self.data):  # else there is nothing to write, and no lease
                self.ghosts.append(ghost)  # it dies with its lease; what it held may wake up later
            ghost.take(piece)
            ghost.flush()
            return
        chunks = self._breaking(piece) if step == "connection lost" else self._chunks(piece)
        upload = self.service.patch(self.upload_id, "device", self.believed, chunks, checksum)
        if step != "answer lost":
            self.believed = upload.offset_bytes

    def finish(self) -> str:
        """Go on as a stubborn client until it is done; return the recording."""
        while True:
            try:
                rest = self.data[self.believed :]
                done = self.service.patch(self.upload_id, "device", self.believed, [rest])
            except Locked:
                self.delta[0] += timedelta(seconds=LEASE_S + 1)
            except Conflict:
                self.believed = self.service.head(self.upload_id, "device").offset_bytes
            else:
                assert done.recording_id is not None
                return done.recording_id

    @staticmethod
    def _chunks(piece: bytes) -> Iterator[bytes]:
        for at in range(0, len(piece), 50_000):
            yield piece[at : at + 50_000]

    def _breaking(self, piece: bytes) -> Iterator[bytes]:
        yield from self._chunks(piece)
        raise ConnectionResetError


@given(length=st.integers(1, 400_000), seed=st.integers(0, 255), script=steps)
@settings(deadline=None, max_examples=60)
def test_any_sequence_of_chunks_retries_and_crashes_yields_the_same_bytes_once(
    length: int, seed: int, script: list[tuple[str, int]], sqlite_template: Path
) -> None:
    data = (bytes(range(256)) * (length // 256 + 2))[seed : seed + length]
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "huaxiang.db"
        shutil.copyfile(sqlite_template, database)
        engine = make_engine(f"sqlite:///{database}")
        sessions = session_factory(engine)
        blobs, jobs = make_blob_store((Path(folder) / "blobs").as_uri()), MemoryJobs()
        delta = [timedelta()]

        def clock() -> datetime:
            return now() + delta[0]

        receiver = Receiver(blobs, jobs, AudioLimits())
        limits = UploadSettings(part_bytes=PART_BYTES, lease_s=LEASE_S)
        service = UploadService(receiver, blobs, sessions, limits, clock)
        link = Link(service, service.create("device", length, {}).id, data, delta)
        for step, amount in script:
            link.do(step, amount)
        recording_id = link.finish()
        for ghost in link.ghosts:  # requests that were thought dead change nothing any more
            with pytest.raises(Locked):
                ghost.finish()
            ghost.close()

        with transaction(sessions) as session:
            (row,) = session.scalars(select(RecordingRow))
            assert [job.recording_id for job in jobs.page(session)] == [recording_id]
            assert (row.id, row.sha256, row.size_bytes) == (recording_id, sha256(data).hexdigest(), length)
        assert sha256(b"".join(blobs.read(row.blob_key))).hexdigest() == sha256(data).hexdigest()
        assert len(blobs.list("recordings")) == 1
        assert service.head(link.upload_id, "device").recording_id == recording_id
        engine.dispose()
