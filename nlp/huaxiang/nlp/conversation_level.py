"""What a conversation comes to as a whole: needs, products, rivals, and the step that was agreed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from huaxiang.core.types import Finding, FindingKind, Json, Transcript
from huaxiang.nlp.drawn import drawn

SOURCE = "conversation-level @ 1"
NEAR_TURNS = 4
STEP_WORDS: Mapping[str, Mapping[str, float]] = {
    "payment": {
        "定金|订金|首付|首款|尾款|全款|押金": 2,
        "刷卡|扫码|转账|下单|充值|交钱|缴费|打款|付一|付清|付了|付钱|付款": 2,
        "锁货|锁单|办了|办卡|现场办|给您办|开单|出单": 1.5,
    },
    "contract": {"合同|协议|签约|签字|盖章|订舱确认": 2, "签": 1},
    "trial": {
        "试用|试驾|试课|试听|试吃|试学|试跑|试切|试发|试运|试点|体验课|测评|试一|先试|体验": 2,
        "试|测试": 1,
    },
    "demo": {"演示|展示|看样|试讲|样机|小样|第二版": 2, "讲一遍|过一遍|看一遍": 1},
    "visit": {
        "到店|来店|上门|看房|看车|看现场|参观|量房|量尺|复看|面诊|复诊|带看|考察|拜访|见面|面谈": 2,
        "过来|过去|去您|到您|来一趟|跑一趟|现场|当面|门口|等您来|见": 1,
    },
    "material": {
        "资料|报价|清单|方案|案例|样品|报告|对比表|明细|效果图|参数|行程": 1.5,
        "发您|发给|发你|发我|发过|发一|寄|邮箱|微信|链接": 1,
    },
    "callback": {
        "再打|回电|回话|回复|打给|打电话|再联系|再通知|答复": 1.5,
        "联系|电话|再说|再聊|再找|通知|沟通|商量": 0.7,
    },
}
"""Words that speak for a kind of step, with their weights; of equal kinds the first is taken."""

_STEP_PATTERNS = {
    kind: [(re.compile(words), weight) for words, weight in weights.items()]
    for kind, weights in STEP_WORDS.items()
}
STEP_INTENTS = {"request_demo": "demo", "request_material": "material", "request_callback": "callback"}
INTENT_WEIGHT = 1.5
CONTEXT_TURNS = 2
CONTEXT_WEIGHT = 0.7


def conversation_findings(transcript: Transcript, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of the conversation as a whole, each on the evidence of those it is drawn from."""
    return (
        *_needs(findings),
        *_named(findings, "product", FindingKind.PRODUCT),
        *_named(findings, "competitor", FindingKind.COMPETITOR),
        *_next_step(transcript, findings),
    )


def _needs(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give each need that the customer states, in the words that state it."""
    for finding in findings:
        if finding.kind is FindingKind.INTENT and finding.label == "express_need":
            yield drawn(SOURCE, FindingKind.NEED, "need", [finding], finding.evidence[0].quote)


def _named(findings: Sequence[Finding], entity: str, kind: FindingKind) -> Iterator[Finding]:
    """Give each product or rival once, with all places where it is named."""
    mentions: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.kind is FindingKind.ENTITY and finding.label == entity:
            mentions[finding.evidence[0].quote].append(finding)
    for name, found in mentions.items():
        yield drawn(SOURCE, kind, entity, found, name)


def _next_step(transcript: Transcript, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Give the last step that was proposed or agreed, unless the customer refused after it.

    The value holds its ``kind``, whether the customer ``agreed``, who promises (``by``) and, where a
    time was said in the same turns, ``due_at`` as its normalised value and ``due_text`` as said.
    """
    steps = [finding for finding in findings if _speaks_of_a_step(finding)]
    if not steps:
        return
    last = max(steps, key=lambda finding: (finding.turn, finding.confidence))
    refused = [f.turn for f in findings if f.kind is FindingKind.INTENT and f.label == "reject"]
    if refused and max(refused) > last.turn:
        return
    near = sorted(
        (finding for finding in steps if last.turn - finding.turn <= NEAR_TURNS), key=lambda f: f.turn
    )
    agreed = any(finding.label in ("agree_next_step", "purchase_intent") for finding in near)
    value: dict[str, Json] = {
        "kind": _kind(transcript, findings, near),
        "agreed": agreed,
        "by": "agent" if any(f.kind is FindingKind.ACT for f in near) else "customer",
    }
    value |= _due(findings, near)
    yield drawn(SOURCE, FindingKind.NEXT_STEP, str(value["kind"]), near, value)


def _speaks_of_a_step(finding: Finding) -> bool:
    if finding.kind is FindingKind.ACT:
        return finding.label == "next_step"
    return finding.kind is FindingKind.INTENT and finding.label in (
        "agree_next_step",
        "purchase_intent",
        "request_callback",
    )


def _kind(transcript: Transcript, findings: Sequence[Finding], near: Sequence[Finding]) -> str:
    """Return the kind whose words weigh most in the turns of the step; later turns weigh more."""
    weight: dict[str, float] = dict.fromkeys(STEP_WORDS, 0.0)
    stated = {finding.turn for finding in near}
    first, last = near[0].turn - CONTEXT_TURNS, near[-1].turn + CONTEXT_TURNS
    for turn in transcript.turns:
        if first <= turn.index <= last:
            share = 1.0 if turn.index in stated else CONTEXT_WEIGHT
            for kind, patterns in _STEP_PATTERNS.items():
                weight[kind] += share * sum(w for pattern, w in patterns if pattern.search(turn.text))
    for finding in findings:
        if finding.kind is FindingKind.INTENT and near[0].turn - 2 <= finding.turn <= near[-1].turn:
            asked_for = STEP_INTENTS.get(finding.label)
            if asked_for is not None:
                weight[asked_for] += INTENT_WEIGHT
    best = max(weight, key=lambda kind: weight[kind])
    return best if weight[best] else "callback"


def _due(findings: Sequence[Finding], near: Sequence[Finding]) -> dict[str, Json]:
    turns = {finding.turn for finding in near}
    times = [f for f in findings if f.kind is FindingKind.ENTITY and f.label == "time" and f.turn in turns]
    if not times:
        return {"due_at": None, "due_text": None}
    said = max(times, key=lambda finding: (isinstance(finding.value, str), finding.turn))
    due_at = said.value if isinstance(said.value, str) else None
    return {"due_at": due_at, "due_text": said.evidence[0].quote}
