"""Writes a conversation as the annotation guideline has it: one object with its labels. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from huaxiang.core.types import Finding, FindingKind, Insights, Json, Recording, Scorecard, Transcript, Turn
from huaxiang.nlp.labels import FORBIDDEN_ACTS, QA_ITEMS
from huaxiang.quality.review.final_score import FinalScore

WITH_VALUE = frozenset({"money", "number", "phone"})
"""Entities for which the guideline asks for the normalised value."""


def labelled_conversation(
    recording: Recording,
    transcript: Transcript,
    insights: Insights,
    scorecards: Sequence[Scorecard],
    finals: Mapping[str, FinalScore],
    corrected_turns: Collection[int],
) -> dict[str, Json]:
    """Return a conversation in the guideline's format.

    Findings for review, which no person confirmed, are left out. ``outcome`` and ``industry`` are null and
    empty, as nobody told them. ``corrected_turns`` are those that people put right; readers of the format
    pass over that key.
    """
    sure = [one for one in insights.findings if not one.for_review]
    by_turn: dict[int, list[Finding]] = {}
    for finding in sure:
        by_turn.setdefault(finding.turn, []).append(finding)
    setting = recording.metadata.setting
    return {
        "id": recording.id,
        "industry": "",
        "channel": setting.value if setting else None,
        "scenario": "",
        "outcome": None,
        "turns": [_turn(turn, by_turn.get(turn.index, ())) for turn in transcript.turns],
        "call": _call(sure, scorecards, finals),
        "corrected_turns": sorted(corrected_turns),
    }


def _turn(turn: Turn, findings: Sequence[Finding]) -> dict[str, Json]:
    objection = _surest(findings, FindingKind.OBJECTION)
    sentiment = _surest(findings, FindingKind.SENTIMENT)
    return {
        "role": turn.role.value,
        "text": turn.text,
        "acts": _labels(findings, FindingKind.ACT),
        "intents": _labels(findings, FindingKind.INTENT),
        "objection": objection.label if objection else None,
        "sentiment": sentiment.label if sentiment else "neutral",
        "entities": [_entity(one) for one in findings if one.kind is FindingKind.ENTITY],
    }


def _labels(findings: Sequence[Finding], kind: FindingKind) -> list[Json]:
    return list(dict.fromkeys(one.label for one in findings if one.kind is kind))


def _surest(findings: Sequence[Finding], kind: FindingKind) -> Finding | None:
    """Return the finding of a kind that is surest, which of several is the one that the format takes."""
    of_kind = [one for one in findings if one.kind is kind]
    return max(of_kind, key=lambda one: one.confidence, default=None)


def _entity(finding: Finding) -> dict[str, Json]:
    document: dict[str, Json] = {"type": finding.label, "text": finding.evidence[0].quote}
    value = finding.value
    if isinstance(value, Mapping):
        value = value.get("value")
    if finding.label in WITH_VALUE and isinstance(value, str | int | float):
        document["value"] = value
    return document


def _call(
    findings: Sequence[Finding], scorecards: Sequence[Scorecard], finals: Mapping[str, FinalScore]
) -> dict[str, Json]:
    step = next((one for one in findings if one.kind is FindingKind.NEXT_STEP), None)
    forbidden = {one.label for one in findings if one.kind is FindingKind.ACT} & set(FORBIDDEN_ACTS)
    qa: dict[str, Json] = dict(_items(scorecards, finals))
    qa["forbidden"] = [act for act in FORBIDDEN_ACTS if act in forbidden]
    return {
        "next_step": {
            "text": step.evidence[0].quote if step else "",
            "kind": step.label if step else "none",
        },
        "competitors": _values(findings, FindingKind.COMPETITOR),
        "products": _values(findings, FindingKind.PRODUCT),
        "needs": _values(findings, FindingKind.NEED),
        "decision_maker": any(
            one.kind is FindingKind.DECISION_MAKER and one.label == "customer" for one in findings
        ),
        "qa": qa,
    }


def _items(scorecards: Sequence[Scorecard], finals: Mapping[str, FinalScore]) -> Mapping[str, bool | None]:
    """Return what the guideline's items came to after reviews, by the first scorecard that has each."""
    found: dict[str, bool | None] = {}
    for scorecard in scorecards:
        final = finals.get(scorecard.definition)
        held = {item.id: item.final.passed for item in final.items} if final else {}
        for item in scorecard.items:
            if item.id in QA_ITEMS:
                found.setdefault(item.id, held.get(item.id, item.passed))
    return found


def _values(findings: Sequence[Finding], kind: FindingKind) -> list[Json]:
    said = (
        one.value if isinstance(one.value, str) else one.evidence[0].quote
        for one in findings
        if one.kind is kind
    )
    return list(dict.fromkeys(said))
