"""Searches for words: keywords, regular expressions, sentences of like meaning, repetition."""

from __future__ import annotations

import re
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import lru_cache

import regex
from rapidfuzz import fuzz

from huaxiang.core.types import Role, Turn
from huaxiang.quality.condition_types import (
    KeywordCondition,
    PatternCondition,
    RepetitionCondition,
    SimilarCondition,
)
from huaxiang.quality.heard import Heard, spoken_by
from huaxiang.quality.operators.found import Found, NotJudged, enough
from huaxiang.quality.verdicts import Hit, Span

PATTERN_LIMIT_S = 0.25
"""A regular expression that takes longer on one turn counts as not judged."""
MOST_COMPARED_CHARS = 2_000
_SPOKEN = re.compile(r"[^0-9A-Za-z\u3400-\u9fff]+")


def find_keywords(condition: KeywordCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find words; those count that differ."""
    hits: list[Hit] = []
    firsts: dict[str, Hit] = {}
    for turn in turns:
        if not spoken_by(turn, condition.role):
            continue
        for word in condition.words:
            start = turn.text.find(word)
            if start >= 0:
                hit = Hit(turn.index, (Span(turn.index, start, start + len(word)),), word=word)
                hits.append(hit)
                firsts.setdefault(word, hit)
    shown = tuple(firsts.values())
    if condition.none:
        return Found(not hits, (), shown)
    if len(firsts) >= condition.at_least:
        return Found(True, tuple(hits), shown)
    return Found(False)


def find_pattern(condition: PatternCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find turns that an expression matches, and the excluding one does not."""
    hits: list[Hit] = []
    for turn in turns:
        if not spoken_by(turn, condition.role):
            continue
        match = _searched(condition.pattern, turn.text, heard)
        if match is None or match[0] == match[1]:
            continue
        if condition.unless and _searched(condition.unless, turn.text, heard):
            continue
        hits.append(Hit(turn.index, (Span(turn.index, *match),)))
    return enough(hits, condition.at_least)


def _searched(pattern: str, text: str, heard: Heard) -> tuple[int, int] | None:
    """Return where the expression matches, within its time and the conversation's."""
    if heard.patience.left_s <= 0:
        raise NotJudged("pattern_slow")
    started = time.perf_counter()
    try:
        match = _compiled(pattern).search(text, timeout=min(PATTERN_LIMIT_S, heard.patience.left_s))
    except TimeoutError as error:
        raise NotJudged("pattern_slow") from error
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise NotJudged("pattern_failed") from error
    finally:
        heard.patience.spend(started)
    return None if match is None else match.span()


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def find_similar(condition: SimilarCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find turns that mean nearly the same as one of the sentences."""
    if heard.likeness is None:
        raise NotJudged("no_encoder")
    asked = [
        turn
        for turn in turns
        if spoken_by(turn, condition.role) and len(bare(turn.text)) >= condition.min_chars
    ]
    if not asked:
        return Found(False)
    alike = heard.likeness.of(asked, condition.sentences)
    scored = [
        (cosine, turn) for cosine, turn in zip(alike, asked, strict=True) if cosine >= condition.threshold
    ]
    hits = [Hit(turn.index, (_whole(turn),)) for _, turn in scored]
    if len(hits) < condition.at_least:
        return Found(False)
    nearest = sorted(range(len(hits)), key=lambda place: -scored[place][0])
    return Found(True, tuple(hits), tuple(hits[place] for place in nearest))


def find_repetition(condition: RepetitionCondition, heard: Heard, turns: Sequence[Turn]) -> Found:
    """Find turns that say for the n-th time what their speaker said shortly before."""
    recent: dict[Role, deque[tuple[Turn, str]]] = defaultdict(lambda: deque(maxlen=condition.window_turns))
    hits: list[Hit] = []
    for turn in turns:
        text = bare(turn.text)[:MOST_COMPARED_CHARS]
        if not spoken_by(turn, condition.role) or len(text) < condition.min_chars:
            continue
        if any(phrase in turn.text for phrase in condition.except_phrases):
            continue
        cutoff = 100 * condition.similarity
        alike = [
            earlier
            for earlier, said in recent[turn.role]
            if fuzz.ratio(said, text, score_cutoff=cutoff) >= cutoff
        ]
        if len(alike) + 1 >= condition.times:
            hits.append(Hit(turn.index, (*map(_whole, alike[-(condition.times - 1) :]), _whole(turn))))
        recent[turn.role].append((turn, text))
    return enough(hits, 1)


def bare(text: str) -> str:
    """Return text without punctuation and blanks."""
    return _SPOKEN.sub("", text)


def _whole(turn: Turn) -> Span:
    return Span(turn.index, 0, len(turn.text))
