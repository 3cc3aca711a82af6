"""Keeps corrections of calls as logs that are only added to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Forbidden, InvalidInput, NotFound, OutOfDate
from huaxiang.core.types import FindingKind, Json, Role, Transcript, new_id
from huaxiang.quality.review.case import MAX_REASON
from huaxiang.quality.review.corrections import (
    Change,
    Correction,
    CorrectionKind,
    Target,
    check_form,
    check_target,
)
from huaxiang.quality.review.outcomes import Actor
from huaxiang.quality.review.scores import batches
from huaxiang.quality.review.tables import CorrectionRow


class CorrectionStore:
    """Adds and reads corrections; flushes, and leaves the commit to the caller."""

    def add(
        self,
        session: Session,
        transcript: Transcript,
        change: Change,
        actor: Actor,
        *,
        proposed: bool = False,
        reason: str = "",
        seen: int | None = None,
    ) -> Correction:
        """Add a correction of a call, whose automatic ``transcript`` is given.

        A ``proposed`` one counts when it is accepted; whoever proposes may undo only what they
        proposed. ``seen`` is the sequence of the last correction that the caller read. Raises
        InvalidInput for what is missing, NotFound for a turn or correction that is not there,
        IllegalTransition for an undo of what is undone, OutOfDate where somebody was faster.
        """
        check_form(change)
        if len(reason) > MAX_REASON:
            raise InvalidInput(f"a reason has at most {MAX_REASON} characters", fields="reason")
        recording_id = transcript.recording_id
        known = self.load(session, recording_id)
        last = known[-1].sequence if known else 0
        if seen is not None and seen != last:
            raise OutOfDate("this call was corrected since you opened it; read it again")
        check_target(change, known)
        if proposed:
            _check_proposal(change, known, actor)
        row = CorrectionRow(
            id=new_id(),
            recording_id=recording_id,
            sequence=last + 1,
            kind=change.kind.value,
            target=change.target,
            turn=change.turn,
            payload={**_payload(change), "before": _before(transcript, change)},
            proposed=proposed and change.kind is not CorrectionKind.UNDO,
            actor=actor.key,
            actor_name=actor.name,
            at=now(),
            reason=reason,
        )
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise OutOfDate("somebody else corrected this call at the same moment; read it again") from error
        return _correction(row)

    def load(self, session: Session, recording_id: str) -> list[Correction]:
        """Return the log of a call, in order."""
        return self.load_many(session, [recording_id]).get(recording_id, [])

    def load_many(self, session: Session, recording_ids: Collection[str]) -> Mapping[str, list[Correction]]:
        """Return the logs of those calls that have one."""
        found: dict[str, list[Correction]] = {}
        for batch in batches(recording_ids):
            rows = session.scalars(
                select(CorrectionRow)
                .where(CorrectionRow.recording_id.in_(batch))
                .order_by(CorrectionRow.recording_id, CorrectionRow.sequence)
            )
            for row in rows:
                found.setdefault(row.recording_id, []).append(_correction(row))
        return found


def _check_proposal(change: Change, known: list[Correction], actor: Actor) -> None:
    if change.kind in (CorrectionKind.ACCEPT, CorrectionKind.DECLINE):
        raise Forbidden("a proposal is decided by a manager")
    if change.kind is CorrectionKind.UNDO:
        target = next(one for one in known if one.id == change.target)
        if target.actor.key != actor.key:
            raise Forbidden("you may take back only what you proposed")


def _before(transcript: Transcript, change: Change) -> dict[str, Json]:
    """Return the automatic text of the turn that a change is about, and check its span."""
    if change.turn is None:
        return {}
    turn = next((one for one in transcript.turns if one.index == change.turn), None)
    if turn is None:
        raise NotFound("this recording has no such turn")
    text = change.heard if change.heard is not None else turn.text
    if change.char_end is not None and change.char_end > len(text):
        raise InvalidInput("the marked words lie outside the turn", fields="char_end")
    return {"text": turn.text, "role": turn.role.value}


def _payload(change: Change) -> dict[str, Any]:
    finding = change.finding
    values = {
        "text": change.text,
        "role": change.role,
        "finding": finding
        and {"id": finding.id, "kind": finding.kind, "label": finding.label, "turn": finding.turn},
        "finding_kind": change.finding_kind,
        "label": change.label,
        "char_start": change.char_start,
        "char_end": change.char_end,
        "value": change.value,
        "heard": change.heard,
    }
    return {name: value for name, value in values.items() if value is not None}


def _correction(row: CorrectionRow) -> Correction:
    payload = row.payload
    finding = payload.get("finding")
    return Correction(
        id=row.id,
        sequence=row.sequence,
        change=Change(
            kind=CorrectionKind(row.kind),
            turn=row.turn,
            text=payload.get("text"),
            role=Role(payload["role"]) if "role" in payload else None,
            finding=finding
            and Target(finding["id"], FindingKind(finding["kind"]), finding["label"], finding["turn"]),
            finding_kind=FindingKind(payload["finding_kind"]) if "finding_kind" in payload else None,
            label=payload.get("label"),
            char_start=payload.get("char_start"),
            char_end=payload.get("char_end"),
            value=payload.get("value"),
            target=row.target,
            heard=payload.get("heard"),
        ),
        actor=Actor(row.actor, row.actor_name),
        at=row.at,
        proposed=row.proposed,
        reason=row.reason,
        before=payload.get("before", {}),
    )
