"""Searches for what was understood: intents, objections, acts, sentiment, entities and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from huaxiang.core.types import Finding, FindingKind, Turn
from huaxiang.quality.condition_types import AnsweredCondition, FindingCondition
from huaxiang.quality.heard import Heard, spoken_by
from huaxiang.quality.operators.found import Found, NotJudged
from huaxiang.quality.verdicts import Hit


def find_findings(condition: FindingCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find findings of a kind; those for review, or below the confidence asked for, only raise a doubt."""
    hits = _hits(condition, heard, turns)
    sure = [hit for hit in hits if not hit.for_review and hit.confidence >= condition.min_confidence]
    if len(sure) >= condition.at_least:
        strongest = sorted(sure, key=lambda hit: -hit.confidence)
        confidence = strongest[condition.at_least - 1].confidence
        return Found(True, tuple(sure), tuple(strongest), confidence)
    if len(hits) >= condition.at_least:
        kept = {id(hit) for hit in sure}
        rest = [hit for hit in hits if id(hit) not in kept]
        return Found(False, (), tuple(rest), 1 - max(hit.confidence for hit in rest), doubtful=True)
    return Found(False)


def _hits(condition: FindingCondition, heard: Heard, turns: Sequence[Turn]) -> list[Hit]:
    candidates = [
        finding
        for finding in heard.findings(condition.kind)
        if condition.any_label or finding.label in condition.labels
    ]
    if not candidates:
        return []
    places = {turn.index for turn in turns if spoken_by(turn, condition.role)}
    found = [finding for finding in candidates if finding.turn in places]
    if condition.followed_by is None:
        return [Hit(f.turn, (f.evidence[0],), f.confidence, f.for_review) for f in found]
    following = _hits(condition.followed_by, heard, heard.turns)
    hits = []
    for finding in found:
        near = [hit for hit in following if 0 < hit.turn - finding.turn <= condition.within_turns]
        if near:
            best = max(near, key=lambda hit: (not hit.for_review, hit.confidence))
            hits.append(
                Hit(
                    finding.turn,
                    (finding.evidence[0], *best.quotes),
                    min(finding.confidence, best.confidence),
                    finding.for_review or best.for_review,
                )
            )
    return hits


def find_answered(condition: AnsweredCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find the objections that were answered in time; where too few were, the others are quoted."""
    objections = list(_sure(heard, FindingKind.OBJECTION))
    if not objections:
        raise NotJudged("no_objection")
    answers = [finding for finding in _sure(heard, FindingKind.ACT) if finding.label in condition.by]
    pairs = [
        (objection, answer)
        for objection in objections
        for answer in answers
        if 0 < answer.turn - objection.turn <= condition.within_turns
    ]
    answered = {objection.id for objection, _ in pairs}
    if len(answered) / len(objections) >= condition.share:
        hits = tuple(
            Hit(objection.turn, (objection.evidence[0], answer.evidence[0]), answer.confidence)
            for objection, answer in pairs
        )
        confidence = max((answer.confidence for _, answer in pairs), default=1.0)
        return Found(True, hits, hits, confidence)
    missed = [finding for finding in objections if finding.id not in answered]
    shown = tuple(Hit(f.turn, (f.evidence[0],), f.confidence) for f in missed)
    return Found(False, (), shown, max(finding.confidence for finding in missed))


def _sure(heard: Heard, kind: FindingKind) -> Iterator[Finding]:
    return (finding for finding in heard.findings(kind) if not finding.for_review)
