"""How a party's sentiment runs over its own speaking span, from -5 to +5."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from huaxiang.core.types import Finding, FindingKind, Role, Sentiment
from huaxiang.nlp.metrics.language import characters_read
from huaxiang.nlp.metrics.speech import Speech

QUARTERS = 4
SCALE = 5.0
_SCORES = {Sentiment.NEGATIVE: -1, Sentiment.NEUTRAL: 0, Sentiment.POSITIVE: 1}


@dataclass(frozen=True, slots=True)
class Mood:
    """Sentiment by quarter of a party's span (``None`` where it was silent), overall, and its change."""

    quarters: tuple[float | None, ...]
    overall: float
    change: float | None


def mood(spoken: Sequence[Speech], role: Role, scores: Mapping[int, int]) -> Mood | None:
    """Return a party's mood; ``None`` where it says nothing.

    A quarter's value is 5·Σ(weight·score)/Σweight over the turns that begin in it, the weight being
    the characters said, the score -1, 0 or 1 (``scores`` by turn, others are neutral). ``overall``
    is the mean of the quarters that were spoken in, ``change`` the last minus the first.
    """
    turns = [speech for speech in spoken if speech.role is role and characters_read(speech.text) > 0]
    if not turns:
        return None
    begin, end = turns[0].start_ms, max(speech.end_ms for speech in turns)
    weights, sums = [0] * QUARTERS, [0] * QUARTERS
    for speech in turns:
        quarter = min(QUARTERS - 1, (speech.start_ms - begin) * QUARTERS // (end - begin))
        weight = characters_read(speech.text)
        weights[quarter] += weight
        sums[quarter] += weight * scores.get(speech.turn, 0)
    quarters = tuple(
        SCALE * total / weight if weight else None for total, weight in zip(sums, weights, strict=True)
    )
    first, last = quarters[0], quarters[-1]
    return Mood(
        quarters=quarters,
        overall=mean(value for value in quarters if value is not None),
        change=None if first is None or last is None else last - first,
    )


def sentiment_scores(findings: Iterable[Finding]) -> dict[int, int]:
    """Return -1 or 1 for every turn with a sentiment finding; the most confident one counts.

    A finding that is for review is no more than an offer, and its turn stays neutral.
    """
    best: dict[int, tuple[float, int]] = {}
    for finding in findings:
        if finding.kind is FindingKind.SENTIMENT and not finding.for_review:
            scored = (finding.confidence, _SCORES[Sentiment(finding.label)])
            best[finding.turn] = max(best.get(finding.turn, scored), scored)
    return {turn: score for turn, (_, score) in best.items()}
