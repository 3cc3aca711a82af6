"""The full text with the list over it, put together once; and how a conversation is made findable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from huaxiang.api.search.index import SearchIndex, search_index
from huaxiang.api.search.listing import RecordingList
from huaxiang.api.search.tables import SearchTurnRow
from huaxiang.asr.tables import TurnRow
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.quality.review.corrected import corrected_transcript
from huaxiang.quality.review.correction_store import CorrectionStore


@dataclass(frozen=True, slots=True)
class RecordingSearch:
    """The full text, and the list of recordings that asks it."""

    index: SearchIndex
    list: RecordingList


class Searchable(Protocol):
    """What is needed of the services to make a conversation findable."""

    @property
    def transcripts(self) -> TranscriptStore:
        """Where the transcripts are kept."""

    @property
    def search(self) -> RecordingSearch:
        """The full text."""


def build_search(engine: Engine) -> RecordingSearch:
    """Return the full text of a database with the list over it."""
    index = search_index(engine.dialect.name)
    return RecordingSearch(index, RecordingList(index))


def reindex(session: Session, services: Searchable, recording_id: str) -> None:
    """Make a conversation findable by what it says now, corrections in force among it.

    To be called in the transaction of a correction. Raises NotFound where there is no transcript.
    """
    transcript = services.transcripts.load(session, recording_id)
    corrections = CorrectionStore().load(session, recording_id)
    services.search.index.put(session, corrected_transcript(transcript, corrections))


def reindexing(services: Searchable) -> Callable[[Session, str], None]:
    """Return what makes a conversation findable anew, for those who know only its id."""
    return lambda session, recording_id: reindex(session, services, recording_id)


def unindexed(session: Session, *, everything: bool = False) -> Sequence[str]:
    """Return the recordings in which something was said that cannot be found yet, or all of them."""
    query = select(TurnRow.recording_id).distinct().order_by(TurnRow.recording_id)
    if not everything:
        query = query.where(TurnRow.recording_id.not_in(select(SearchTurnRow.recording_id)))
    return session.scalars(query).all()
