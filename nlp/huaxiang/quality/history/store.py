"""Keeps the features of conversations and reads them back in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.core.database import now, reading
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Insights, Json, Recording, Transcript
from huaxiang.nlp.tables import InsightsRow
from huaxiang.quality.history.features import ENCODING, Features, pack, unpack
from huaxiang.quality.history.tables import FeaturesRow, TurnVectorsRow


@dataclass(frozen=True, slots=True)
class Packed:
    """The features of one recording as they are stored, with what they are counted by.

    ``vectors`` are those of its turns, empty where nobody asked for them; None where it has none.
    """

    recording_id: str
    seller: str | None
    started_at: datetime
    payload: bytes
    encoding: int = ENCODING
    vectors: bytes | None = b""

    def features(self) -> Features:
        """Unpack them. Raises StorageError for an encoding of another version."""
        return unpack(self.payload, self.encoding)


class FeatureStore:
    """Saves and loads features by recording; flushes, and leaves the commit to the caller."""

    def save(
        self,
        session: Session,
        recording: Recording,
        transcript: Transcript,
        insights: Insights,
        told: Mapping[str, Json],
    ) -> None:
        """Store the features of a conversation, in place of those of before; needs stored insights.

        ``told`` is what was told about the recording, by the names of ``huaxiang.quality.heard.FACTS``.
        A recording that does not say when it began counts from when it was received.
        """
        row = session.get(FeaturesRow, recording.id) or FeaturesRow(recording_id=recording.id)
        row.encoding = ENCODING
        row.seller = recording.metadata.seller
        row.started_at = recording.metadata.started_at or recording.received_at
        row.payload = pack(told, transcript, insights)
        row.created_at = now()
        session.add(row)
        session.flush()

    def save_vectors(
        self, session: Session, recording_id: str, encoder: str, dimension: int, payload: bytes
    ) -> None:
        """Store the packed vectors of a recording's turns, beside its features, which must be there."""
        row = session.get(TurnVectorsRow, recording_id) or TurnVectorsRow(recording_id=recording_id)
        row.encoder, row.dimension, row.payload = encoder, dimension, payload
        session.add(row)
        session.flush()

    def dimension(self, session: Session, recording_id: str) -> int:
        """Return how long the stored vectors of a recording's turns are. Raises NotFound without any."""
        found = session.scalar(
            select(TurnVectorsRow.dimension).where(TurnVectorsRow.recording_id == recording_id)
        )
        if found is None:
            raise NotFound(f"no vectors are stored for recording {recording_id}")
        return found

    def load(self, session: Session, recording_id: str) -> Features:
        """Return the features of one recording. Raises NotFound."""
        return self.packed(session, recording_id).features()

    def packed(self, session: Session, recording_id: str, encoder: str | None = None) -> Packed:
        """Return the features of one recording as stored, with its vectors by ``encoder``; or NotFound."""
        row = session.execute(_packed(encoder).where(FeaturesRow.recording_id == recording_id)).first()
        if row is None:
            raise NotFound(f"no features are stored for recording {recording_id}")
        return Packed(*row)

    def count(self, session: Session, since: datetime | None = None) -> int:
        """Return how many conversations have features."""
        return session.scalar(select(func.count()).select_from(FeaturesRow).where(*_since(since))) or 0

    def page(
        self,
        session: Session,
        after: Packed | None = None,
        since: datetime | None = None,
        limit: int = 500,
        encoder: str | None = None,
    ) -> Sequence[Packed]:
        """Return the next features in the order in which the conversations began.

        ``after`` is the last of the page before, ``since`` (aware) leaves out what began before; with
        ``encoder`` the vectors by it come along. A page is read in a moment, so that no transaction
        stays open while the whole history is judged.
        """
        place = tuple_(FeaturesRow.started_at, FeaturesRow.recording_id)
        beyond = [] if after is None else [place > tuple_(after.started_at, after.recording_id)]
        rows = session.execute(
            _packed(encoder)
            .where(*_since(since), *beyond)
            .order_by(FeaturesRow.started_at, FeaturesRow.recording_id)
            .limit(limit)
        )
        return [Packed(*row) for row in rows]

    def unchanged(self, session: Session, page: Sequence[Packed]) -> frozenset[str]:
        """Return the recordings of a page that still have these features; others wait to change them."""
        known = {packed.recording_id: packed.payload for packed in page}
        rows = session.execute(
            select(FeaturesRow.recording_id, FeaturesRow.payload)
            .where(FeaturesRow.recording_id.in_(known))
            .order_by(FeaturesRow.recording_id)
            .with_for_update()
        )
        return frozenset(identifier for identifier, payload in rows if payload == known[identifier])

    def missing(self, session: Session) -> Sequence[str]:
        """Return the recordings whose features are not there, or older than their insights or encoding."""
        return session.scalars(
            select(InsightsRow.recording_id)
            .outerjoin(FeaturesRow, FeaturesRow.recording_id == InsightsRow.recording_id)
            .where(
                FeaturesRow.recording_id.is_(None)
                | (FeaturesRow.encoding != ENCODING)
                | (FeaturesRow.created_at < InsightsRow.created_at)
            )
            .order_by(InsightsRow.recording_id)
        ).all()

    def without_vectors(self, session: Session, encoder: str) -> Sequence[str]:
        """Return the recordings with features whose turns have no vectors by this encoder."""
        return session.scalars(
            select(FeaturesRow.recording_id)
            .outerjoin(TurnVectorsRow, _vectors_by(encoder))
            .where(TurnVectorsRow.recording_id.is_(None))
            .order_by(FeaturesRow.recording_id)
        ).all()


def _packed(encoder: str | None) -> Select[*tuple[Any, ...]]:
    """Select the columns of ``Packed``."""
    columns = (
        FeaturesRow.recording_id,
        FeaturesRow.seller,
        FeaturesRow.started_at,
        FeaturesRow.payload,
        FeaturesRow.encoding,
    )
    if encoder is None:
        return select(*columns)
    return select(*columns, TurnVectorsRow.payload).outerjoin(TurnVectorsRow, _vectors_by(encoder))


def _vectors_by(encoder: str) -> ColumnElement[bool]:
    return and_(TurnVectorsRow.recording_id == FeaturesRow.recording_id, TurnVectorsRow.encoder == encoder)


def _since(since: datetime | None) -> Sequence[ColumnElement[bool]]:
    return [] if since is None else [FeaturesRow.started_at >= since]


def pages(
    sessions: sessionmaker[Session],
    since: datetime | None = None,
    limit: int = 500,
    encoder: str | None = None,
) -> Iterator[Sequence[Packed]]:
    """Give the features of the whole history page by page, each read in a transaction of its own."""
    store, last = FeatureStore(), None
    while True:
        with reading(sessions) as session:
            page = store.page(session, last, since, limit, encoder)
        if not page:
            return
        yield page
        last = page[-1]
