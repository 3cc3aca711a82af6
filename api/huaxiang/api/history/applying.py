"""Scores stored conversations by the scorecards in force, as new rows beside those of earlier versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.meaning import Meaning, asked_by
from huaxiang.asr.transcripts import TranscriptStore
from huaxiang.core.database import reading, transaction
from huaxiang.core.types import Insights, Scorecard, Transcript
from huaxiang.nlp.insights_store import InsightsStore
from huaxiang.nlp.tables import ScorecardRow
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.applies import applying
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.heard import Heard
from huaxiang.quality.history.judging import Judging
from huaxiang.quality.history.store import FeatureStore, Packed, pages
from huaxiang.quality.inspector import inspect_all
from huaxiang.quality.likeness import EncodedLikeness, SentenceVectors
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.scores import save_corrected
from huaxiang.quality.scorecard_store import ScorecardStore

Advance = Callable[[float], None]
PART = 100
"""So many conversations are scored in one transaction."""


@dataclass
class Applied:
    """What scoring the history came to: conversations seen, scored anew, as they were; scores by version."""

    conversations: int = 0
    scored: int = 0
    as_before: int = 0
    scorecards: dict[str, int] = field(default_factory=dict)


def apply_scorecards(
    sessions: sessionmaker[Session],
    definitions: Sequence[ScorecardDefinition],
    advance: Advance = lambda share: None,
    meaning: Meaning | None = None,
    *,
    dry_run: bool = False,
    again: bool = False,
    since: datetime | None = None,
) -> Applied:
    """Score every stored conversation that is not scored by these versions yet; with ``again`` every one.

    Scores by other versions stay, and are current no more; reviews and appeals stand on what they were
    opened on. The automatic score is of what was heard; where that was corrected, the score of the
    corrected form is added beside it. A run that is broken off may be run again, and goes on.
    """
    applied = Applied()
    with reading(sessions) as session:
        total = FeatureStore().count(session, since)
        teams = dict(SellerStore().team_of(session))
    asked = asked_by(definitions, meaning)
    judging = Judging.by(definitions, teams, asked.sentences)
    for page in pages(sessions, since, PART, asked.encoder):
        with reading(sessions) as session:
            current = _current(session, page)
            as_heard = _as_heard(session, page)
        judged = []
        for packed in page:
            heard = judging.heard(packed)
            meant = applying(definitions, heard)
            applied.conversations += 1
            if not again and current.get(packed.recording_id, ()) == tuple(d.reference for d in meant):
                applied.as_before += 1
                continue
            applied.scored += 1
            for definition in meant:
                applied.scorecards[definition.reference] = applied.scorecards.get(definition.reference, 0) + 1
            if not dry_run:
                spoken = as_heard.get(packed.recording_id)
                judged.append(_judged(packed, meant, heard, spoken, meaning if asked.encoder else None))
        if judged:
            with transaction(sessions) as session:
                _store(session, page, judged)
        advance(min(applied.conversations / max(total, 1), 1.0))
    return applied


@dataclass(frozen=True, slots=True)
class _Judged:
    """The scores of one conversation: of what was heard, and of what people made of it, if they did."""

    recording_id: str
    automatic: tuple[Scorecard, ...]
    corrected: tuple[Scorecard, ...] = ()


def _judged(
    packed: Packed,
    meant: Sequence[ScorecardDefinition],
    heard: Heard,
    spoken: tuple[Transcript, Insights] | None,
    meaning: Meaning | None,
) -> _Judged:
    """Score one conversation; where it was corrected, what was ``spoken`` is encoded as far as rules ask."""
    scorecards = inspect_all(meant, heard)
    if spoken is None:
        return _Judged(packed.recording_id, scorecards)
    likeness = EncodedLikeness(meaning.encoder, SentenceVectors(meaning.encoder)) if meaning else None
    automatic = inspect_all(meant, Heard(*spoken, heard.told, likeness))
    return _Judged(packed.recording_id, automatic, scorecards)


def _store(session: Session, page: Sequence[Packed], judged: Sequence[_Judged]) -> None:
    """Store scores, but for those of conversations that were corrected or understood anew meanwhile.

    Those keep the versions that they were scored by, and the next run finds them.
    """
    unchanged = FeatureStore().unchanged(session, page)
    for one in judged:
        if one.recording_id not in unchanged:
            continue
        for scorecard in one.corrected:
            save_corrected(session, one.recording_id, scorecard)
        ScorecardStore().save_all(session, one.recording_id, one.automatic)


def _as_heard(session: Session, page: Sequence[Packed]) -> Mapping[str, tuple[Transcript, Insights]]:
    """Return what was heard in those conversations of a page that people corrected."""
    logs = CorrectionStore().load_many(session, [packed.recording_id for packed in page])
    transcripts, insights = TranscriptStore(), InsightsStore()
    return {one: (transcripts.load(session, one), insights.load(session, one)) for one in logs}


def _current(session: Session, page: Sequence[Packed]) -> dict[str, tuple[str, ...]]:
    """Return the versions by which each recording is scored now, the main one first."""
    rows = session.execute(
        select(ScorecardRow.recording_id, ScorecardRow.definition)
        .where(
            ScorecardRow.recording_id.in_([packed.recording_id for packed in page]), ScorecardRow.is_current
        )
        .order_by(ScorecardRow.recording_id, ScorecardRow.position)
    )
    found: dict[str, tuple[str, ...]] = {}
    for recording_id, definition in rows:
        found[recording_id] = (*found.get(recording_id, ()), definition)
    return found
