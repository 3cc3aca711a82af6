"""Judges conditions against one conversation: whether they hold, where, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import regex

from huaxiang.core.evidence import quote
from huaxiang.core.types import Evidence, Finding, FindingKind, Insights, Json, Role, Transcript, Turn, Window
from huaxiang.quality.definition import (
    AllOf,
    AnsweredCondition,
    AnyOf,
    Condition,
    FindingCondition,
    KeywordCondition,
    MetricCondition,
    Not,
    PatternCondition,
    Place,
)

PATTERN_LIMIT_S = 0.25
"""A regular expression that takes longer on one turn counts as not judged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition came to.

    ``holds`` is None where it does not apply or could not be judged, with the ``reason``.
    ``evidence`` is where it holds; ``window`` is what was searched; ``confidence`` is the
    probability that ``holds`` is right; ``doubtful`` marks one that rests on findings for review.
    """

    holds: bool | None
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    window: Window | None = None
    doubtful: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Heard:
    """One conversation as conditions see it."""

    transcript: Transcript
    insights: Insights

    def turns_in(self, place: Place, role: Role | None = None) -> list[Turn]:
        """Return the turns of a place; a turn of unknown role may be anybody's."""
        turns = self.transcript.turns
        if place.unit == "turns":
            count = int(place.amount)
            chosen = turns[:count] if place.end == "first" else turns[max(len(turns) - count, 0) :]
        elif place.unit == "percent" and place.amount >= 100:
            chosen = turns
        elif not self.transcript.timed:
            share = place.amount / 100 if place.unit == "percent" else 1.0
            count = max(1, round(len(turns) * share))
            chosen = turns[:count] if place.end == "first" else turns[-count:]
        else:
            first_ms, last_ms = self._bounds(place)
            chosen = tuple(turn for turn in turns if turn.end_ms > first_ms and turn.start_ms < last_ms)
        return [turn for turn in chosen if role is None or turn.role in (role, Role.UNKNOWN)]

    def measurable(self, place: Place) -> bool:
        """Tell whether the place can be found: seconds need audio times."""
        return self.transcript.timed or place.unit != "seconds"

    def window(self, place: Place) -> Window:
        """Return the stretch that a place covers."""
        turns = self.turns_in(place)
        first = turns[0].index if turns else 0
        last = turns[-1].index if turns else 0
        if not self.transcript.timed:
            return Window(None, None, first, last)
        start_ms, end_ms = self._bounds(place) if place.unit != "turns" else self._span(turns)
        return Window(start_ms, end_ms, first, last)

    @cached_property
    def duration_ms(self) -> int:
        """From the start of the recording to the end of the last turn."""
        return max((turn.end_ms for turn in self.transcript.turns), default=0)

    def _bounds(self, place: Place) -> tuple[int, int]:
        length = self.duration_ms
        span = place.amount * 1000 if place.unit == "seconds" else length * place.amount / 100
        return (
            (0, min(round(span), length)) if place.end == "first" else (max(length - round(span), 0), length)
        )

    def _span(self, turns: list[Turn]) -> tuple[int, int]:
        return (turns[0].start_ms, max(turn.end_ms for turn in turns)) if turns else (0, 0)


def judge(condition: Condition, heard: Heard) -> Verdict:
    """Return what a condition comes to in one conversation. Never raises for odd rules."""
    match condition:
        case FindingCondition():
            return _finding(condition, heard)
        case KeywordCondition():
            return _keywords(condition, heard)
        case PatternCondition():
            return _pattern(condition, heard)
        case MetricCondition():
            return _metric(condition, heard)
        case AnsweredCondition():
            return _answered(condition, heard)
        case Not():
            return _negated(judge(condition.part, heard))
        case AllOf():
            return _joined([judge(part, heard) for part in condition.parts], wanted=False)
        case AnyOf():
            return _joined([judge(part, heard) for part in condition.parts], wanted=True)


