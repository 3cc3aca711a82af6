"""Reads the scored calls of a period, from which a sampling plan draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from huaxiang.asr.tables import TranscriptRow
from huaxiang.core.types import Setting
from huaxiang.ingest.tables import HELD_AT, RecordingRow
from huaxiang.nlp.tables import ScorecardItemRow, ScorecardRow
from huaxiang.quality.references import refers_to
from huaxiang.quality.review.outcomes import outcome_of
from huaxiang.quality.review.plan import Candidate, Period, SampledItem

_SETTINGS = {setting.value: setting for setting in Setting}


def candidates(
    session: Session, period: Period, scorecard: str | None, teams: Mapping[str, str]
) -> list[Candidate]:
    """Return the scored calls that were held in a period, the same ones in the same order every time.

    Each stands with its score by the scorecard of the id ``scorecard``, else with its main one;
    ``teams`` has the team of a seller.
    """
    within: list[ColumnElement[bool]] = [
        period.start <= HELD_AT,
        period.end > HELD_AT,
        ScorecardRow.is_current.is_(True),
    ]
    if scorecard is not None:
        within.append(refers_to(ScorecardRow.definition, scorecard))
    rows = session.execute(
        select(
            RecordingRow.id,
            RecordingRow.seller,
            RecordingRow.metadata_["setting"].as_string().label("setting"),
            HELD_AT.label("held_at"),
            TranscriptRow.duration_ms,
            ScorecardRow.definition,
        )
        .join(TranscriptRow, TranscriptRow.recording_id == RecordingRow.id)
        .join(ScorecardRow, ScorecardRow.recording_id == RecordingRow.id)
        .where(*within)
        # The main scorecard comes last, and so is the one that stays.
        .order_by(RecordingRow.id, ScorecardRow.position.desc(), ScorecardRow.definition)
    )
    chosen: dict[str, Row[Any]] = {row.id: row for row in rows}
    items = _items(session, within)
    return [
        Candidate(
            recording_id=key,
            definition=row.definition,
            seller=row.seller,
            team=teams.get(row.seller) if row.seller else None,
            setting=_SETTINGS.get(row.setting),
            at=row.held_at,
            duration_ms=row.duration_ms,
            items=items.get((key, row.definition), {}),
        )
        for key, row in chosen.items()
    ]


def _items(
    session: Session, within: list[ColumnElement[bool]]
) -> dict[tuple[str, str], dict[str, SampledItem]]:
    item = ScorecardItemRow
    rows = session.execute(
        select(
            item.recording_id, item.definition, item.item_id, item.passed, item.confidence, item.for_review
        )
        .join(
            ScorecardRow,
            (ScorecardRow.recording_id == item.recording_id) & (ScorecardRow.definition == item.definition),
        )
        .join(RecordingRow, RecordingRow.id == item.recording_id)
        .where(*within)
    )
    found: dict[tuple[str, str], dict[str, SampledItem]] = {}
    for row in rows:
        found.setdefault((row.recording_id, row.definition), {})[row.item_id] = SampledItem(
            outcome_of(row.passed), row.confidence, row.for_review
        )
    return found
