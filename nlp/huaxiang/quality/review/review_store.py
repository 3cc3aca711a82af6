"""Keeps cases of review as logs of acts, and computes from them what holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cache, partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from huaxiang.core.database import now
from huaxiang.core.errors import Conflict, NotFound, OutOfDate
from huaxiang.core.types import Json, Scorecard, new_id
from huaxiang.nlp.tables import ScorecardItemRow
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.review.case import Case, advance, check_seen, replay
from huaxiang.quality.review.final_score import (
    FinalScore,
    as_opened,
    automatic_score,
    final_score,
    held_score,
)
from huaxiang.quality.review.outcomes import (
    Act,
    ActKind,
    Actor,
    Judgement,
    Origin,
    automatic_of,
)
from huaxiang.quality.review.scores import automatic_items, batches, newest_corrected
from huaxiang.quality.review.tables import ReviewActRow, ReviewCaseRow

DefinitionFor = Callable[[Session, str], ScorecardDefinition]
"""Gives the scorecard of a reference ``id @ version``; raises NotFound."""
Keep = Callable[[Session, str], None]
"""Keeps the scorecard of a reference for good."""
APPEAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with its ids and its whole log."""

    id: str
    recording_id: str
    case: Case
    acts: tuple[Act, ...]


class ReviewStore:
    """Adds acts to cases; flushes, and leaves the commit to the caller.

    ``definition_for`` finds the scorecard by whose arithmetic a case is added up, ``keep`` sees to it
    that it is found later too; ``appeal_days`` is how long a seller may object to a review.
    """

    def __init__(
        self, definition_for: DefinitionFor, appeal_days: int = APPEAL_DAYS, keep: Keep | None = None
    ) -> None:
        self._definition_for = definition_for
        self._appeal_days = appeal_days
        self._keep = keep

    def open(
        self,
        session: Session,
        recording_id: str,
        scorecard: Scorecard,
        seller: str | None,
        actor: Actor,
        origin: Origin = Origin.CHOSEN,
        reason: str = "",
    ) -> StoredCase:
        """Open the case of a call's score; a call is reviewed once by a scorecard.

        Raises Conflict where there is a case already, and NotFound where the scorecard's definition
        is not there to add up by.
        """
        self._definition_for(session, scorecard.definition)
        if self._keep is not None:
            self._keep(session, scorecard.definition)
        if self.of_recording(session, recording_id, scorecard.definition) is not None:
            raise Conflict("this score is under review already; open its case")
        payload: dict[str, Json] = {
            "definition": scorecard.definition,
            "seller": seller,
            "origin": origin.value,
            "items": [asdict(automatic_of(item)) for item in scorecard.items],
        }
        row = ReviewCaseRow(
            id=new_id(),
            recording_id=recording_id,
            definition=scorecard.definition,
            seller=seller,
            created_at=now(),
        )
        session.add(row)
        _flush(session)
        act = Act(1, ActKind.OPENED, actor, row.created_at, reason=reason, payload=payload)
        case = _add(session, row.id, None, act)
        return StoredCase(row.id, recording_id, case, (act,))

    def get(self, session: Session, case_id: str, *, lock: bool = False) -> StoredCase:
        """Return a case by its id. With ``lock``, others wait to write to it. Raises NotFound."""
        row = session.get(ReviewCaseRow, case_id, with_for_update=lock or None)
        if row is None:
            raise NotFound("there is no such case of review")
        return _stored(row, _acts(session, [case_id]).get(case_id, ()))

    def of_recording(
        self, session: Session, recording_id: str, definition: str | None = None
    ) -> StoredCase | None:
        """Return the newest case of a call, or that of one scorecard."""
        query = select(ReviewCaseRow).where(ReviewCaseRow.recording_id == recording_id)
        if definition is not None:
            query = query.where(ReviewCaseRow.definition == definition)
        row = session.scalars(
            query.order_by(ReviewCaseRow.created_at.desc(), ReviewCaseRow.id.desc())
        ).first()
        return None if row is None else self.get(session, row.id)

    def newest(self, session: Session, recording_ids: Collection[str]) -> Mapping[str, StoredCase]:
        """Return the newest case of each recording that has one."""
        by_recording: dict[str, ReviewCaseRow] = {}
        for batch in batches(recording_ids):
            rows = session.scalars(
                select(ReviewCaseRow)
                .where(ReviewCaseRow.recording_id.in_(batch))
                .order_by(ReviewCaseRow.created_at, ReviewCaseRow.id)
            )
            by_recording.update((row.recording_id, row) for row in rows)
        acts = _acts(session, [row.id for row in by_recording.values()])
        return {key: _stored(row, acts.get(row.id, ())) for key, row in by_recording.items()}

    def under_review(self, session: Session, definitions: Mapping[str, str]) -> frozenset[str]:
        """Return the recordings that have a case by the scorecard that ``definitions`` gives of each."""
        row = ReviewCaseRow
        return frozenset(
            recording_id
            for batch in batches(definitions)
            for recording_id, definition in session.execute(
                select(row.recording_id, row.definition).where(row.recording_id.in_(batch))
            )
            if definition == definitions[recording_id]
        )

    def assign(
        self, session: Session, case_id: str, actor: Actor, assignee: str | None, seen: int
    ) -> StoredCase:
        """Give a case to a reviewer by name, or to nobody in particular."""
        return self._do(
            session, case_id, seen, Act(0, ActKind.ASSIGNED, actor, now(), payload={"assignee": assignee})
        )

    def judge(
        self, session: Session, case_id: str, actor: Actor, judgements: Iterable[Judgement], seen: int
    ) -> StoredCase:
        """Judge items; in an appeal these are the final ones.

        ``seen`` is the version that the caller looked at: raises OutOfDate where one of the items
        was judged since, or the case went on.
        """
        acts = [Act(0, ActKind.JUDGED, actor, now(), one.item, one.outcome, one.reason) for one in judgements]
        return self._do(session, case_id, seen, *acts)

    def submit(
        self,
        session: Session,
        case_id: str,
        actor: Actor,
        judgements: Iterable[Judgement],
        seen: int,
        reason: str = "",
    ) -> StoredCase:
        """Hand in a review (复核) with its judgements; from then on the seller may appeal for a while."""
        moment = now()
        acts = [
            Act(0, ActKind.JUDGED, actor, moment, one.item, one.outcome, one.reason) for one in judgements
        ]
        until = moment + timedelta(days=self._appeal_days)
        done = Act(
            0, ActKind.REVIEWED, actor, moment, reason=reason, payload={"appeal_until": until.isoformat()}
        )
        return self._do(session, case_id, seen, *acts, done)

    def reopen(self, session: Session, case_id: str, actor: Actor, reason: str, seen: int) -> StoredCase:
        """Take a review up again, with the reason."""
        return self._do(session, case_id, seen, Act(0, ActKind.REOPENED, actor, now(), reason=reason))

    def appeal(
        self,
        session: Session,
        case_id: str,
        actor: Actor,
        reason: str,
        items: Sequence[str] = (),
        seen: int | None = None,
    ) -> StoredCase:
        """Object to a review (申诉), as the seller of the call; ``items`` empty means all of it."""
        act = Act(0, ActKind.APPEALED, actor, now(), reason=reason, payload={"items": list(items)})
        return self._do(session, case_id, seen, act)

    def settle(
        self,
        session: Session,
        case_id: str,
        actor: Actor,
        judgements: Iterable[Judgement],
        reason: str,
        seen: int,
    ) -> StoredCase:
        """Settle an appeal for good (终审), as another person than the reviewer."""
        moment = now()
        acts = [
            Act(0, ActKind.JUDGED, actor, moment, one.item, one.outcome, one.reason) for one in judgements
        ]
        return self._do(session, case_id, seen, *acts, Act(0, ActKind.SETTLED, actor, moment, reason=reason))

    def final(self, session: Session, recording_ids: Collection[str]) -> Mapping[str, FinalScore]:
        """Return the score that holds of each recording that has one.

        A call under review is added up by the scorecard it was reviewed by, any other by its main
        one. Follows from the rows of scores, acts and corrected scores alone. Where a corrected call's
        scorecard is not there any more (an earlier package shipped it), its automatic score stands.
        """
        cases = self.newest(session, recording_ids)
        under_review = {key: stored.case.definition for key, stored in cases.items()}
        corrected = newest_corrected(session, recording_ids)
        find = cache(partial(self._definition_for, session))
        scores: dict[str, FinalScore] = {}
        for recording_id, items in automatic_items(session, recording_ids, under_review).items():
            stored = cases.get(recording_id)
            definition = stored.case.definition if stored else items.definition
            try:
                scores[recording_id] = held_score(
                    recording_id,
                    items.scorecard(),
                    find,
                    case_id=stored.id if stored else None,
                    case=stored.case if stored else None,
                    corrected=corrected.get((recording_id, definition)),
                )
            except NotFound:
                if stored is not None:
                    raise
                scores[recording_id] = automatic_score(recording_id, items.scorecard())
        return scores

    def final_of(self, session: Session, cases: Iterable[StoredCase]) -> Mapping[str, FinalScore]:
        """Return the score that holds by the scorecard of each case, by the cases' ids."""
        listed = list(cases)
        ids = [stored.recording_id for stored in listed]
        corrected, suggested = newest_corrected(session, ids), _suggested(session, ids)
        find = cache(partial(self._definition_for, session))
        found = {}
        for stored in listed:
            key = (stored.recording_id, stored.case.definition)
            found[stored.id] = final_score(
                stored.recording_id,
                find(stored.case.definition).suggesting(suggested.get(key, frozenset())),
                as_opened(stored.case),
                case_id=stored.id,
                case=stored.case,
                corrected=corrected.get(key),
            )
        return found

    def _do(self, session: Session, case_id: str, seen: int | None, *acts: Act) -> StoredCase:
        stored = self.get(session, case_id, lock=True)
        if seen is not None:
            check_seen(stored.acts, seen, [act.item for act in acts if act.item])
        case, log = stored.case, list(stored.acts)
        for act in acts:
            numbered = replace(act, sequence=case.version + 1)
            case = _add(session, case_id, case, numbered)
            log.append(numbered)
        return replace(stored, case=case, acts=tuple(log))


