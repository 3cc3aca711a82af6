"""Turns the labels of turns into findings with evidence, doubted where hearing or speaker is in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from huaxiang.core.evidence import quote
from huaxiang.core.types import Evidence, Finding, FindingKind, Transcript, Turn
from huaxiang.nlp.classifier import LabelScore, TurnLabels, role_in_doubt

TRUSTED_WORD_CONFIDENCE = 0.7
"""Words recognised with at least this confidence do not lower a finding's own."""


def turn_findings(transcript: Transcript, labels: Sequence[TurnLabels], source: str) -> tuple[Finding, ...]:
    """Return what the labels claim: intents, objections and acts, and sentiment other than neutral.

    ``labels`` belong to the transcript's turns, in order. A finding's confidence is the label's
    probability, lowered by doubt about recognition and speaker; under the label's floor it is for
    review.
    """
    return tuple(
        finding
        for place, (turn, found) in enumerate(zip(transcript.turns, labels, strict=True))
        for finding in _of_turn(transcript, place, turn, found, source)
    )


def _of_turn(
    transcript: Transcript, place: int, turn: Turn, labels: TurnLabels, source: str
) -> Iterator[Finding]:
    for kind, score in _claims(labels):
        evidence = quote(transcript, place, score.char_start, score.char_end)
        confidence = score.probability * hearing(turn, evidence) * speaker(turn, kind)
        yield Finding(
            kind=kind,
            label=score.label,
            confidence=round(confidence, 4),
            source=source,
            evidence=(evidence,),
            for_review=confidence < score.floor,
        )


def _claims(labels: TurnLabels) -> Iterator[tuple[FindingKind, LabelScore]]:
    for score in labels.intents:
        if score.chosen:
            yield FindingKind.INTENT, score
    if labels.objection is not None and labels.objection.chosen:
        yield FindingKind.OBJECTION, labels.objection
    if labels.sentiment is not None and labels.sentiment.chosen and labels.sentiment.label != "neutral":
        yield FindingKind.SENTIMENT, labels.sentiment
    for score in labels.acts:
        if score.chosen:
            yield FindingKind.ACT, score


def hearing(turn: Turn, evidence: Evidence) -> float:
    """Return how far the quoted words may be trusted (0–1): 1 for typed turns and words heard well."""
    if not turn.words or evidence.start_ms is None or evidence.end_ms is None:
        return 1.0
    heard = [
        word.confidence
        for word in turn.words
        if word.start_ms < evidence.end_ms and word.end_ms > evidence.start_ms
    ]
    if not heard:
        return 1.0
    return min(1.0, sum(heard) / len(heard) / TRUSTED_WORD_CONFIDENCE)


def speaker(turn: Turn, kind: FindingKind) -> float:
    """Return how sure it is that the right party speaks: labels of a role are doubted with the role.

    A turn whose role is in doubt has that doubt in the label's probability already.
    """
    if role_in_doubt(turn) or kind is FindingKind.SENTIMENT:
        return 1.0
    return turn.role_confidence
