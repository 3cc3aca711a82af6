"""Writes what rules see of each recording: when it is understood, after corrections, and for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.meaning import Meaning, said_in
from huaxiang.api.inspecting import Inspecting
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import reading, transaction
from huaxiang.core.types import Transcript
from huaxiang.ingest.recordings import RecordingStore
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.history.vectors import SentenceMap
from huaxiang.quality.review.corrected import corrected, corrected_transcript
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.corrections import Correction

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

    def made(self, texts: Sequence[str]) -> SentenceMap:
        """Return the vectors of words, to be given to ``refresh``: making them takes a while.

        Call it outside transactions. Raises ModelError.
        """
        return {} if self.meaning is None else self.meaning.made(texts)

    def unmade(self, session: Session, transcript: Transcript) -> Sequence[str]:
        """Return what is said in a conversation that has no vector in the store yet."""
        if self.meaning is None:
            return ()
        known = self.meaning.stored(session, transcript.recording_id)
        return tuple(text for text in said_in(transcript) if text not in known)

    def refresh(self, session: Session, recording_id: str, made: SentenceMap | None = None) -> None:
        """Store the features of a recording as its corrections leave it, in place of those of before.

        ``made`` are vectors beside those that are stored. Words that have none are encoded now, which
        others wait for: give what ``unmade`` names. Raises NotFound for a recording without transcript
        or insights.
        """
        recording = RecordingStore().get(session, recording_id)
        understood = InsightsStore().load(session, recording_id)
        heard, log = _heard(session, recording_id)
        transcript, insights = corrected(heard, understood, log)
        told = self.inspecting.told(session, recording, transcript, insights)
        known = self.meaning.stored(session, recording_id) if self.meaning is not None else {}
        FeatureStore().save(session, recording, transcript, insights, told.values)
        if self.meaning is not None:
            self.meaning.store(session, transcript, {**known, **(made or {})})


def missing_features(sessions: sessionmaker[Session], meaning: Meaning | None = None) -> Sequence[str]:
    """Return the recordings whose features are not there, or older than what was understood.

    With ``meaning`` also those whose turns have no vectors by it.
    """
    with reading(sessions) as session:
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
        with reading(sessions) as session:
            unmade = dict.fromkeys(
                text for one in part for text in writer.unmade(session, _said(session, one))
            )
        made = writer.made(list(unmade))
        with transaction(sessions) as session:
            for recording_id in part:
                writer.refresh(session, recording_id, made)
        advance((start + len(part)) / len(recordings))
    return len(recordings)


def _heard(session: Session, recording_id: str) -> tuple[Transcript, Sequence[Correction]]:
    """Return what was recognised, and the corrections of it."""
    return TranscriptStore().load(session, recording_id), CorrectionStore().load(session, recording_id)


def _said(session: Session, recording_id: str) -> Transcript:
    """Return what was said by what people put right."""
    return corrected_transcript(*_heard(session, recording_id))
