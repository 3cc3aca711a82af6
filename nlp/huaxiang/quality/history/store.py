"""Keeps the features of conversations and reads them back in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Insights, Recording, Transcript
from huaxiang.nlp.tables import InsightsRow
from huaxiang.quality.history.features import ENCODING, Features, pack, unpack
from huaxiang.quality.history.tables import FeaturesRow


@dataclass(frozen=True, slots=True)
class Packed:
    """The features of one recording as they are stored, with what they are counted by."""

    recording_id: str
    seller: str | None
    started_at: datetime
    payload: bytes
    encoding: int = ENCODING

    def features(self) -> Features:
        """Unpack them. Raises StorageError for an encoding of another version."""
        return unpack(self.payload, self.encoding)


class FeatureStore:
    """Saves and loads features by recording; flushes, and leaves the commit to the caller."""

    def save(
        self, session: Session, recording: Recording, transcript: Transcript, insights: Insights
    ) -> None:
        """Store the features of a conversation, in place of those of before; needs stored insights.

        A recording that does not say when it began counts from when it was received.
        """
        row = session.get(FeaturesRow, recording.id) or FeaturesRow(recording_id=recording.id)
        row.encoding = ENCODING
        row.seller = recording.metadata.seller
        row.started_at = recording.metadata.started_at or recording.received_at
        row.payload = pack(recording, transcript, insights)
        row.created_at = now()
        session.add(row)
        session.flush()

    def load(self, session: Session, recording_id: str) -> Features:
        """Return the features of one recording. Raises NotFound."""
        row = session.get(FeaturesRow, recording_id)
        if row is None:
            raise NotFound(f"no features are stored for recording {recording_id}")
        return unpack(row.payload, row.encoding)

    def count(self, session: Session, since: datetime | None = None) -> int:
        """Return how many conversations have features."""
        return session.scalar(select(func.count()).select_from(FeaturesRow).where(*_since(since))) or 0

    def scan(
        self,
        session: Session,
        since: datetime | None = None,
        *,
        recordings: Sequence[str] | None = None,
        batch: int = 500,
    ) -> Iterator[Sequence[Packed]]:
        """Give all stored features in batches, in the order in which the conversations began.

        ``since`` (aware) leaves out what began before, ``recordings`` all others. The text of a batch is
        in memory at a time, not that of the history.
        """
        chosen = [] if recordings is None else [FeaturesRow.recording_id.in_(recordings)]
        rows = session.execute(
            select(
                FeaturesRow.recording_id,
                FeaturesRow.seller,
                FeaturesRow.started_at,
                FeaturesRow.payload,
                FeaturesRow.encoding,
            )
            .where(*_since(since), *chosen)
            .order_by(FeaturesRow.started_at, FeaturesRow.recording_id)
            .execution_options(yield_per=batch)
        )
        for part in rows.partitions(batch):
            yield [Packed(*row) for row in part]

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


def _since(since: datetime | None) -> Sequence[ColumnElement[bool]]:
    return [] if since is None else [FeaturesRow.started_at >= since]
