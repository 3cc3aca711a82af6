"""Applies corrections: the transcript and insights as people say they are, every quote still in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from huaxiang.core.evidence import quote
from huaxiang.core.types import Evidence, Finding, FindingKind, Insights, Role, Skipped, Transcript, Turn
from huaxiang.nlp import call_story, conversation_level, objection_course
from huaxiang.nlp.metrics import conversation_metrics
from huaxiang.quality.review.corrections import Change, Correction, CorrectionKind, standing

SAID_BY: dict[FindingKind, Role] = {
    FindingKind.INTENT: Role.CUSTOMER,
    FindingKind.OBJECTION: Role.CUSTOMER,
    FindingKind.ACT: Role.AGENT,
}
"""Kinds that only one party can say (annotation guideline)."""
OF_TURNS = frozenset(
    {
        FindingKind.INTENT,
        FindingKind.OBJECTION,
        FindingKind.SENTIMENT,
        FindingKind.ACT,
        FindingKind.ENTITY,
    }
)
KEPT_SHARE = 1 / 3
_DRAWN_BY = (conversation_level.SOURCE, objection_course.SOURCE, call_story.SOURCE)


def corrected(
    transcript: Transcript, insights: Insights, corrections: Sequence[Correction]
) -> tuple[Transcript, Insights]:
    """Return the corrected form; without corrections in force it is the form that was given.

    Quotes follow a changed text; a finding whose words are gone, or that the other party cannot say,
    is left out. What is drawn from other findings is drawn anew, and metrics are measured anew. A
    correction of a turn or words that are not there any more is told in ``skipped``.
    """
    in_force = standing(corrections).in_force
    if not in_force:
        return transcript, insights
    form = _Form(transcript, list(insights.findings), {turn.index: turn.text for turn in transcript.turns})
    of_turns = [one for one in in_force if _is_of_turns(one.change)]
    for one in of_turns:
        form.apply(one)
    if of_turns:
        form.draw_anew()
    for one in in_force:
        if one not in of_turns:
            form.apply(one)
    metrics, skipped = dict(insights.metrics), insights.skipped
    if form.measures_change:
        measured, unmeasured = conversation_metrics(form.transcript, form.findings)
        names = {one.feature for one in unmeasured} | measured.keys()
        metrics = {**{k: v for k, v in metrics.items() if k not in names}, **measured}
        skipped = (*(one for one in skipped if one.feature not in names), *unmeasured)
    found = tuple(sorted(form.findings, key=lambda finding: finding.turn))
    return form.transcript, replace(
        insights, findings=found, metrics=metrics, skipped=(*skipped, *form.stale)
    )


def corrected_transcript(transcript: Transcript, corrections: Sequence[Correction]) -> Transcript:
    """Return what was said as people put it right; what was found is not needed for that."""
    return corrected(transcript, Insights((), {}), corrections)[0]


def _is_of_turns(change: Change) -> bool:
    """Tell whether a change is about turns or findings of single turns, not about what is drawn from them."""
    kind = change.finding.kind if change.finding else change.finding_kind
    return kind is None or kind in OF_TURNS


@dataclass
class _Form:
    """The form while corrections are applied to it, one after another."""

    transcript: Transcript
    findings: list[Finding]
    automatic: Mapping[int, str]
    stale: list[Skipped] = field(default_factory=list)
    measures_change: bool = False

    def apply(self, correction: Correction) -> None:
        change = correction.change
        match change.kind:
            case CorrectionKind.TURN_TEXT | CorrectionKind.TURN_ROLE:
                done = self._turn(correction)
            case CorrectionKind.FINDING_MISSED:
                done = self._missed(correction)
            case _:
                done = self._finding(correction)
        if not done:
            message = f"correction {correction.sequence} is about something that is not there any more"
            self.stale.append(Skipped("corrections", "stale_correction", message))

    def draw_anew(self) -> None:
        """Draw again what stands on other findings; what is as before keeps its id."""
        base = [finding for finding in self.findings if not finding.source.startswith(_DRAWN_BY)]
        before = {_said(one): one.id for one in self.findings if one.source.startswith(_DRAWN_BY)}
        drawn = list(conversation_level.conversation_findings(self.transcript, base))
        drawn += objection_course.objection_courses(self.transcript, [*base, *drawn])
        drawn += call_story.call_story(self.transcript, [*base, *drawn])
        self.findings = base + [
            replace(finding, id=before[_said(finding)]) if _said(finding) in before else finding
            for finding in drawn
        ]

    def _turn(self, correction: Correction) -> bool:
        change = correction.change
        place = self._place(change.turn)
        if place is None or change.turn is None:
            return False
        if correction.before.get("text") not in (None, self.automatic[change.turn]):
            return False
        before = self.transcript.turns[place]
        after = before
        if change.kind is CorrectionKind.TURN_TEXT and change.text is not None:
            after = replace(before, text=change.text.strip())
        if change.kind is CorrectionKind.TURN_ROLE and change.role is not None:
            after = replace(before, role=change.role, role_confidence=1.0)
        turns = (*self.transcript.turns[:place], after, *self.transcript.turns[place + 1 :])
        self.transcript = replace(self.transcript, turns=turns)
        self.findings = list(self._followed(before, after, place))
        self.measures_change = True
        return True

    def _followed(self, before: Turn, after: Turn, place: int) -> Iterable[Finding]:
        for finding in self.findings:
            if finding.turn == after.index and SAID_BY.get(finding.kind, after.role) is not after.role:
                continue
            if before.text == after.text or all(one.turn != after.index for one in finding.evidence):
                yield finding
                continue
            moved = [
                one if one.turn != after.index else self._moved(one, before.text, after.text, place)
                for one in finding.evidence
            ]
            kept = tuple(one for one in moved if one is not None)
            if moved[0] is not None:
                yield replace(finding, evidence=kept)

    def _moved(self, evidence: Evidence, before: str, after: str, place: int) -> Evidence | None:
        span = moved_span(before, after, evidence.char_start, evidence.char_end)
        return None if span is None else quote(self.transcript, place, *span)

    def _missed(self, correction: Correction) -> bool:
        change = correction.change
        place = self._place(change.turn)
        if place is None or change.finding_kind is None or change.label is None:
            return False
        turn = self.transcript.turns[place]
        start, end = change.char_start or 0, change.char_end or 0
        if change.heard is not None and change.heard != turn.text:
            span = moved_span(change.heard, turn.text, start, end)
            if span is None:
                return False
            start, end = span
        if not 0 <= start < end <= len(turn.text):
            return False
        self.findings.append(
            Finding(
                kind=change.finding_kind,
                label=change.label,
                confidence=1.0,
                source=source_of(correction),
                evidence=(quote(self.transcript, place, start, end),),
                value=change.value,
                id=correction.id,
            )
        )
        self.measures_change |= change.finding_kind is FindingKind.SENTIMENT
        return True

    def _finding(self, correction: Correction) -> bool:
        change = correction.change
        target = change.finding
        if target is None:
            return False
        found = next((one for one in self.findings if one.id == target.id), None)
        found = found or next((one for one in self.findings if target.matches(one)), None)
        if found is None:
            # What is said to be wrong and is not there is as it should be.
            return change.kind is CorrectionKind.FINDING_WRONG
        self.findings.remove(found)
        sure = replace(found, confidence=1.0, for_review=False)
        if change.kind is CorrectionKind.FINDING_RIGHT:
            self.findings.append(sure)
        elif change.kind is CorrectionKind.FINDING_LABEL and change.label is not None:
            self.findings.append(replace(sure, label=change.label, source=source_of(correction)))
        self.measures_change |= found.kind is FindingKind.SENTIMENT
        return True

    def _place(self, index: int | None) -> int | None:
        """Return where the turn of an index stands."""
        places = {turn.index: place for place, turn in enumerate(self.transcript.turns)}
        return None if index is None else places.get(index)


def source_of(correction: Correction) -> str:
    """Return the source of a finding that a person gave: ``correction @`` and its id."""
    return f"correction @ {correction.id}"


def moved_span(before: str, after: str, char_start: int, char_end: int) -> tuple[int, int] | None:
    """Return where the words of a span stand in a changed text; None where they are gone.

    Words are the same where at least ``KEPT_SHARE`` of their characters are: a homophone put right
    (产贷 for 房贷) keeps its finding, another sentence does not.
    """
    if (char_start, char_end) == (0, len(before)):
        return (0, len(after)) if after else None
    first: int | None = None
    last = kept = 0
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for kind, old_start, old_end, new_start, new_end in blocks:
        start, end = max(old_start, char_start), min(old_end, char_end)
        if start >= end or new_start == new_end:
            continue
        if kind == "equal":
            begins, ends = new_start + start - old_start, new_start + end - old_start
            kept += end - start
        else:
            begins, ends = new_start, new_end
        first = begins if first is None else first
        last = ends
    if first is None or kept < KEPT_SHARE * (char_end - char_start):
        return None
    return first, last


def _said(finding: Finding) -> tuple[FindingKind, str, int, str]:
    return finding.kind, finding.label, finding.turn, finding.evidence[0].quote
