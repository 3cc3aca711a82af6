"""A store filled with invented conversations, as the stages would have left them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from api_world import add_row
from invented_call import invented_audio
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.search.index import search_index
from huaxiang.api.services import Services
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import transaction
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.profile.merge import merge_recording
from huaxiang.quality import Inspector, default_scorecard
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.invented import (
    DEFAULT_WEEKS,
    FIRST_DAY,
    InventedConversation,
    invented_history,
)
from huaxiang.quality.scorecard_store import ScorecardStore

LOCK_DIGEST = "0" * 64


def add_history(
    sessions: sessionmaker[Session],
    count: int = 60,
    *,
    seed: int = 1,
    weeks: int = DEFAULT_WEEKS,
    first_day: datetime = FIRST_DAY,
    definition: ScorecardDefinition | None = None,
    merged: bool = False,
) -> list[InventedConversation]:
    """Store conversations with transcript, insights and scorecard, and return them; about 15 ms each.

    ``definition`` is the general scorecard as it comes. With ``merged`` the customers are stored too.
    """
    inspector = Inspector(definition or default_scorecard())
    conversations = list(invented_history(count, seed=seed, weeks=weeks, first_day=first_day))
    with transaction(sessions) as session:
        for conversation in conversations:
            _add(session, conversation, inspector, merged=merged)
    return conversations


def add_audio(services: Services, conversations: Sequence[InventedConversation]) -> None:
    """Give conversations their audio (tones), so that pages can play them; about 0.1 s each."""
    for conversation in conversations:
        key = f"decoded/{conversation.recording.id}.wav"
        services.blobs.put(key, [invented_audio(conversation.transcript)])


def _add(session: Session, conversation: InventedConversation, inspector: Inspector, *, merged: bool) -> None:
    recording, transcript, insights = conversation.recording, conversation.transcript, conversation.insights
    scorecard = inspector.inspect(transcript, insights)
    add_row(session, recording, f"decoded/{recording.id}.wav")
    TranscriptStore().save(session, transcript, LOCK_DIGEST)
    search_index(session.get_bind().dialect.name).put(session, transcript)
    InsightsStore().save(session, recording.id, insights, LOCK_DIGEST)
    ScorecardStore().save(session, recording.id, scorecard)
    if merged:
        merge_recording(session, recording, transcript, insights, scorecard)