def _suggested(session: Session, recording_ids: Sequence[str]) -> dict[tuple[str, str], frozenset[str]]:
    """Return the items that only suggested where calls were scored, by recording and definition."""
    row = ScorecardItemRow
    found: dict[tuple[str, str], set[str]] = {}
    for batch in batches(recording_ids):
        for recording_id, definition, item in session.execute(
            select(row.recording_id, row.definition, row.item_id).where(
                row.recording_id.in_(batch), row.suggest_only
            )
        ):
            found.setdefault((recording_id, definition), set()).add(item)
    return {key: frozenset(items) for key, items in found.items()}


def load_cases(session: Session, case_ids: Sequence[str]) -> list[StoredCase]:
    """Return cases in the order of ``case_ids``; those that are gone are left out."""
    rows = {
        row.id: row
        for batch in batches(case_ids)
        for row in session.scalars(select(ReviewCaseRow).where(ReviewCaseRow.id.in_(batch)))
    }
    acts = _acts(session, case_ids)
    return [_stored(rows[one], acts.get(one, ())) for one in case_ids if one in rows]


def _add(session: Session, case_id: str, before: Case | None, act: Act) -> Case:
    """Check an act against the case, and write it. Raises OutOfDate where another came first."""
    case = advance(before, act)
    session.add(
        ReviewActRow(
            case_id=case_id,
            sequence=act.sequence,
            kind=act.kind,
            actor=act.actor.key,
            actor_name=act.actor.name,
            at=act.at,
            item=act.item,
            outcome=act.outcome,
            reason=act.reason,
            payload=dict(act.payload),
            state=case.state,
            assignee=case.assignee,
        )
    )
    _flush(session)
    return case


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise OutOfDate("somebody else was faster at this case; read it again") from error


def _acts(session: Session, case_ids: Sequence[str]) -> dict[str, tuple[Act, ...]]:
    found: dict[str, list[Act]] = {}
    # A case that is named twice must not bring its acts twice.
    for batch in batches(dict.fromkeys(case_ids)):
        rows = session.scalars(
            select(ReviewActRow)
            .where(ReviewActRow.case_id.in_(batch))
            .order_by(ReviewActRow.case_id, ReviewActRow.sequence)
        )
        for row in rows:
            found.setdefault(row.case_id, []).append(_act(row))
    return {case_id: tuple(acts) for case_id, acts in found.items()}


def _act(row: ReviewActRow) -> Act:
    return Act(
        sequence=row.sequence,
        kind=row.kind,
        actor=Actor(row.actor, row.actor_name),
        at=row.at,
        item=row.item,
        outcome=row.outcome,
        reason=row.reason,
        payload=row.payload,
    )


def _stored(row: ReviewCaseRow, acts: tuple[Act, ...]) -> StoredCase:
    return StoredCase(row.id, row.recording_id, replay(acts), acts)
