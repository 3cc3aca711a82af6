"""Judges conditions against one conversation: whether they hold, where, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from huaxiang.core.types import Evidence, Json, Turn
from huaxiang.quality.condition_types import (
    WHOLE,
    AllOf,
    AnsweredCondition,
    AnyOf,
    Condition,
    FindingCondition,
    InterruptionCondition,
    KeywordCondition,
    MetadataCondition,
    MetricCondition,
    Not,
    OnlyWhere,
    PatternCondition,
    RepetitionCondition,
    SilenceCondition,
    SimilarCondition,
    SpeechRateCondition,
)
from huaxiang.quality.heard import Heard
from huaxiang.quality.operators.findings import find_answered, find_findings
from huaxiang.quality.operators.found import Found, NotJudged
from huaxiang.quality.operators.timing import find_interruption, find_silence, find_speech_rate
from huaxiang.quality.operators.words import find_keywords, find_pattern, find_repetition, find_similar
from huaxiang.quality.places import Stretch, stretches, whole_window
from huaxiang.quality.verdicts import MOST_QUOTES, Hit, Verdict, cannot_tell, evidence_of

__all__ = ["Heard", "Verdict", "judge", "metric_value"]

Search: TypeAlias = Callable[[Any, Heard, Sequence[Turn]], Found]

_SEARCHES: Mapping[type, Search] = {
    FindingCondition: find_findings,
    KeywordCondition: find_keywords,
    PatternCondition: find_pattern,
    SimilarCondition: find_similar,
    SilenceCondition: find_silence,
    SpeechRateCondition: find_speech_rate,
    InterruptionCondition: find_interruption,
    RepetitionCondition: find_repetition,
    AnsweredCondition: find_answered,
}


def judge(condition: Condition, heard: Heard) -> Verdict:
    """Return what a condition comes to in one conversation. Never raises for odd rules."""
    known = heard.judged.get(id(condition))
    if known is not None and known[0] is condition:
        return known[1]
    verdict = _judged(condition, heard)
    heard.judged[id(condition)] = (condition, verdict)
    return verdict


def _judged(condition: Condition, heard: Heard) -> Verdict:
    match condition:
        case MetricCondition():
            return _metric(condition, heard)
        case MetadataCondition():
            return _metadata(condition, heard)
        case Not():
            return _negated(judge(condition.part, heard))
        case AllOf():
            return _joined([judge(part, heard) for part in condition.parts], wanted=False)
        case AnyOf():
            return _joined([judge(part, heard) for part in condition.parts], wanted=True)
        case OnlyWhere():
            applies = judge(condition.applies, heard)
            if applies.holds is not True:
                return cannot_tell("not_applicable", window=applies.window)
            return judge(condition.part, heard)
        case _:
            return _searched(condition, heard)


def _searched(condition: Condition, heard: Heard) -> Verdict:
    found = stretches(getattr(condition, "place", WHOLE), heard, judge)
    if isinstance(found, Verdict):
        return found
    search = _SEARCHES[type(condition)]
    verdicts = [_in_stretch(condition, search, stretch, heard) for stretch in found]
    return verdicts[0] if len(verdicts) == 1 else _each(verdicts)


def _in_stretch(condition: Condition, search: Search, stretch: Stretch, heard: Heard) -> Verdict:
    try:
        found = search(condition, heard, stretch.turns)
    except NotJudged as reason:
        return cannot_tell(reason.code, reason.detail, stretch.window)
    # What was missed beside a hit is heard from that hit on.
    shown = found.shown or (() if found.holds or stretch.anchor is None else (stretch.anchor,))
    return Verdict(
        found.holds,
        found.confidence,
        evidence_of(heard, shown),
        stretch.window,
        found.doubtful,
        hits=found.hits,
    )


def _each(verdicts: list[Verdict]) -> Verdict:
    """Join the verdicts beside each hit: the first that fails decides."""
    for verdict in verdicts:
        if verdict.holds is not True:
            return verdict
    return Verdict(
        True,
        min(verdict.confidence for verdict in verdicts),
        _together(verdicts)[:MOST_QUOTES],
        verdicts[0].window,
        hits=tuple(hit for verdict in verdicts for hit in verdict.hits),
    )


def _metric(condition: MetricCondition, heard: Heard) -> Verdict:
    value = metric_value(heard.insights.metrics, condition.name)
    if value is None:
        return cannot_tell("metric_missing", condition.name)
    return Verdict(_within(value, condition.above, condition.below), 1.0, (), whole_window(heard))


def metric_value(metrics: Mapping[str, Json], name: str) -> float | None:
    """Return a metric by its dotted name (``sentiment.customer.overall``), or None.

    Of a list (``interruption``) the ``count`` is a metric.
    """
    value: Json = dict(metrics)
    for part in name.split("."):
        if part == "count" and isinstance(value, Sequence) and not isinstance(value, str):
            value = len(value)
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _metadata(condition: MetadataCondition, heard: Heard) -> Verdict:
    value = heard.told.get(condition.name)
    window = whole_window(heard)
    if condition.exists is not None:
        return Verdict((value is not None) is condition.exists, 1.0, (), window)
    if value is None:
        return cannot_tell("fact_missing", condition.name)
    if condition.values:
        entries = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        holds = any(_as_written(entry) in condition.values for entry in entries)
        return Verdict(holds, 1.0, (), window)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return cannot_tell("fact_missing", condition.name)
    return Verdict(_within(float(value), condition.above, condition.below), 1.0, (), window)


def _as_written(value: Json) -> str:
    """Return a fact as a rule writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _within(value: float, above: float | None, below: float | None) -> bool:
    return (above is None or value > above) and (below is None or value < below)


def _negated(verdict: Verdict) -> Verdict:
    if verdict.holds is None:
        return verdict
    return Verdict(not verdict.holds, verdict.confidence, verdict.evidence, verdict.window, verdict.doubtful)


def _joined(verdicts: list[Verdict], *, wanted: bool) -> Verdict:
    """Join parts by ``any`` (``wanted`` true: one that holds decides) or ``all`` (one that does not)."""
    deciding = [verdict for verdict in verdicts if verdict.holds is wanted]
    open_parts = [verdict for verdict in verdicts if verdict.holds is None]
    if not deciding and open_parts:
        return open_parts[0]
    chosen = deciding or verdicts
    if not chosen:
        return cannot_tell("no_parts")
    sides = [verdict.confidence for verdict in chosen]
    window = next((verdict.window for verdict in chosen if verdict.window is not None), None)
    holds = wanted if deciding else not wanted
    return Verdict(
        holds=holds,
        confidence=max(sides) if deciding else min(sides),
        evidence=_together(chosen),
        window=window,
        doubtful=all(v.doubtful for v in chosen) if deciding else any(v.doubtful for v in chosen),
        hits=_hits_together(chosen) if holds else (),
    )


def _together(verdicts: Sequence[Verdict]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(item for verdict in verdicts for item in verdict.evidence))


def _hits_together(verdicts: Sequence[Verdict]) -> tuple[Hit, ...]:
    return tuple(sorted((hit for verdict in verdicts for hit in verdict.hits), key=lambda hit: hit.turn))
