"""Where recordings are kept: the rows, their state, their pages, and the quarantine."""

from __future__ import annotations

import base64
import binascii
import builtins
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import InvalidInput, NotFound
from huaxiang.core.types import AudioInfo, Recording, RecordingStatus, new_id
from huaxiang.ingest.metadata import metadata_from_json, metadata_to_json
from huaxiang.ingest.tables import QuarantineRow, RecordingRow

_MAX_MESSAGE_CHARS = 1000
_IDS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class RecordingFilters:
    """Which recordings to list; ``None`` means any. ``started_from <= started_at < started_before``."""

    status: RecordingStatus | None = None
    seller: str | None = None
    customer_ref: str | None = None
    source: str | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """Some recordings, newest first; ``next_cursor`` asks for the ones after, ``None`` at the end."""

    items: tuple[Recording, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a recording failed: a stable code and a sentence for a person."""

    code: str
    message: str


class RecordingStore:
    """Recordings in the database. Flushes and never commits."""

    def add(self, session: Session, recording: Recording) -> bool:
        """Store a new recording; return whether it was new.

        False, and nothing stored, where its source already has a recording of the same bytes.
        """
        row = RecordingRow(
            id=recording.id,
            source=recording.source,
            sha256=recording.sha256,
            size_bytes=recording.size_bytes,
            filename=recording.filename,
            blob_key=recording.blob_key,
            received_at=recording.received_at,
            status=recording.status,
            seller=recording.metadata.seller,
            customer_ref=recording.metadata.customer_ref,
            started_at=recording.metadata.started_at,
            metadata_=metadata_to_json(recording.metadata),
            audio=asdict(recording.audio) if recording.audio else None,
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            if self.find(session, recording.source, recording.sha256) is None:
                raise
            return False
        return True

    def find(self, session: Session, source: str, sha256: str) -> Recording | None:
        """Return the recording of these bytes from this source, or ``None``."""
        row = session.scalar(select(RecordingRow).filter_by(source=source, sha256=sha256))
        return recording_of_row(row) if row is not None else None

    def get(self, session: Session, recording_id: str) -> Recording:
        """Return a recording. Raises NotFound."""
        return recording_of_row(self._row(session, recording_id))

    def list(
        self,
        session: Session,
        cursor: str | None = None,
        filters: RecordingFilters | None = None,
        limit: int = 50,
    ) -> RecordingPage:
        """Return up to ``limit`` recordings after ``cursor``, those received last first.

        Raises InvalidInput for a cursor that no page gave.
        """
        query = (
            select(RecordingRow)
            .where(*_conditions(filters or RecordingFilters()))
            .order_by(RecordingRow.received_at.desc(), RecordingRow.id.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            received_at, last_id = _read_cursor(cursor)
            query = query.where(
                or_(
                    RecordingRow.received_at < received_at,
                    and_(RecordingRow.received_at == received_at, RecordingRow.id < last_id),
                )
            )
        rows = session.scalars(query).all()
        shown = rows[:limit]
        more = len(rows) > limit and shown
        return RecordingPage(tuple(map(recording_of_row, shown)), _cursor(shown[-1]) if more else None)

    def mark_decoded(self, session: Session, recording_id: str, audio: AudioInfo, decoded_key: str) -> None:
        """Note what decoding found and where the decoded audio lies. Raises NotFound.

        Audio that can be decoded after all leaves the quarantine.
        """
        row = self._row(session, recording_id)
        row.audio = asdict(audio)
        row.decoded_key = decoded_key
        row.error_code = row.error_message = None
        session.execute(delete(QuarantineRow).filter_by(recording_id=recording_id))
        session.flush()

    def decoded_key(self, session: Session, recording_id: str) -> str | None:
        """Return the blob of the decoded audio, ``None`` before there is one. Raises NotFound."""
        return self._row(session, recording_id).decoded_key

    def set_status(self, session: Session, recording_id: str, status: RecordingStatus) -> None:
        """Note how far a recording has come; one that goes on has no failure. Raises NotFound."""
        row = self._row(session, recording_id)
        row.status = status
        if status is not RecordingStatus.FAILED:
            row.error_code = row.error_message = None
        session.flush()

    def set_failed(self, session: Session, recording_id: str, code: str, message: str) -> None:
        """Note that a recording failed and why. Raises NotFound."""
        row = self._row(session, recording_id)
        row.status = RecordingStatus.FAILED
        row.error_code, row.error_message = code, message[:_MAX_MESSAGE_CHARS]
        session.flush()

    def failure(self, session: Session, recording_id: str) -> Failure | None:
        """Return why a recording failed, ``None`` where it did not. Raises NotFound."""
        row = self._row(session, recording_id)
        return Failure(row.error_code, row.error_message or "") if row.error_code else None

    def quarantine(self, session: Session, recording_id: str, code: str, message: str) -> None:
        """Note that the bytes cannot be used as a recording; they are kept. Raises NotFound."""
        self.set_failed(session, recording_id, code, message)
        row = session.scalar(select(QuarantineRow).filter_by(recording_id=recording_id))
        if row is None:
            row = QuarantineRow(id=new_id(), recording_id=recording_id)
            session.add(row)
        row.code, row.message, row.quarantined_at = code, message[:_MAX_MESSAGE_CHARS], now()
        session.flush()

    def known_ids(self, session: Session, ids: Iterable[str]) -> set[str]:
        """Return those of ``ids`` that are recordings."""
        asked = builtins.list(ids)
        known: set[str] = set()
        for start in range(0, len(asked), _IDS_A_QUERY):
            some = asked[start : start + _IDS_A_QUERY]
            known.update(session.scalars(select(RecordingRow.id).where(RecordingRow.id.in_(some))))
        return known

    def _row(self, session: Session, recording_id: str) -> RecordingRow:
        row = session.get(RecordingRow, recording_id)
        if row is None:
            raise NotFound(f"there is no recording {recording_id[:36]}")
        return row


def recording_of_row(row: RecordingRow) -> Recording:
    """Return the recording of a row, for queries that join other tables with this one."""
    return Recording(
        id=row.id,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        filename=row.filename,
        blob_key=row.blob_key,
        source=row.source,
        received_at=row.received_at,
        metadata=metadata_from_json(row.metadata_),
        audio=AudioInfo(**row.audio) if row.audio else None,
        status=row.status,
    )


def _conditions(filters: RecordingFilters) -> Iterable[ColumnElement[bool]]:
    wanted = {
        RecordingRow.status: filters.status,
        RecordingRow.seller: filters.seller,
        RecordingRow.customer_ref: filters.customer_ref,
        RecordingRow.source: filters.source,
    }
    yield from (column == value for column, value in wanted.items() if value is not None)
    if filters.started_from is not None:
        yield RecordingRow.started_at >= filters.started_from
    if filters.started_before is not None:
        yield RecordingRow.started_at < filters.started_before


def _cursor(row: RecordingRow) -> str:
    return base64.urlsafe_b64encode(f"{row.received_at.isoformat()} {row.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        received_at, last_id = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(" ")
        moment = datetime.fromisoformat(received_at)
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("cursor is not one that a page gave; start without") from error
    if moment.tzinfo is None:
        raise InvalidInput("cursor is not one that a page gave; start without")
    return moment, last_id
