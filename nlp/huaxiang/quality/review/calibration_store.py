"""Keeps calibration sessions; what reviewers say is a log that is only added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, Forbidden, IllegalTransition, InvalidInput, NotFound, OutOfDate
from huaxiang.core.types import Scorecard, new_id
from huaxiang.quality.review.calibration import Calibration, CalibrationCall, ScoredCall
from huaxiang.quality.review.outcomes import Actor, Judgement, Outcome, outcome_of
from huaxiang.quality.review.review_store import DefinitionFor, Keep
from huaxiang.quality.review.tables import CalibrationActRow, CalibrationCallRow, CalibrationRow

MAX_CALLS = 100
MAX_REVIEWERS = 50


class CalibrationStore:
    """Opens, scores and closes sessions; flushes, and leaves the commit to the caller.

    ``keep`` sees to it that the scorecard of a session is found later too.
    """

    def __init__(self, definition_for: DefinitionFor, keep: Keep | None = None) -> None:
        self._definition_for = definition_for
        self._keep = keep

    def open(
        self,
        session: Session,
        title: str,
        reviewers: Sequence[str],
        scorecards: Mapping[str, Scorecard],
        actor: Actor,
        sellers: Mapping[str, str | None] | None = None,
    ) -> Calibration:
        """Open a session over scored calls, all by one scorecard.

        Raises InvalidInput for fewer than two reviewers or no call, Conflict where the calls were
        scored by several scorecards, Forbidden where a reviewer would score an own call.
        """
        named = tuple(dict.fromkeys(name.strip() for name in reviewers if name.strip()))
        if not 2 <= len(named) <= MAX_REVIEWERS:
            raise InvalidInput(f"a calibration has 2 to {MAX_REVIEWERS} reviewers", fields="reviewers")
        if not 1 <= len(scorecards) <= MAX_CALLS:
            raise InvalidInput(f"a calibration has 1 to {MAX_CALLS} calls", fields="recordings")
        if not 0 < len(title.strip()) <= 200:
            raise InvalidInput("a title has 1 to 200 characters", fields="title")
        if set(named) & {seller for seller in (sellers or {}).values() if seller}:
            raise Forbidden("nobody scores their own call; leave it or its seller out")
        definitions = {scorecard.definition for scorecard in scorecards.values()}
        if len(definitions) > 1:
            raise Conflict("these calls were scored by different scorecards; take calls of one")
        (definition,) = definitions
        self._definition_for(session, definition)
        if self._keep is not None:
            self._keep(session, definition)
        row = CalibrationRow(
            id=new_id(),
            title=title.strip(),
            definition=definition,
            reviewers=list(named),
            created_by=actor.name,
            created_at=now(),
        )
        session.add(row)
        session.flush()
        session.add_all(
            CalibrationCallRow(
                calibration_id=row.id,
                recording_id=recording_id,
                position=position,
                automatic={item.id: outcome_of(item.passed).value for item in scorecard.items},
            )
            for position, (recording_id, scorecard) in enumerate(scorecards.items())
        )
        session.flush()
        return self.get(session, row.id)

    def get(self, session: Session, calibration_id: str) -> Calibration:
        """Return a session. Raises NotFound."""
        row = session.get(CalibrationRow, calibration_id)
        if row is None:
            raise NotFound("there is no such calibration")
        calls = session.scalars(
            select(CalibrationCallRow)
            .where(CalibrationCallRow.calibration_id == calibration_id)
            .order_by(CalibrationCallRow.position)
        )
        acts = session.scalars(
            select(CalibrationActRow)
            .where(CalibrationActRow.calibration_id == calibration_id)
            .order_by(CalibrationActRow.sequence)
        )
        return _calibration(row, list(calls), list(acts))

    def list(self, session: Session, *, cursor: str | None = None, limit: int = 100) -> list[Calibration]:
        """Return sessions, newest first; with ``cursor`` those that are older than the one of this id."""
        query = select(CalibrationRow.id)
        if cursor is not None:
            query = query.where(CalibrationRow.id < cursor)
        ids = session.scalars(query.order_by(CalibrationRow.id.desc()).limit(limit))
        return [self.get(session, one) for one in ids]

    def score(
        self,
        session: Session,
        calibration_id: str,
        recording_id: str,
        reviewer: str,
        judgements: Sequence[Judgement],
    ) -> Calibration:
        """Add what a reviewer says of a call: every item of the scorecard, or none is taken.

        Scoring a call again adds a row, and the later one counts. Raises Forbidden for whoever is
        not among the reviewers, NotFound for another call, InvalidInput for missing or unknown
        items, IllegalTransition where the session is closed.
        """
        found = self.get(session, calibration_id)
        if reviewer not in found.reviewers:
            raise Forbidden("you are not among the reviewers of this calibration")
        if found.closed_at is not None:
            raise IllegalTransition("this calibration is closed")
        if recording_id not in {call.recording_id for call in found.calls}:
            raise NotFound("this calibration has no such call")
        items = {item.id for item in self._definition_for(session, found.definition).items}
        if {one.item for one in judgements} != items or len(judgements) != len(items):
            raise InvalidInput("judge every item of the scorecard, each once", fields="judgements")
        outcomes = {one.item: one.outcome.value for one in judgements}
        reasons = {one.item: one.reason for one in judgements if one.reason}
        _add(session, found, recording_id, reviewer, {"items": outcomes, "reasons": reasons})
        return self.get(session, calibration_id)

    def close(self, session: Session, calibration_id: str, actor: Actor) -> Calibration:
        """Close a session: everybody then sees all scores, and no more are taken."""
        found = self.get(session, calibration_id)
        if found.closed_at is not None:
            raise IllegalTransition("this calibration is closed")
        _add(session, found, None, actor.name, {})
        return self.get(session, calibration_id)


def _add(
    session: Session,
    found: Calibration,
    recording_id: str | None,
    reviewer: str,
    outcomes: Mapping[str, Mapping[str, str]],
) -> None:
    last = session.scalar(
        select(func.max(CalibrationActRow.sequence)).where(CalibrationActRow.calibration_id == found.id)
    )
    session.add(
        CalibrationActRow(
            id=new_id(),
            calibration_id=found.id,
            sequence=(last or 0) + 1,
            recording_id=recording_id,
            reviewer=reviewer,
            outcomes=dict(outcomes),
            at=now(),
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise OutOfDate("somebody else scored at the same moment; send it again") from error


def _calibration(
    row: CalibrationRow, calls: Sequence[CalibrationCallRow], acts: Sequence[CalibrationActRow]
) -> Calibration:
    last: dict[tuple[str, str], ScoredCall] = {}
    for act in acts:
        if act.recording_id is None:
            continue
        last[act.recording_id, act.reviewer] = ScoredCall(
            recording_id=act.recording_id,
            reviewer=act.reviewer,
            outcomes={item: Outcome(value) for item, value in act.outcomes["items"].items()},
            reasons=act.outcomes["reasons"],
            at=act.at,
        )
    return Calibration(
        id=row.id,
        title=row.title,
        definition=row.definition,
        reviewers=tuple(row.reviewers),
        calls=tuple(
            CalibrationCall(
                call.recording_id, {item: Outcome(value) for item, value in call.automatic.items()}
            )
            for call in calls
        ),
        created_by=row.created_by,
        created_at=row.created_at,
        scores=tuple(last.values()),
        closed_at=next((act.at for act in acts if act.recording_id is None), None),
        version=acts[-1].sequence if acts else 0,
    )
