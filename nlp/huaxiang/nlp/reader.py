"""A large language model that reads a conversation beside our own: what it claims, and what is kept of it.

It is off as it comes. Where it is switched on, the turns leave this machine for the server that is set.
A claim is kept only where the words it quotes stand in the turn it names, were said by the party that
can say such a thing, and hold the value it claims; and it is for review, as nobody calibrated it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from huaxiang.core.errors import ModelError
from huaxiang.core.evidence import quote
from huaxiang.core.model_server import ModelServer
from huaxiang.core.types import Finding, FindingKind, Role, Transcript
from huaxiang.nlp.labels import NEXT_STEPS, OBJECTIONS

CONFIDENCE = 0.5
LEAST_QUOTE_CHARS = 2
MOST_CLAIMS = 40
_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")

KINDS: Mapping[FindingKind, frozenset[str]] = {
    FindingKind.NEED: frozenset({"need"}),
    FindingKind.OBJECTION: frozenset(OBJECTIONS),
    FindingKind.NEXT_STEP: frozenset(NEXT_STEPS) - {"none"},
    FindingKind.DECISION_MAKER: frozenset({"customer", "other"}),
    FindingKind.PRODUCT: frozenset({"product"}),
    FindingKind.COMPETITOR: frozenset({"competitor"}),
    FindingKind.PERSON: frozenset({"named"}),
}
"""What may be claimed, with its labels."""

_CUSTOMERS = frozenset({FindingKind.NEED, FindingKind.OBJECTION, FindingKind.DECISION_MAKER})
_NAMED = frozenset({FindingKind.PRODUCT, FindingKind.COMPETITOR, FindingKind.PERSON})

INSTRUCTION = (
    "你在读一段销售对话。只依据原文，找出客户需求、异议、下一步、决策人、提到的产品、竞品和人名。"
    '只输出一个 JSON 对象：{"claims": [{"kind": …, "label": …, "value": …, "turn": 轮次号, '
    '"quote": 原文片段}]}。'
    "quote 必须逐字出自该轮。kind 与 label 只能取："
    + "；".join(f"{kind.value}: {', '.join(sorted(labels))}" for kind, labels in KINDS.items())
    + "。product、competitor、person 的 value 是原文里的名称，其余 value 为 null。没有就不写。"
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a reader claims: its kind and label, the value, and the words of a turn that it quotes."""

    kind: str
    label: str
    value: str | None
    turn: int
    quote: str


class Reader(Protocol):
    """Reads a conversation and claims things about it."""

    @property
    def source(self) -> str:
        """``model @ host``, written on every finding."""
        ...

    def read(self, transcript: Transcript) -> Sequence[Claimed]:
        """Return the claims, unchecked. Raises ModelError, ModelUnavailable or ConfigurationError."""
        ...


@dataclass(frozen=True)
class ScriptedReader:
    """Claims what it was told to."""

    claims: Sequence[Claimed] = ()
    source: str = "scripted @ 1"

    def read(self, transcript: Transcript) -> Sequence[Claimed]:
        """Return the scripted claims."""
        return self.claims


class ServerReader:
    """A model behind OpenAI's ``/v1/chat/completions``."""

    def __init__(self, server: ModelServer, model: str) -> None:
        self._server = server
        self._model = model

    @property
    def source(self) -> str:
        """``model @ host``."""
        return f"{self._model} @ {self._server.host}"

    def read(self, transcript: Transcript) -> Sequence[Claimed]:
        """Return what the model claims; a claim of another form than asked for is left out."""
        if not transcript.turns:
            return ()
        answer = self._server.ask(
            "/chat/completions",
            json={
                "model": self._model,
                "temperature": 0,
                "messages": [
                    {"role": "system", "content": INSTRUCTION},
                    {"role": "user", "content": _as_text(transcript)},
                ],
            },
        )
        try:
            content = answer["choices"][0]["message"]["content"]
            claims = json.loads(_FENCE.sub("", content))["claims"]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelError(
                f"the language model {self._model} does not answer in the form it was asked for"
            ) from error
        if not isinstance(claims, list):
            raise ModelError(f"the language model {self._model} gives no list of claims")
        return tuple(claim for item in claims[:MOST_CLAIMS] if (claim := _claim(item)) is not None)


def supported(claims: Sequence[Claimed], transcript: Transcript, source: str) -> tuple[Finding, ...]:
    """Return the claims that their quoted turns support, as findings for review."""
    places = {turn.index: place for place, turn in enumerate(transcript.turns)}
    findings: dict[tuple[str, str, int, int], Finding] = {}
    for claim in claims:
        place = places.get(claim.turn)
        kind = next((kind for kind in KINDS if kind.value == claim.kind), None)
        if place is None or kind is None or claim.label not in KINDS[kind]:
            continue
        turn = transcript.turns[place]
        start = turn.text.find(claim.quote)
        value = _value(kind, claim)
        if start < 0 or len(claim.quote) < LEAST_QUOTE_CHARS or (kind in _NAMED and value is None):
            continue
        if kind in _CUSTOMERS and turn.role is Role.AGENT:
            continue
        evidence = quote(transcript, place, start, start + len(claim.quote))
        findings.setdefault(
            (claim.kind, claim.label, claim.turn, start),
            Finding(kind, claim.label, CONFIDENCE, source, (evidence,), value, for_review=True),
        )
    return tuple(findings.values())


def _value(kind: FindingKind, claim: Claimed) -> str | None:
    """Return the value as far as the quote holds it: a name that was said, a need in its own words."""
    if kind in _NAMED:
        return claim.value if claim.value and claim.value in claim.quote else None
    return claim.quote if kind is FindingKind.NEED else None


def _claim(item: Any) -> Claimed | None:
    if not isinstance(item, dict) or isinstance(item.get("turn"), bool):
        return None
    value = item.get("value")
    words = (item.get("kind"), item.get("label"), item.get("quote"))
    if not isinstance(item.get("turn"), int) or not all(isinstance(word, str) for word in words):
        return None
    return Claimed(
        kind=item["kind"],
        label=item["label"],
        value=value if isinstance(value, str) else None,
        turn=item["turn"],
        quote=item["quote"].strip(),
    )


def _as_text(transcript: Transcript) -> str:
    names = {Role.AGENT: "销售", Role.CUSTOMER: "客户", Role.UNKNOWN: "未知"}
    return "\n".join(f"[{turn.index}] {names[turn.role]}：{turn.text}" for turn in transcript.turns)
