"""How a conversation went as a whole: its stages, its key moments, who decides, the budget, a summary.

All of it is drawn from findings of turns and says so: each has the evidence of what it is drawn from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from huaxiang.core.evidence import quote
from huaxiang.core.types import Evidence, Finding, FindingKind, Json, Role, Transcript, Turn
from huaxiang.nlp.drawn import drawn
from huaxiang.nlp.labels import FORBIDDEN_ACTS
from huaxiang.nlp.objection_course import places_of

SOURCE = "call-story @ 1"
STAGES: Mapping[str, frozenset[str]] = {
    "opening": frozenset({"greeting", "self_intro", "purpose", "permission"}),
    "discovery": frozenset({"need_discovery", "recap"}),
    "presentation": frozenset({"pitch", "value_evidence", "quote"}),
    "objections": frozenset({"objection_handling", "empathy"}),
    "closing": frozenset({"trial_close", "next_step", "farewell"}),
}
"""The stages of a conversation, and the seller's acts that tell them."""

LEAST_STAGE_TURNS = 2
SUMMARY_PARTS: tuple[tuple[str, FindingKind, frozenset[str] | None], ...] = (
    ("purpose", FindingKind.ACT, frozenset({"purpose"})),
    ("need", FindingKind.NEED, None),
    ("objection", FindingKind.OBJECTION, None),
    ("answer", FindingKind.ACT, frozenset({"objection_handling"})),
    ("competitor", FindingKind.INTENT, frozenset({"compare_competitor"})),
    ("next_step", FindingKind.NEXT_STEP, None),
)
_RULE_CONFIDENCE = 0.8
_DECIDES = re.compile("我(?:自己)?(?:就)?(?:能|可以)?(?:做主|说了算|拍板|定就行|就能定)")
_OTHER_DECIDES = re.compile(
    "(?:问|跟|和|请示|听|等|得|要)(?P<who>(?:我们|我|咱们|咱)?"
    "(?:老板|领导|老公|老婆|爱人|先生|太太|媳妇|父母|爸妈|家里人|家里|家人|总部|董事会|合伙人|经理|财务|采购|[一-龥]总))"
    "[^，。？！]{0,6}(?:商量|同意|批|点头|决定|定|说了算|拍板|汇报|看看)"
)
_BUDGET = re.compile("预算")
_BUDGET_REACH_CHARS = 8


