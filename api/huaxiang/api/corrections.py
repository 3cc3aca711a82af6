"""Corrects what was heard of a call, and scores its corrected form anew: rows are added, none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.held_scores import definition_of
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict, NotFound
from huaxiang.core.types import Insights, Recording, RecordingStatus, Scorecard, Transcript, new_id
from huaxiang.profile.merge import merge_recording
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.vectors import SentenceMap
from huaxiang.quality.review.corrected import corrected
from huaxiang.quality.review.correction_store import CorrectionStore
from huaxiang.quality.review.corrections import (
    Change,
    Correction,
    CorrectionKind,
    check_form,
    standing,
)
from huaxiang.quality.review.outcomes import Actor
from huaxiang.quality.review.scores import save_corrected

if TYPE_CHECKING:
    from huaxiang.api.history.features import FeatureWriter
    from huaxiang.api.inspecting import Grounds, Inspecting
    from huaxiang.api.workflow import Stores

Renewed = Callable[[Session, str], None]
"""What is made again of a call whose corrected form changed (words to search)."""


@dataclass(frozen=True, slots=True)
class CallForm:
    """A call as it was recognised, and as people say it is.

    ``log`` are its corrections in order; without any in force both forms are the same.
    """

    recording: Recording
    automatic: Transcript
    automatic_insights: Insights
    transcript: Transcript
    insights: Insights
    scorecards: tuple[Scorecard, ...]
    log: tuple[Correction, ...]

    @property
    def seen(self) -> int:
        """The sequence of the last correction."""
        return self.log[-1].sequence if self.log else 0

    @property
    def is_corrected(self) -> bool:
        """Whether corrections are in force."""
        return bool(standing(self.log).in_force)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a call comes to with further corrections: worked out before anything is written.

    ``scores`` is None where they change nothing, as proposals do. ``made`` are the vectors of new words.
    """

    changes: tuple[Change, ...]
    seen: int
    scores: tuple[Scorecard, ...] | None
    made: SentenceMap = field(default_factory=dict)


