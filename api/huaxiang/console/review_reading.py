"""Reads what the pages of review show: cases with their calls, scores and evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from huaxiang.api.access.callers import Caller
from huaxiang.api.access.scopes import Scope
from huaxiang.api.reviews.access import actor_of, visible_case
from huaxiang.api.services import Services
from huaxiang.api.tables import UserRow
from huaxiang.console.present_review import CaseRow, case_row
from huaxiang.console.texts import Texts
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Recording, Scorecard, Transcript
from huaxiang.ingest.recordings import recording_of_row
from huaxiang.ingest.tables import RecordingRow
from huaxiang.nlp.tables import ScorecardRow
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.review.final_score import FinalScore
from huaxiang.quality.review.outcomes import CaseState
from huaxiang.quality.review.queue import QueueFilters, queue
from huaxiang.quality.review.review_store import StoredCase

_ROLES = ("manager", "admin")


@dataclass(frozen=True, slots=True)
class Scored:
    """A call as reviewers hear it; ``scorecard`` None where it was taken away meanwhile."""

    recording: Recording
    transcript: Transcript | None
    scorecard: Scorecard | None
    definition: str


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case with its call, the name of whose it is, and the score that holds."""

    stored: StoredCase
    call: Scored
    seller: str
    score: FinalScore


def opened_case(
    session: Session, services: Services, caller: Caller, case_id: str, text: Texts
) -> OpenedCase:
    """Return a case that the caller may see. Raises NotFound."""
    stored = visible_case(session, services.reviews, caller, case_id)
    recording = services.recordings.get(session, stored.recording_id)
    call = scored_call(session, services, recording, stored.case.definition, text)
    key = stored.case.seller or ""
    seller = SellerStore().names(session).get(key, key)
    return OpenedCase(stored, call, seller, services.reviews.cases.final_of(session, [stored])[stored.id])


def scored_call(
    session: Session, services: Services, recording: Recording, definition: str, text: Texts
) -> Scored:
    """Return a call with its words and its automatic score by a scorecard, as far as they are there."""
    transcript = scorecard = None
    try:
        transcript = services.transcripts.load(session, recording.id)
        scorecard = services.scorecards.load(session, recording.id, definition)
    except NotFound:
        pass
    titles = definition_titles(session, services, [definition], text)
    return Scored(recording, transcript, scorecard, titles[definition])


def case_rows(
    session: Session, services: Services, cases: Sequence[StoredCase], text: Texts
) -> list[CaseRow]:
    """Return cases for a list, read in few queries."""
    recordings = recordings_of(session, [stored.recording_id for stored in cases])
    scores = services.reviews.cases.final_of(session, cases)
    titles = definition_titles(session, services, [stored.case.definition for stored in cases], text)
    names = SellerStore().names(session)
    return [
        case_row(
            stored,
            recordings.get(stored.recording_id),
            scores[stored.id],
            titles[stored.case.definition],
            names.get(stored.case.seller or "", stored.case.seller or ""),
            text,
            services.reviews.zone,
        )
        for stored in cases
    ]


def recordings_of(session: Session, recording_ids: Collection[str]) -> Mapping[str, Recording]:
    """Return recordings by their ids."""
    rows = session.scalars(select(RecordingRow).where(RecordingRow.id.in_(recording_ids)))
    return {row.id: recording_of_row(row) for row in rows}


def scored_recordings(session: Session, limit: int) -> list[tuple[Recording, str]]:
    """Return the newest calls with the scorecard of their main score."""
    rows = session.execute(
        select(RecordingRow, ScorecardRow.definition)
        .join(ScorecardRow, ScorecardRow.recording_id == RecordingRow.id)
        .where(ScorecardRow.is_current, ScorecardRow.position == 0)
        .order_by(RecordingRow.received_at.desc(), RecordingRow.id.desc(), ScorecardRow.created_at.desc())
        .limit(limit)
    )
    found: dict[str, tuple[Recording, str]] = {}
    for row, definition in rows:
        found.setdefault(row.id, (recording_of_row(row), definition))
    return list(found.values())


def definition_titles(
    session: Session, services: Services, definitions: Iterable[str], text: Texts
) -> Mapping[str, str]:
    """Return the titles of scorecards in the page's language; the reference of one that is gone."""
    found = {}
    for reference in dict.fromkeys(definitions):
        try:
            definition = services.reviews.definition_for(session, reference)
        except NotFound:
            found[reference] = reference
            continue
        chosen = definition.title_en if text.language == "en" else definition.title_zh
        found[reference] = chosen or definition.title_zh or reference
    return found


def next_case(session: Session, caller: Caller, after: str | None = None) -> str | None:
    """Return the case that waits longest for this caller, beginning behind ``after``, then at the front."""
    filters = QueueFilters(states=frozenset({CaseState.TO_REVIEW}), assignee=actor_of(caller).name)
    for cursor in (after, None) if after else (None,):
        for stored in queue(session, filters, cursor=cursor, limit=2).cases:
            if stored.id != after:
                return stored.id
    return None


def reviewer_names(session: Session) -> list[str]:
    """Return the names of those who may review: managers and admins that are not disabled."""
    rows = session.scalars(
        select(UserRow.name)
        .where(UserRow.role.in_(_ROLES), UserRow.disabled_at.is_(None))
        .order_by(UserRow.name)
    )
    return list(rows)


def is_manager(caller: Caller) -> bool:
    """Tell whether a caller may review and settle."""
    return caller.may(Scope.MANAGER)