def call_story(transcript: Transcript, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return stages, key moments, who decides, people named, budget and summary of a conversation."""
    return (
        *_stages(transcript, findings),
        *_key_moments(findings),
        *_deciders(transcript),
        *_people(findings),
        *_budget(transcript, findings),
        *_summary(findings),
    )


def _stages(transcript: Transcript, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give the runs of turns that belong to one stage; value ``first_turn`` and ``last_turn``."""
    told: dict[int, Finding] = {}
    for finding in findings:
        if finding.kind is FindingKind.ACT and _stage_of(finding) is not None:
            best = told.get(finding.turn)
            told[finding.turn] = finding if best is None or finding.confidence > best.confidence else best
    runs: list[list[Finding]] = []
    for turn in sorted(told):
        if runs and _stage_of(runs[-1][0]) == _stage_of(told[turn]):
            runs[-1].append(told[turn])
        else:
            runs.append([told[turn]])
    last = transcript.turns[-1].index if transcript.turns else 0
    long = [run for run in runs if len(run) >= LEAST_STAGE_TURNS or run[0] is runs[0][0] or run is runs[-1]]
    for place, run in enumerate(long):
        end = long[place + 1][0].turn - 1 if place + 1 < len(long) else last
        value: dict[str, Json] = {"first_turn": run[0].turn, "last_turn": end}
        yield drawn(SOURCE, FindingKind.STAGE, str(_stage_of(run[0])), run, value)


def _stage_of(finding: Finding) -> str | None:
    return next((stage for stage, acts in STAGES.items() if finding.label in acts), None)


def _key_moments(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give the first price, the first commitment, and each refusal, complaint and forbidden act."""
    firsts = {
        "first_price": (("inquire_price",), ("quote",)),
        "first_commitment": (("purchase_intent", "agree_next_step"), ()),
    }
    ordered = sorted(findings, key=lambda finding: finding.turn)
    for name, (intents, acts) in firsts.items():
        for finding in ordered:
            if (finding.kind is FindingKind.INTENT and finding.label in intents) or (
                finding.kind is FindingKind.ACT and finding.label in acts
            ):
                yield drawn(SOURCE, FindingKind.KEY_MOMENT, name, [finding], finding.label)
                break
    for finding in ordered:
        if (finding.kind is FindingKind.INTENT and finding.label in ("reject", "complain")) or (
            finding.kind is FindingKind.ACT and finding.label in FORBIDDEN_ACTS
        ):
            yield drawn(SOURCE, FindingKind.KEY_MOMENT, finding.label, [finding], finding.label)


def _deciders(transcript: Transcript) -> Iterator[Finding]:
    """Give who decides, in the customer's own words: ``customer``, or ``other`` with who it is."""
    for place, turn in enumerate(transcript.turns):
        if turn.role is Role.AGENT:
            continue
        other = _OTHER_DECIDES.search(turn.text)
        own = None if other else _DECIDES.search(turn.text)
        if other is not None:
            yield _ruled(FindingKind.DECISION_MAKER, "other", other["who"], transcript, place, other.span())
        elif own is not None:
            yield _ruled(FindingKind.DECISION_MAKER, "customer", None, transcript, place, own.span())


def _people(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give each person who is named once, with all places."""
    named: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.kind is FindingKind.ENTITY and finding.label == "person":
            named.setdefault(finding.evidence[0].quote, []).append(finding)
    for name, found in named.items():
        yield drawn(SOURCE, FindingKind.PERSON, "named", found, name)


def _budget(transcript: Transcript, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give the amounts that the customer calls the budget, or names when asked for it; value in yuan."""
    places = places_of(transcript)
    for finding in findings:
        if finding.kind is not FindingKind.ENTITY or finding.label != "money" or finding.value is None:
            continue
        place = places[finding.turn]
        turn, said = transcript.turns[place], finding.evidence[0]
        if turn.role is Role.AGENT:
            continue
        near = turn.text[max(0, said.char_start - _BUDGET_REACH_CHARS) : said.char_end + _BUDGET_REACH_CHARS]
        if _BUDGET.search(near) or (place and _asks_for_budget(transcript.turns[place - 1])):
            yield drawn(SOURCE, FindingKind.BUDGET, "budget", [finding], finding.value)


def _asks_for_budget(turn: Turn) -> bool:
    return turn.role is Role.AGENT and _BUDGET.search(turn.text) is not None


def _summary(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give a summary made of quotes alone: the surest words for each of its parts."""
    parts: list[tuple[str, Evidence]] = []
    sources: list[Finding] = []
    for name, kind, labels in SUMMARY_PARTS:
        fitting = [
            f
            for f in findings
            if f.kind is kind and not f.for_review and (labels is None or f.label in labels)
        ]
        if fitting:
            surest = max(fitting, key=lambda finding: finding.confidence)
            sources.append(surest)
            parts.append((name, surest.evidence[-1]))
    if parts:
        value: list[Json] = [{"part": name, "turn": said.turn, "quote": said.quote} for name, said in parts]
        yield Finding(
            kind=FindingKind.SUMMARY,
            label="quotes",
            confidence=min(finding.confidence for finding in sources),
            source=SOURCE,
            evidence=tuple(dict.fromkeys(said for _, said in parts)),
            value=value,
        )


def _ruled(
    kind: FindingKind, label: str, value: Json, transcript: Transcript, place: int, span: tuple[int, int]
) -> Finding:
    doubt = 1.0 if transcript.turns[place].role is Role.UNKNOWN else transcript.turns[place].role_confidence
    confidence = _RULE_CONFIDENCE * (0.5 if transcript.turns[place].role is Role.UNKNOWN else doubt)
    return Finding(
        kind=kind,
        label=label,
        confidence=round(confidence, 4),
        source=SOURCE,
        evidence=(quote(transcript, place, *span),),
        value=value,
        for_review=confidence < 0.5,
    )
