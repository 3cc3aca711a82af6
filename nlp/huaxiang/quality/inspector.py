"""质检: scores one conversation by a scorecard, with the grounds of every judgement."""

from __future__ import annotations

from huaxiang.core.types import Insights, Role, Scorecard, ScorecardItem, Skipped, Transcript
from huaxiang.quality.conditions import Heard, Verdict, judge
from huaxiang.quality.definition import Item, ScorecardDefinition

FLOOR_OF_KNOWN_SPEECH = 0.5
"""Under this share of speech with a known speaker a score is for review, not final."""


class Inspector:
    """Applies one scorecard."""

    def __init__(self, definition: ScorecardDefinition) -> None:
        self._definition = definition

    def inspect(self, transcript: Transcript, insights: Insights) -> Scorecard:
        """Return the automatic score.

        The score is the points earned by the applicable items less those that faults cost, never
        under 0; ``possible`` leaves out what does not apply. An item with ``auto_fail`` that fails
        takes the whole score. Where too little speech has a known speaker, every item is for review
        and the scorecard says so.
        """
        heard = Heard(transcript, insights)
        unsure = _known_share(transcript) < FLOOR_OF_KNOWN_SPEECH
        items = tuple(_item(item, _verdict(item, heard), unsure) for item in self._definition.items)
        auto_failed = any(item.auto_fail and item.passed is False for item in items)
        earned = sum(item.points for item in items)
        return Scorecard(
            definition=self._definition.reference,
            score=0.0 if auto_failed else round(max(earned, 0.0), 2),
            possible=round(sum(item.possible for item in items if item.passed is not None), 2),
            items=items,
            auto_failed=auto_failed,
            skipped=_skipped(transcript, unsure),
        )


def _verdict(item: Item, heard: Heard) -> Verdict:
    if item.applies is not None and judge(item.applies, heard).holds is not True:
        return Verdict(None, reason="it does not apply: nothing of what it is about came up")
    return judge(item.condition, heard)


def _item(item: Item, verdict: Verdict, unsure: bool) -> ScorecardItem:
    passed = verdict.holds if verdict.holds is None or not item.forbidden else not verdict.holds
    earns = 0.0 if item.forbidden else item.points
    costs = -item.points if item.forbidden else 0.0
    return ScorecardItem(
        id=item.id,
        title=item.title_zh,
        passed=passed,
        points={True: earns, False: costs, None: 0.0}[passed],
        possible=0.0 if passed is None else earns,
        confidence=round(verdict.confidence, 4),
        evidence=verdict.evidence,
        window=verdict.window,
        auto_fail=item.auto_fail,
        for_review=verdict.doubtful or (unsure and passed is not None),
        reason=verdict.reason,
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
