"""What a condition comes to: whether it holds, where, how surely, and why not where it cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from huaxiang.core.types import Evidence, Window
from huaxiang.quality.heard import Heard

MOST_QUOTES = 5

REASONS = MappingProxyType(
    {
        "no_turns": ("没有人说话，不作评判", "nothing was said, so nothing is judged"),
        "not_applicable": (
            "不适用：没有出现这一项要看的内容",
            "it does not apply: nothing of what it is about came up",
        ),
        "no_seconds": ("文字会话没有时间，不能按秒或语速评判", "typed conversations have no seconds"),
        "pattern_slow": ("正则表达式耗时过长，没有评完", "the regular expression takes too long"),
        "pattern_failed": ("正则表达式无法执行", "the regular expression cannot be run"),
        "metric_missing": ("没有测得指标 {detail}", "{detail} was not measured"),
        "fact_missing": ("录音没有带 {detail}", "the recording does not tell its {detail}"),
        "no_objection": ("没有出现异议", "no objection came up"),
        "no_anchor": ("没有出现它要对照的内容：{detail}", "what it stands by did not come up: {detail}"),
        "no_encoder": (
            "没有句向量模型，不能比较语义",
            "there is no sentence encoder, so meanings cannot be compared",
        ),
        "nothing_measured": ("没有足够长的话可以测", "no speech was long enough to be measured"),
        "no_parts": ("条件是空的", "the condition has no parts"),
    }
)
"""Why something could not be judged, by code, in Chinese and English."""


def reason_text(code: str, detail: str = "", language: str = "en") -> str:
    """Return the words for a reason code; an unknown code is its own words."""
    texts = REASONS.get(code)
    if texts is None:
        return code
    return texts[0 if language == "zh" else 1].format(detail=detail)


@dataclass(frozen=True, slots=True)
class Span:
    """Words that can be quoted: a turn by its index, and offsets in its text."""

    turn: int
    char_start: int
    char_end: int


Quotable: TypeAlias = Evidence | Span


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a condition finds what it looks for.

    ``turn`` is the index of the turn it stands in; ``bounds`` its place in the audio where that is not
    the quote's own. ``quotes`` are turned into evidence only where they are shown.
    """

    turn: int
    quotes: tuple[Quotable, ...]
    confidence: float = 1.0
    for_review: bool = False
    word: str = ""
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a condition came to.

    ``holds`` is None where it does not apply or could not be judged, with the ``reason`` in words and
    as ``code`` and ``detail``. ``evidence`` is where it holds; ``window`` is what was searched;
    ``confidence`` is the probability that ``holds`` is right; ``doubtful`` marks one that rests on
    findings for review. ``hits`` are all places where it holds, for what is searched around them.
    """

    holds: bool | None
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    window: Window | None = None
    doubtful: bool = False
    reason: str = ""
    code: str = ""
    detail: str = ""
    hits: tuple[Hit, ...] = field(default=(), compare=False, repr=False)


def cannot_tell(code: str, detail: str = "", window: Window | None = None) -> Verdict:
    """Return the verdict of what cannot be judged, with its reason."""
    return Verdict(None, window=window, reason=reason_text(code, detail), code=code, detail=detail)


def evidence_of(heard: Heard, hits: Iterable[Hit], most: int = MOST_QUOTES) -> tuple[Evidence, ...]:
    """Return the quotes of the first hits, each once, in the order of the conversation.

    There are none where only outcomes are asked for.
    """
    if not heard.cites:
        return ()
    quoted: dict[Evidence, int] = {}
    for hit in _first(hits, most):
        for item in hit.quotes:
            evidence = quoted_words(heard, item)
            quoted.setdefault(evidence, evidence.turn)
    return tuple(sorted(quoted, key=lambda item: (quoted[item], item.char_start)))


def quoted_words(heard: Heard, item: Quotable) -> Evidence:
    """Return evidence for words that can be quoted."""
    return item if isinstance(item, Evidence) else heard.quote(item.turn, item.char_start, item.char_end)


def _first(hits: Iterable[Hit], most: int) -> Sequence[Hit]:
    return [hit for hit, _ in zip(hits, range(most), strict=False)]