class Corrections:
    """Adds corrections, and makes anew what stands on the corrected form of a call.

    Rules may take seconds (a model of meanings), so ``foresee`` scores outside of any transaction, and
    ``add`` writes what was foreseen in the caller's. Without ``features``, those of a call stay as they are.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        stores: Stores,
        inspecting: Inspecting,
        country: str = "CN",
        renewed: Sequence[Renewed] = (),
        features: FeatureWriter | None = None,
    ) -> None:
        self._sessions = sessions
        self._stores = stores
        self._inspecting = inspecting
        self._country = country
        self._renewed = tuple(renewed)
        self._features = features
        self.log = CorrectionStore()

    def form(self, session: Session, recording_id: str) -> CallForm:
        """Return a call with its corrected form. Raises NotFound where it has no transcript or insights."""
        stores = self._stores
        recording = stores.recordings.get(session, recording_id)
        automatic = stores.transcripts.load(session, recording_id)
        found = stores.insights.load(session, recording_id)
        log = tuple(self.log.load(session, recording_id))
        transcript, insights = corrected(automatic, found, log)
        scorecards = stores.scorecards.current(session, recording_id)
        return CallForm(recording, automatic, found, transcript, insights, scorecards, log)

    def foresee(
        self, recording_id: str, changes: Sequence[Change], actor: Actor, *, proposed: bool = False
    ) -> Foreseen:
        """Return what a call comes to when it is corrected so.

        Raises NotFound, InvalidInput for a change that lacks something, and Conflict while the call is
        being processed.
        """
        for change in changes:
            check_form(change)
        with transaction(self._sessions) as session:
            form = self.form(session, recording_id)
            if form.recording.status is not RecordingStatus.DONE:
                raise Conflict("this call is being processed; correct it when that is done")
            log = (*form.log, *_added(form, changes, actor, proposed=proposed))
            if standing(log).in_force == standing(form.log).in_force:
                return Foreseen(tuple(changes), form.seen, None)
            grounds = self._grounds(session, form, log)
            unmade = self._unmade(session, grounds.transcript)
        scores, made = self._inspecting.scorecards(grounds), self._made(unmade)
        return Foreseen(tuple(changes), form.seen, scores, made)

    def add(
        self,
        session: Session,
        recording_id: str,
        foreseen: Foreseen,
        actor: Actor,
        *,
        proposed: bool = False,
        reason: str = "",
        seen: int | None = None,
    ) -> list[Correction]:
        """Write corrections and what follows from them; what was scored before stays beside it.

        ``seen`` is the last correction that the caller read. Raises OutOfDate where the call was
        corrected since, and what ``CorrectionStore.add`` raises.
        """
        transcript = self._stores.transcripts.load(session, recording_id)
        last = foreseen.seen if seen is None else seen
        found = []
        for place, change in enumerate(foreseen.changes):
            found.append(
                self.log.add(
                    session, transcript, change, actor, proposed=proposed, reason=reason, seen=last + place
                )
            )
        if foreseen.scores is not None:
            self._write(session, self.form(session, recording_id), foreseen.scores, foreseen.made)
        return found

    def renew(self, recording_id: str) -> bool:
        """Score the corrected form again after the call was processed anew; tell whether it had any.

        Who corrects it meanwhile has scored what holds then, and that stays.
        """
        with transaction(self._sessions) as session:
            form = self.form(session, recording_id)
            if not form.log:
                return False
            grounds = self._grounds(session, form, form.log)
            unmade = self._unmade(session, grounds.transcript)
        scores, made = self._inspecting.scorecards(grounds), self._made(unmade)
        with transaction(self._sessions) as session:
            if len(self.log.load(session, recording_id)) == len(form.log):
                self._write(session, form, scores, made)
        return True

    def _unmade(self, session: Session, transcript: Transcript) -> Sequence[str]:
        return () if self._features is None else self._features.unmade(session, transcript)

    def _made(self, texts: Sequence[str]) -> SentenceMap:
        return {} if self._features is None else self._features.made(texts)

    def _grounds(self, session: Session, form: CallForm, log: Sequence[Correction]) -> Grounds:
        """Return what the corrected form is judged on: the versions by which the call was scored."""
        transcript, insights = corrected(form.automatic, form.automatic_insights, log)
        grounds = self._inspecting.grounds(session, form.recording, transcript, insights)
        own = tuple(self._definitions(session, form.scorecards))
        return replace(grounds, definitions=own) if own else grounds

    def _definitions(
        self, session: Session, scorecards: Sequence[Scorecard]
    ) -> Iterator[ScorecardDefinition]:
        """Give the scorecards as they were; one that an older package shipped may be gone."""
        for scorecard in scorecards:
            try:
                definition = definition_of(self._inspecting.rules, session, scorecard.definition)
            except NotFound:
                continue
            yield definition.suggesting({item.id for item in scorecard.items if item.suggest_only})

    def _write(
        self, session: Session, form: CallForm, scores: Sequence[Scorecard], made: SentenceMap
    ) -> None:
        recording_id = form.recording.id
        for scorecard in scores:
            # It is added up again with every look at the score, by a later package too.
            self._inspecting.rules.keep(session, scorecard.definition)
            save_corrected(session, recording_id, scorecard)
        done = replace(form.recording, status=RecordingStatus.DONE)
        main = scores[0] if scores else None
        merge_recording(session, done, form.transcript, form.insights, main, country=self._country)
        if self._features is not None:
            self._features.refresh(session, recording_id, made)
        for renew in self._renewed:
            renew(session, recording_id)


def _added(form: CallForm, changes: Sequence[Change], actor: Actor, *, proposed: bool) -> list[Correction]:
    """Return changes as the rows that they would be."""
    texts = {turn.index: turn.text for turn in form.automatic.turns}
    return [
        Correction(
            id=new_id(),
            sequence=form.seen + place,
            change=change,
            actor=actor,
            at=now(),
            proposed=proposed and change.kind is not CorrectionKind.UNDO,
            before={"text": texts[change.turn]} if change.turn in texts else {},
        )
        for place, change in enumerate(changes, start=1)
    ]
