"""Stored conversations to review: invented ones, scored by the general scorecard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from api_world import World, add_row
from invented_call import invented_audio
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import transaction
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Recording, Transcript
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.invented import InventedConversation, invented_history
from huaxiang.quality.review.outcomes import Actor
from huaxiang.quality.review.review_store import ReviewStore
from huaxiang.quality.scorecard_store import ScorecardStore

MEI, LAO = Actor("user:mei", "mei"), Actor("user:lao.li", "lao.li")
DEFINITION = default_scorecard()


def shipped(_session: Session, reference: str) -> ScorecardDefinition:
    """Return the general scorecard by its reference."""
    if reference != DEFINITION.reference:
        raise NotFound("no such scorecard")
    return DEFINITION


def review_store(appeal_days: int = 7) -> ReviewStore:
    return ReviewStore(shipped, appeal_days)


def store_conversations(
    sessions: sessionmaker[Session],
    count: int = 1,
    heard: Callable[[Recording, Transcript], str] | None = None,
    start: int = 0,
    **metadata: object,
) -> list[InventedConversation]:
    """Store invented conversations with what the stages make of them; ``metadata`` changes what is told.

    They are number ``start`` and following. ``heard`` stores the audio of a recording and gives its key;
    without it there is none.
    """
    found = []
    with transaction(sessions) as session:
        for conversation in invented_history(count, start=start):
            told = replace(conversation.recording.metadata, **metadata)  # type: ignore[arg-type]
            recording = replace(conversation.recording, metadata=told)
            add_row(session, recording, heard(recording, conversation.transcript) if heard else None)
            TranscriptStore().save(session, conversation.transcript, "0" * 64)
            InsightsStore().save(session, recording.id, conversation.insights, "0" * 64)
            scorecard = Inspector(DEFINITION).inspect(conversation.transcript, conversation.insights)
            ScorecardStore().save(session, recording.id, scorecard)
            found.append(replace(conversation, recording=recording))
    return found


def store_heard(world: World, count: int = 1, **metadata: object) -> list[InventedConversation]:
    """Store invented conversations whose audio can be played."""

    def heard(recording: Recording, transcript: Transcript) -> str:
        key = f"decoded/{recording.id}.wav"
        world.services.blobs.put(key, [invented_audio(transcript)])
        return key

    return store_conversations(world.services.sessions, count, heard, 0, **metadata)
