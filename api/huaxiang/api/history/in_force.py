"""The scorecards in force: by which new conversations are scored, and the history when it is scored anew."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from huaxiang.api.held_scores import definition_of
from huaxiang.core.errors import InvalidRules
from huaxiang.quality.definition import ScorecardDefinition
from huaxiang.quality.history.fingerprint import judges_by
from huaxiang.quality.history.lab_store import LabStore, floored
from huaxiang.quality.loader import parse, without_mistakes
from huaxiang.quality.rule_store import RuleStore


@dataclass(frozen=True, slots=True)
class InForce:
    """The published scorecards, and those of the package, whose items under their floor only suggest."""

    rules: RuleStore
    lab: LabStore = field(default_factory=LabStore)

    def all(self, session: Session) -> tuple[ScorecardDefinition, ...]:
        """Return the scorecards by which conversations are scored now."""
        suggesting = self.lab.suggesting(session)
        return tuple(floored(one, suggesting) for one in self.rules.current(session))

    def kept(self, session: Session) -> tuple[ScorecardDefinition, ...]:
        """Return the scorecards as ``all``, and keep those of the package for what is stored by them.

        The score of a corrected form is added up again with every look at it, by a later package too.
        """
        definitions = self.all(session)
        for definition in definitions:
            self.rules.keep(session, definition.reference)
        return definitions

    def get(self, session: Session, scorecard: str) -> ScorecardDefinition | None:
        """Return the version of a scorecard that is in force; None where there is none of that id."""
        return next((one for one in self.all(session) if one.id == scorecard), None)

    def read(self, session: Session, text: str, name: str = "the file") -> ScorecardDefinition:
        """Return the scorecard of a text that may refer to published rules. Raises InvalidRules."""
        definition = without_mistakes(parse(text, self.rules.library(session)), name)
        if not isinstance(definition, ScorecardDefinition):
            raise InvalidRules(f"{name} holds rules, and no scorecard")
        return definition

    def compared(
        self, session: Session, text: str, name: str = "the file"
    ) -> tuple[ScorecardDefinition | None, ScorecardDefinition]:
        """Return the scorecard in force of a text's id, None where it is new, and that of the text itself."""
        after = self.read(session, text, name)
        before = self.get(session, after.id)
        return before, after if before is None else self.inherited(session, after, before)

    def of(self, session: Session, reference: str) -> ScorecardDefinition:
        """Return a version (``id @ version``) with the floors that it is under now. Raises NotFound."""
        return floored(definition_of(self.rules, session, reference), self.lab.suggesting(session))

    def inherited(
        self, session: Session, after: ScorecardDefinition, before: ScorecardDefinition
    ) -> ScorecardDefinition:
        """Return a scorecard whose items only suggest where those of ``before`` are under their floor.

        An item that judges by something else begins anew: the lab has not measured it yet.
        """
        suggesting = self.lab.suggesting(session)
        under = {i.id: judges_by(i) for i in before.items if (before.reference, i.id) in suggesting}
        return after.suggesting({item.id for item in after.items if under.get(item.id) == judges_by(item)})
