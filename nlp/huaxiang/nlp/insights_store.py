"""Keeps what was understood of a recording."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import NotFound
from huaxiang.core.types import Evidence, Finding, Insights, Skipped
from huaxiang.nlp.tables import FindingRow, InsightsRow


class InsightsStore:
    """Saves and loads insights by recording; flushes, and leaves the commit to the caller."""

    def save(self, session: Session, recording_id: str, insights: Insights, lock_digest: str) -> None:
        """Store ``insights``, in place of what was stored for the recording before.

        Saving the same insights twice leaves the same rows, so a step that is run again is
        harmless. ``lock_digest`` names the models.lock they were made with.
        """
        session.execute(delete(FindingRow).where(FindingRow.recording_id == recording_id))
        row = session.get(InsightsRow, recording_id) or InsightsRow(recording_id=recording_id)
        row.metrics = dict(insights.metrics)
        row.skipped = [asdict(skipped) for skipped in insights.skipped]
        row.model = insights.model
        row.lock_digest = lock_digest
        row.created_at = now()
        session.add(row)
        session.flush()
        session.add_all(_finding_row(recording_id, finding) for finding in insights.findings)
        session.flush()

    def note_skipped(self, session: Session, recording_id: str, skipped: Iterable[Skipped]) -> None:
        """Add what a later stage left undone; noting it twice changes nothing. Raises NotFound."""
        row = self._row(session, recording_id)
        noted = [asdict(item) for item in skipped]
        row.skipped = [*row.skipped, *(item for item in noted if item not in row.skipped)]
        session.flush()

    def load(self, session: Session, recording_id: str) -> Insights:
        """Return the stored insights, findings in order of turn. Raises NotFound."""
        row = self._row(session, recording_id)
        findings = session.scalars(
            select(FindingRow)
            .where(FindingRow.recording_id == recording_id)
            .order_by(FindingRow.turn_index, FindingRow.id)
        )
        return Insights(
            findings=tuple(_finding(finding) for finding in findings),
            metrics=dict(row.metrics),
            skipped=tuple(Skipped(**skipped) for skipped in row.skipped),
            model=row.model,
        )

    def _row(self, session: Session, recording_id: str) -> InsightsRow:
        row = session.get(InsightsRow, recording_id)
        if row is None:
            raise NotFound(f"no insights are stored for recording {recording_id}")
        return row


def _finding_row(recording_id: str, finding: Finding) -> FindingRow:
    return FindingRow(
        id=finding.id,
        recording_id=recording_id,
        turn_index=finding.turn,
        kind=finding.kind,
        label=finding.label,
        value=finding.value,
        confidence=finding.confidence,
        for_review=finding.for_review,
        source=finding.source,
        evidence=[asdict(evidence) for evidence in finding.evidence],
    )


def _finding(row: FindingRow) -> Finding:
    return Finding(
        id=row.id,
        kind=row.kind,
        label=row.label,
        value=row.value,
        confidence=row.confidence,
        for_review=row.for_review,
        source=row.source,
        evidence=tuple(Evidence(**evidence) for evidence in row.evidence),
    )
