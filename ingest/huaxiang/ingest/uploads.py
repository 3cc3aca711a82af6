"""Resumable uploads: the rules of tus 1.0 without its HTTP.

An upload is a row that says how many bytes arrived, and immutable parts in the blob store. One
request at a time may write: it holds a lease, which it renews while data comes and which runs out
soon after its connection died. Every step forward compares and sets the offset, so a request that
lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.blobs import BlobStore
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict, EmptyAudio, Gone, InvalidInput, Locked, NotFound, TooLarge
from huaxiang.core.settings import UploadSettings
from huaxiang.core.types import Json, new_id
from huaxiang.ingest.metadata import metadata_to_json, parse_filename, parse_metadata
from huaxiang.ingest.receive import Receiver, made_at
from huaxiang.ingest.tables import UploadRow
from huaxiang.ingest.upload_writer import (
    FOLDER,
    Checksum,
    Upload,
    UploadTools,
    UploadWriter,
    delete_parts,
    upload_of,
    upload_of_part,
)


class UploadService:
    """Creates uploads, hands out the right to write to them, and clears what was given up.

    It opens its own short transactions, because a request that streams must hold none. ``clock``
    returns the present time, aware UTC.
    """

    def __init__(
        self,
        receiver: Receiver,
        blobs: BlobStore,
        sessions: sessionmaker[Session],
        settings: UploadSettings,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.max_bytes = receiver.limits.max_upload_bytes
        self._tools = UploadTools(blobs, sessions, settings, receiver, clock)
        self._blobs = blobs
        self._sessions = sessions
        self._settings = settings
        self._clock = clock

    def create(self, source: str, length_bytes: int, metadata: Mapping[str, Json]) -> Upload:
        """Begin an upload of ``length_bytes``.

        Raises InvalidMetadata, EmptyAudio for no bytes, InvalidInput for less, TooLarge.
        """
        if length_bytes < 0:
            raise InvalidInput("Upload-Length is the number of bytes to come")
        if length_bytes == 0:
            raise EmptyAudio("an empty file is no recording; record or copy it again")
        if length_bytes > self.max_bytes:
            raise TooLarge(f"a recording has at most {self.max_bytes} bytes; split it")
        moment = self._clock()
        identifier = new_id()
        row = UploadRow(
            id=identifier,
            source=source,
            length_bytes=length_bytes,
            received_bytes=0,
            parts=[],
            metadata_={
                "filename": parse_filename(metadata, identifier),
                "call": metadata_to_json(parse_metadata(metadata)),
            },
            created_at=moment,
            expires_at=moment + timedelta(seconds=self._settings.expire_s),
            duplicate=False,
        )
        with transaction(self._sessions) as session:
            session.add(row)
        return upload_of(row)

    def head(self, upload_id: str, source: str) -> Upload:
        """Return how far an upload is. Raises NotFound, for the upload of another too, and Gone."""
        with transaction(self._sessions) as session:
            return upload_of(self._row(session, upload_id, source))

    def open(
        self, upload_id: str, source: str, offset_bytes: int, checksum: Checksum | None = None
    ) -> UploadWriter:
        """Take the lease of an upload and return what writes to it from ``offset_bytes`` on.

        Raises NotFound, Gone, Locked while another request writes, and Conflict where
        ``offset_bytes`` is not where the upload is.
        """
        with transaction(self._sessions) as session:
            row = self._row(session, upload_id, source, for_update=True)
            moment = self._clock()
            if row.lease_until is not None and row.lease_until > moment:
                raise Locked("another request is writing to this upload; ask again in a moment")
            if row.received_bytes != offset_bytes:
                raise Conflict(
                    f"the upload is at byte {row.received_bytes}; go on from there",
                    offset_bytes=row.received_bytes,
                )
            lease = None
            if row.received_bytes < row.length_bytes:
                lease = new_id()
                row.lease = lease
                row.lease_until = moment + timedelta(seconds=self._settings.lease_s)
            return UploadWriter(self._tools, row, lease, checksum)

    def patch(
        self,
        upload_id: str,
        source: str,
        offset_bytes: int,
        chunks: Iterable[bytes],
        checksum: Checksum | None = None,
    ) -> Upload:
        """Append bytes and return how far the upload is then; errors as in ``open`` and the writer's."""
        writer = self.open(upload_id, source, offset_bytes, checksum)
        try:
            for chunk in chunks:
                writer.take(chunk)
                if writer.due:
                    writer.flush()
            return writer.finish()
        finally:
            writer.close()

    def terminate(self, upload_id: str, source: str) -> None:
        """Give up an upload and its bytes; a recording that it became stays.

        Raises NotFound, Gone, and Locked while a request writes.
        """
        with transaction(self._sessions) as session:
            row = self._row(session, upload_id, source, for_update=True)
            if row.lease_until is not None and row.lease_until > self._clock():
                raise Locked("another request is writing to this upload; ask again in a moment")
            session.delete(row)
        delete_parts(self._blobs, upload_id)

    def sweep(self) -> int:
        """Remove uploads that expired and parts that belong to none; return how many uploads."""
        moment = self._clock()
        idle = or_(UploadRow.lease_until.is_(None), UploadRow.lease_until < moment)
        with transaction(self._sessions) as session:
            expired = session.scalars(
                delete(UploadRow).where(UploadRow.expires_at < moment, idle).returning(UploadRow.id)
            ).all()
        for upload_id in expired:
            delete_parts(self._blobs, upload_id)
        self._delete_orphans(moment - timedelta(seconds=self._settings.expire_s))
        return len(expired)

    def _delete_orphans(self, before: datetime) -> None:
        """Remove the parts of uploads without a row: a crash fell between the row and its parts."""
        uploads = {upload_of_part(key) for key in self._blobs.list(FOLDER)}
        old = {name for name in uploads if (made := made_at(name)) is not None and made < before}
        with transaction(self._sessions) as session:
            living = set(session.scalars(select(UploadRow.id))) if old else set()
        for upload_id in old - living:
            delete_parts(self._blobs, upload_id)

    def _row(self, session: Session, upload_id: str, source: str, *, for_update: bool = False) -> UploadRow:
        row = session.get(UploadRow, upload_id, with_for_update=for_update or None)
        if row is None or row.source != source:
            raise NotFound("there is no such upload; begin a new one")
        if row.expires_at <= self._clock():
            raise Gone("this upload has expired; begin a new one")
        return row
