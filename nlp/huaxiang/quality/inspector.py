"""质检: scores one conversation by a scorecard, with the grounds of every judgement."""

from __future__ import annotations

from collections.abc import Sequence

from huaxiang.core.types import (
    Insights,
    Role,
    Scorecard,
    ScorecardItem,
    ScorecardSection,
    Skipped,
    Transcript,
)
from huaxiang.quality.conditions import judge
from huaxiang.quality.definition import Item, ScorecardDefinition
from huaxiang.quality.heard import Heard, Likeness, Told
from huaxiang.quality.totals import Totals, points_of, total
from huaxiang.quality.verdicts import Verdict, cannot_tell, reason_text

FLOOR_OF_KNOWN_SPEECH = 0.5
"""Under this share of speech with a known speaker a score is for review, not final."""
MOST_EVIDENCE = 12
"""So many quotes stand under one item at most."""


class Inspector:
    """Applies one scorecard."""

    def __init__(self, definition: ScorecardDefinition) -> None:
        self._definition = definition

    @property
    def definition(self) -> ScorecardDefinition:
        """The scorecard that is applied."""
        return self._definition

    def inspect(
        self,
        transcript: Transcript,
        insights: Insights,
        told: Told | None = None,
        likeness: Likeness | None = None,
    ) -> Scorecard:
        """Return the automatic score.

        The points add up by ``huaxiang.quality.totals.total``. Where too little speech has a known
        speaker, every item is for review and the scorecard says so. ``told`` is what is known about the
        recording, ``likeness`` compares meanings; without them conditions on either cannot be told.
        """
        return self.score(Heard(transcript, insights, told or Told(), likeness))

    def score(self, heard: Heard) -> Scorecard:
        """Return the automatic score of what was heard; several inspectors may share it."""
        definition = self._definition
        unsure = roles_in_doubt(heard.transcript)
        verdicts = {item.id: verdict_of(item, heard) for item in definition.items}
        outcomes = {item.id: outcome_of(item, verdicts[item.id]) for item in definition.items}
        totals = total(definition, outcomes)
        return Scorecard(
            definition=definition.reference,
            score=totals.score,
            possible=totals.possible,
            items=tuple(
                _item(item, verdicts[item.id], outcomes[item.id], unsure) for item in definition.items
            ),
            auto_failed=totals.auto_failed,
            skipped=_skipped(heard.transcript, unsure),
            title=definition.title_zh,
            title_en=definition.title_en,
            sections=sections_of(totals),
            grade=totals.grade.title_zh if totals.grade else "",
            grade_en=totals.grade.title_en if totals.grade else "",
            grade_id=totals.grade.id if totals.grade else "",
        )


def inspect_all(definitions: Sequence[ScorecardDefinition], heard: Heard) -> tuple[Scorecard, ...]:
    """Return the scorecards of one conversation; what they share is judged once."""
    return tuple(Inspector(definition).score(heard) for definition in definitions)


def verdict_of(item: Item, heard: Heard) -> Verdict:
    """Return what an item's condition comes to, or why the item does not apply."""
    if not heard.turns:
        return cannot_tell("no_turns")
    if item.applies is not None:
        applies = judge(item.applies, heard)
        if applies.holds is not True:
            return cannot_tell("not_applicable", window=applies.window)
    return judge(item.condition, heard)


def outcome_of(item: Item, verdict: Verdict) -> bool | None:
    """Return whether the item passed; None where it does not apply or could not be told."""
    if verdict.holds is None:
        return None
    return verdict.holds is not item.forbidden


def sections_of(totals: Totals) -> tuple[ScorecardSection, ...]:
    """Return the sections of a score as they are stored and shown."""
    return tuple(
        ScorecardSection(
            section.id,
            section.title_zh,
            section.title_en,
            section.score,
            section.possible,
            section.auto_failed,
            section.weight,
        )
        for section in totals.sections
    )


def needs_review(item: Item, verdict: Verdict, passed: bool | None, unsure: bool) -> bool:
    """Tell whether a person should look at an item: what it stands on is in doubt, or it only suggests."""
    if verdict.doubtful or (unsure and passed is not None):
        return True
    return item.suggest_only and passed is False


def roles_in_doubt(transcript: Transcript) -> bool:
    """Tell whether too little of the speech has a known speaker for a score that is final."""
    return _known_share(transcript) < FLOOR_OF_KNOWN_SPEECH


def _item(item: Item, verdict: Verdict, passed: bool | None, unsure: bool) -> ScorecardItem:
    points, possible = points_of(item, passed)
    return ScorecardItem(
        id=item.id,
        title=item.title_zh,
        title_en=item.title_en,
        section=item.section,
        passed=passed,
        points=points,
        possible=possible,
        confidence=round(verdict.confidence, 4),
        evidence=verdict.evidence[:MOST_EVIDENCE],
        window=verdict.window,
        auto_fail=item.auto_fail,
        for_review=needs_review(item, verdict, passed, unsure),
        reason=reason_text(verdict.code, verdict.detail) if verdict.code else "",
        reason_code=verdict.code,
        reason_detail=verdict.detail,
        suggest_only=item.suggest_only,
    )


def _known_share(transcript: Transcript) -> float:
    weights = [(turn.role is not Role.UNKNOWN, len(turn.text)) for turn in transcript.turns]
    total = sum(weight for _, weight in weights)
    return sum(weight for known, weight in weights if known) / total if total else 0.0


def _skipped(transcript: Transcript, unsure: bool) -> tuple[Skipped, ...]:
    if not transcript.turns:
        return (Skipped("scorecard", "no_turns", "nothing was said, so nothing is judged"),)
    if unsure:
        return (
            Skipped(
                "scorecard", "roles_unknown", "who speaks is not known: the score is a proposal for review"
            ),
        )
    return ()