def _finding(condition: FindingCondition, heard: Heard) -> Verdict:
    if not heard.measurable(condition.place):
        return Verdict(None, reason="typed conversations have no seconds")
    window = heard.window(condition.place)
    hits = _hits(condition, heard)
    sure = [hit for hit in hits if not hit.for_review and hit.confidence >= condition.min_confidence]
    if len(sure) >= condition.at_least:
        strongest = sorted(sure, key=lambda hit: -hit.confidence)
        return Verdict(True, strongest[condition.at_least - 1].confidence, _quoted(strongest[:5]), window)
    if len(hits) >= condition.at_least:
        rest = [hit for hit in hits if hit not in sure]
        doubt = max(hit.confidence for hit in rest)
        return Verdict(False, 1 - doubt, _quoted(rest[:5]), window, doubtful=True)
    return Verdict(False, 1.0, (), window)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A finding that a condition looks for, with the one that has to follow it."""

    findings: tuple[Finding, ...]

    @property
    def confidence(self) -> float:
        return min(finding.confidence for finding in self.findings)

    @property
    def for_review(self) -> bool:
        return any(finding.for_review for finding in self.findings)


def _hits(condition: FindingCondition, heard: Heard) -> list[_Hit]:
    places = {turn.index for turn in heard.turns_in(condition.place, condition.role)}
    found = [
        finding
        for finding in heard.insights.findings
        if finding.kind is condition.kind and finding.label in condition.labels and finding.turn in places
    ]
    if condition.followed_by is None:
        return [_Hit((finding,)) for finding in found]
    following = _hits(condition.followed_by, heard)
    hits = []
    for finding in found:
        near = [hit for hit in following if 0 < hit.findings[0].turn - finding.turn <= condition.within_turns]
        if near:
            best = max(near, key=lambda hit: (not hit.for_review, hit.confidence))
            hits.append(_Hit((finding, *best.findings)))
    return hits


def _quoted(hits: list[_Hit]) -> tuple[Evidence, ...]:
    evidence = {finding.evidence[0]: finding.turn for hit in hits for finding in hit.findings}
    return tuple(sorted(evidence, key=lambda item: evidence[item]))


def _keywords(condition: KeywordCondition, heard: Heard) -> Verdict:
    if not heard.measurable(condition.place):
        return Verdict(None, reason="typed conversations have no seconds")
    window = heard.window(condition.place)
    evidence: dict[str, Evidence] = {}
    for turn in heard.turns_in(condition.place, condition.role):
        for word in condition.words:
            start = turn.text.find(word)
            if start >= 0 and word not in evidence:
                evidence[word] = quote(heard.transcript, turn.index, start, start + len(word))
    if len(evidence) >= condition.at_least:
        return Verdict(True, 1.0, tuple(evidence.values()), window)
    return Verdict(False, 1.0, (), window)


def _pattern(condition: PatternCondition, heard: Heard) -> Verdict:
    if not heard.measurable(condition.place):
        return Verdict(None, reason="typed conversations have no seconds")
    window = heard.window(condition.place)
    evidence = []
    try:
        for turn in heard.turns_in(condition.place, condition.role):
            hit = regex.search(condition.pattern, turn.text, timeout=PATTERN_LIMIT_S)
            if hit is None or hit.start() == hit.end():
                continue
            if condition.unless and regex.search(condition.unless, turn.text, timeout=PATTERN_LIMIT_S):
                continue
            evidence.append(quote(heard.transcript, turn.index, hit.start(), hit.end()))
    except TimeoutError:
        return Verdict(None, window=window, reason="the regular expression takes too long")
    return Verdict(bool(evidence), 1.0, tuple(evidence[:5]), window)


def _metric(condition: MetricCondition, heard: Heard) -> Verdict:
    value = metric_value(heard.insights.metrics, condition.name)
    if value is None:
        return Verdict(None, reason=f"{condition.name} was not measured")
    above = condition.above is None or value > condition.above
    below = condition.below is None or value < condition.below
    return Verdict(above and below, 1.0, (), heard.window(Place()))


def metric_value(metrics: Mapping[str, Json], name: str) -> float | None:
    """Return a metric by its dotted name (``sentiment.customer.overall``), or None."""
    value: Json = dict(metrics)
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _answered(condition: AnsweredCondition, heard: Heard) -> Verdict:
    window = heard.window(Place())
    objections = list(_of_kind(heard, FindingKind.OBJECTION))
    if not objections:
        return Verdict(None, window=window, reason="no objection came up")
    answers = [finding for finding in _of_kind(heard, FindingKind.ACT) if finding.label in condition.by]
    pairs = [
        (objection, answer)
        for objection in objections
        for answer in answers
        if 0 < answer.turn - objection.turn <= condition.within_turns
    ]
    answered = {objection.id for objection, _ in pairs}
    share = len(answered) / len(objections)
    if share >= condition.share:
        evidence = [e for objection, answer in pairs for e in (objection.evidence[0], answer.evidence[0])]
        confidence = min(max(answer.confidence for _, answer in pairs), 1.0) if pairs else 1.0
        return Verdict(True, confidence, tuple(dict.fromkeys(evidence))[:6], window)
    missed = tuple(finding.evidence[0] for finding in objections if finding.id not in answered)
    confidence = max(finding.confidence for finding in objections if finding.id not in answered)
    return Verdict(False, confidence, missed[:5], window)


def _of_kind(heard: Heard, kind: FindingKind) -> Iterator[Finding]:
    return (f for f in heard.insights.findings if f.kind is kind and not f.for_review)


def _negated(verdict: Verdict) -> Verdict:
    if verdict.holds is None:
        return verdict
    return Verdict(
        not verdict.holds,
        verdict.confidence,
        verdict.evidence,
        verdict.window,
        verdict.doubtful,
        verdict.reason,
    )


def _joined(verdicts: list[Verdict], *, wanted: bool) -> Verdict:
    """Join parts by ``any`` (``wanted`` true: one that holds decides) or ``all`` (one that does not)."""
    deciding = [verdict for verdict in verdicts if verdict.holds is wanted]
    open_parts = [verdict for verdict in verdicts if verdict.holds is None]
    if not deciding and open_parts:
        return open_parts[0]
    chosen = deciding or verdicts
    if not chosen:
        return Verdict(None, reason="the condition has no parts")
    sides = [verdict.confidence for verdict in chosen]
    window = next((verdict.window for verdict in chosen if verdict.window is not None), None)
    return Verdict(
        holds=wanted if deciding else not wanted,
        confidence=max(sides) if deciding else min(sides),
        evidence=tuple(dict.fromkeys(item for verdict in chosen for item in verdict.evidence)),
        window=window,
        doubtful=all(v.doubtful for v in chosen) if deciding else any(v.doubtful for v in chosen),
    )
