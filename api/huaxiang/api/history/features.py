"""Writes what rules see of each recording: when it is understood, after corrections, and for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.meaning import Meaning
from huaxiang.api.inspecting import Inspecting
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import transaction
from huaxiang.core.types import Transcript
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.history.vectors import SentenceMap
from huaxiang.quality.review.corrected import corrected
from huaxiang.quality.review.correction_store import CorrectionStore

if TYPE_CHECKING:
    from huaxiang.api.services import Services

Advance = Callable[[float], None]
PART = 50
"""So many recordings are indexed in one transaction, so that who writes meanwhile waits for moments only."""


@dataclass(frozen=True, slots=True)
class FeatureWriter:
    """Stores the features of recordings; flushes, and leaves the commit to the caller.

    ``inspecting`` tells what rules may ask about a recording. Without ``meaning``, turns get no vectors,
    and rules that compare meanings cannot look at them later.
    """

    inspecting: Inspecting
    meaning: Meaning | None = None

    def encoded(self, transcript: Transcript) -> SentenceMap:
        """Return the vectors of what is said, to be given to ``refresh``: making them takes a while."""
        return {} if self.meaning is None else self.meaning.encoded(transcript)

    def refresh(self, session: Session, recording_id: str, known: SentenceMap | None = None) -> None:
        """Store the features of a recording as its corrections leave it, in place of those of before.

        ``known`` are vectors of what is said; as it comes, those that are stored. Only words that are not
        among them are encoded. Raises NotFound for a recording without transcript or insights.
        """
        recording = RecordingStore().get(session, recording_id)
        heard = TranscriptStore().load(session, recording_id)
        understood = InsightsStore().load(session, recording_id)
        transcript, insights = corrected(heard, understood, CorrectionStore().load(session, recording_id))
        told = self.inspecting.told(session, recording, transcript, insights)
        if self.meaning is not None and known is None:
            known = self.meaning.stored(session, recording_id)
        FeatureStore().save(session, recording, transcript, insights, told.values)
        if self.meaning is not None:
            self.meaning.store(session, transcript, known or {})


def refresh_features(session: Session, services: Services, recording_id: str) -> None:
    """Store the features of a recording anew, as after a correction. Raises NotFound."""
    services.features.refresh(session, recording_id)


def missing_features(sessions: sessionmaker[Session], meaning: Meaning | None = None) -> Sequence[str]:
    """Return the recordings whose features are not there, or older than what was understood.

    With ``meaning`` also those whose turns have no vectors by it.
    """
    with transaction(sessions) as session:
        missing = FeatureStore().missing(session)
        bare = FeatureStore().without_vectors(session, meaning.name) if meaning else ()
    return tuple(dict.fromkeys((*missing, *bare)))


def index_history(
    sessions: sessionmaker[Session],
    writer: FeatureWriter,
    recordings: Sequence[str],
    advance: Advance = lambda share: None,
) -> int:
    """Store the features of these recordings, and return how many; a run broken off may be run again."""
    for start in range(0, len(recordings), PART):
        part = recordings[start : start + PART]
        with transaction(sessions) as session:
            for recording_id in part:
                writer.refresh(session, recording_id)
        advance((start + len(part)) / len(recordings))
    return len(recordings)
