"""The desk at which rules are tried, published, applied and measured, for pages and the HTTP interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from huaxiang.api.history.applying import apply_scorecards
from huaxiang.api.history.background import Background
from huaxiang.api.history.in_force import InForce
from huaxiang.api.history.lab import run_stored_lab
from huaxiang.api.history.meaning import Meaning, asked_by
from huaxiang.api.history.trying import Advance, try_on_history
from huaxiang.core.database import now, transaction
from huaxiang.core.errors import Conflict, HuaxiangError, StorageError
from huaxiang.core.types import Scorecard
from huaxiang.profile.coaching.sellers import SellerStore
from huaxiang.quality.check import ExampleResult
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.comparison_store import ComparisonStore, Tried
from huaxiang.quality.history.judging import Judging
from huaxiang.quality.history.lab_store import LabStore
from huaxiang.quality.history.store import FeatureStore
from huaxiang.quality.loader import Definition, Parsed, parse
from huaxiang.quality.review.tables import ReviewActRow
from huaxiang.quality.rule_store import RuleStore
from huaxiang.quality.rule_versions import Publication

APPLY, LAB = "apply", "lab"
FRESH_FOR = timedelta(minutes=10)
"""So long what the lab found is shown although reviews came since."""
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)
"""So long the lab is not begun by itself after a failure: twice as long after each, up to the last."""
_PROGRESS_EVERY_S = 0.4


@dataclass(frozen=True, slots=True)
class HistoryDesk:
    """What is done with rules and the stored history; work that takes long goes to the background.

    Comparisons, for which somebody waits, do not stand behind the lab and scoring the history (``slow``).

    ``zone`` is where weeks begin on Monday. ``examples`` runs the examples of a file; it loads the language
    model when it is first asked.
    """

    sessions: sessionmaker[Session]
    rules: RuleStore
    zone: tzinfo
    examples: Callable[[Definition], Sequence[ExampleResult]]
    meaning: Meaning | None = None
    comparisons: ComparisonStore = field(default_factory=ComparisonStore)
    lab: LabStore = field(default_factory=LabStore)
    background: Background = field(default_factory=Background)
    slow: Background = field(default_factory=Background)

    @property
    def scorecards(self) -> InForce:
        """The scorecards in force, with the floors that the lab found them under."""
        return InForce(self.rules, self.lab)

    def read(self, session: Session, text: str) -> Parsed:
        """Return what a rule file says, and its mistakes; it may refer to published rules."""
        return parse(text, self.rules.library(session))

    def begin(self, session: Session, text: str, by: str) -> str:
        """Store a scorecard that is to be tried, and return the id of its comparison.

        Call ``start`` when the transaction is through. Raises InvalidRules for a file with mistakes, and
        for one that holds no scorecard.
        """
        before, after = self.scorecards.compared(session, text)
        against = before.reference if before else ""
        return self.comparisons.begin(session, after.reference, against, text, by)

    def start(self, comparison_id: str) -> None:
        """Try the scorecard on the history in the background."""
        self.background.submit(comparison_id, lambda: self.run(comparison_id))

    def run(self, comparison_id: str) -> None:
        """Try the scorecard on the history now, and keep what comes of it; a failure is kept too."""
        with transaction(self.sessions) as session:
            tried = self.comparisons.get(session, comparison_id)
        try:
            with transaction(self.sessions) as session:
                before, after = self._compared(session, tried)
            found = try_on_history(
                self.sessions, before, after, self._noting(comparison_id), meaning=self.meaning
            )
            with transaction(self.sessions) as session:
                self.comparisons.finish(session, comparison_id, found)
        except (HuaxiangError, SQLAlchemyError) as error:
            code = error.code if isinstance(error, HuaxiangError) else StorageError.code
            with transaction(self.sessions) as session:
                self.comparisons.fail(session, comparison_id, code)
            raise

    def explained(
        self, session: Session, tried: Tried, recording_id: str
    ) -> tuple[Scorecard | None, Scorecard | None]:
        """Return both scores of one conversation in full; None where a scorecard does not apply.

        Raises NotFound for a recording without features.
        """
        teams = dict(SellerStore().team_of(session))
        before, after = self._compared(session, tried)
        definitions = [after] if before is None else [before, after]
        asked = asked_by(definitions, self.meaning)
        packed = FeatureStore().packed(session, recording_id, asked.encoder)
        scores = Judging.by(definitions, teams, asked.sentences).scorecards(packed)
        return (None, scores[0]) if before is None else (scores[0], scores[1])

    def publish(self, session: Session, tried: Tried, *, by: str, note: str = "") -> Publication:
        """Publish exactly what was tried.

        Raises Conflict where another version has come into force since, so that what was seen does not
        hold any more, and InvalidRules where the rules that it refers to are gone.
        """
        current = self.scorecards.get(session, tried.scorecard)
        if (current.reference if current else "") != tried.against:
            raise Conflict("another version is in force since; compare again")
        return self.rules.publish(session, tried.text, by=by, note=note)

    def indexed(self, session: Session) -> int:
        """Return how many conversations rules can look at."""
        return FeatureStore().count(session)

    def not_indexed(self, session: Session) -> int:
        """Return how many conversations rules cannot look at yet, or not as they are understood now."""
        return len(FeatureStore().missing(session))

    def start_applying(self) -> bool:
        """Score the history by what is in force, in the background; false where that is under way."""
        return self.slow.submit(APPLY, self._apply)

    def start_lab(self) -> bool:
        """Run the lab in the background; false where it is under way."""
        return self.slow.submit(LAB, self.run_lab)

    @property
    def lab_is_busy(self) -> bool:
        """Whether the lab is at work in this process."""
        return self.slow.is_busy(LAB)

    @property
    def lab_retries_at(self) -> datetime | None:
        """When the lab may begin by itself again, after it failed in this process; None where it did not."""
        failed = self.slow.failures(LAB)
        if failed is None:
            return None
        # 2^6 minutes are more than the last one, so greater powers need not be reckoned.
        return failed.last + min(FIRST_RETRY * (1 << min(failed.count - 1, 6)), LAST_RETRY)

    @property
    def is_applying(self) -> bool:
        """Whether the history is being scored in this process."""
        return self.slow.is_busy(APPLY)

    def freshen_lab(self, session: Session) -> bool:
        """Run the lab in the background where rules came, or somebody reviewed, since it last was.

        After reviews it waits for ``FRESH_FOR``, so that a morning of reviewing is not measured call by call.
        After a failure it waits too (``lab_retries_at``), lest every look at the page begin it again.
        """
        retries_at = self.lab_retries_at
        if retries_at is not None and now() < retries_at:
            return False
        if not self.indexed(session):
            return False
        references = {definition.reference for definition in self.rules.current(session)}
        found = self.lab.found(session, references)
        if {reference for reference, _ in found} != references:
            return self.start_lab()
        last = min((one.computed_at for one in found.values()), default=None)
        reviewed = session.scalar(select(func.max(ReviewActRow.at)))
        if last is None or reviewed is None or reviewed <= last or now() - last < FRESH_FOR:
            return False
        return self.start_lab()

    def run_lab(self) -> None:
        """Run the lab over all scorecards in force now."""
        with transaction(self.sessions) as session:
            definitions = self.rules.current(session)
        run_stored_lab(self.sessions, definitions, self.zone, meaning=self.meaning)

    def _apply(self) -> None:
        with transaction(self.sessions) as session:
            definitions = self.scorecards.kept(session)
        apply_scorecards(self.sessions, definitions, meaning=self.meaning)

    def _compared(
        self, session: Session, tried: Tried
    ) -> tuple[ScorecardDefinition | None, ScorecardDefinition]:
        """Return the scorecards that a comparison is about, each with the floors that it is under."""
        after = self.scorecards.read(session, tried.text)
        if not tried.against:
            return None, after
        before = self.scorecards.of(session, tried.against)
        return before, self.scorecards.inherited(session, after, before)

    def _noting(self, comparison_id: str) -> Advance:
        """Return what keeps the progress of a comparison, now and then."""
        noted = [time.monotonic()]

        def advance(share: float) -> None:
            if time.monotonic() - noted[0] < _PROGRESS_EVERY_S:
                return
            noted[0] = time.monotonic()
            with transaction(self.sessions) as session:
                self.comparisons.advance(session, comparison_id, share)

        return advance
