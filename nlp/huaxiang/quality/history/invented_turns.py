"""Turns marked lines into timed turns with words, and their marks into findings with evidence."""

from __future__ import annotations

import random
from collections.abc import Sequence

from huaxiang.core.types import Evidence, Finding, FindingKind, Json, Role, Transcript, Turn, Word
from huaxiang.quality.history.invented_course import Line

MODEL = "invented-heads @ 1"
RULES = "invented-grammar @ 1"
Mark = tuple[int, str, str, int, int]
"""Turn, kind, label, first character and the one after the last."""

_PUNCTUATION = frozenset("，。？！、：")
_DOUBTED_SHARE = 0.05
_INTERRUPTS_SHARE = 0.03
_PAUSES_SHARE = 0.04


def spoken(rng: random.Random, lines: Sequence[Line], agent_ms: int) -> tuple[tuple[Turn, ...], list[Mark]]:
    """Return the turns of marked lines, and their marks.

    ``agent_ms`` is the seller's time for a character; customers have their own. Most gaps are short, some
    are silence, and now and then somebody falls in.
    """
    customer_ms = rng.randrange(150, 210)
    position_ms = rng.randrange(200, 900)
    turns: list[Turn] = []
    marks: list[Mark] = []
    for index, (role, line) in enumerate(lines):
        text, found = unmarked(line)
        pace = agent_ms if role is Role.AGENT else customer_ms
        words = _words(rng, text, position_ms, pace)
        end_ms = words[-1].end_ms
        turns.append(
            Turn(
                index=index,
                role=role,
                start_ms=position_ms,
                end_ms=end_ms,
                text=text,
                raw_text="".join(word.text for word in words),
                role_confidence=round(1 - rng.random() ** 4 / 2, 3),
                channel=0 if role is Role.AGENT else 1,
                words=words,
            )
        )
        marks += [(index, kind, label, first, last) for kind, label, first, last in found]
        position_ms = end_ms + _gap_ms(rng, end_ms - position_ms)
    return tuple(turns), marks


def _gap_ms(rng: random.Random, length_ms: int) -> int:
    draw = rng.random()
    if draw < _PAUSES_SHARE:
        return rng.randrange(3500, 9000)
    if draw < _PAUSES_SHARE + _INTERRUPTS_SHARE and length_ms > 2500:
        return -rng.randrange(400, 1000)
    return rng.randrange(150, 900)


def _words(rng: random.Random, text: str, start_ms: int, pace: int) -> tuple[Word, ...]:
    """Share the text out into words of two characters, without its punctuation."""
    said = [character for character in text if character not in _PUNCTUATION]
    words = []
    for first in range(0, len(said), 2):
        piece = "".join(said[first : first + 2])
        begin = start_ms + first * pace
        words.append(Word(begin, begin + len(piece) * pace, piece, round(1 - rng.random() ** 3 * 0.5, 3)))
    return tuple(words)


def unmarked(line: str) -> tuple[str, list[tuple[str, str, int, int]]]:
    """Return a line without its marks, and the marks as kind, label, first and last character.

    ``[money:8800元]`` marks an entity; everything else is written ``[kind.label:words]``.
    """
    text: list[str] = []
    open_marks: list[tuple[str, str, int]] = []
    found: list[tuple[str, str, int, int]] = []
    rest = iter(line)
    for character in rest:
        if character == "[":
            name = ""
            for letter in rest:
                if letter == ":":
                    break
                name += letter
            kind, _, label = name.partition(".")
            open_marks.append((kind, label, len(text)) if label else ("entity", kind, len(text)))
        elif character == "]":
            kind, label, first = open_marks.pop()
            found.append((kind, label, first, len(text)))
        else:
            text.append(character)
    return "".join(text), found


def findings_of(rng: random.Random, transcript: Transcript, marks: Sequence[Mark]) -> tuple[Finding, ...]:
    """Return the findings that the marks stand for; a few of them are doubted and for review."""
    findings = []
    for turn, kind, label, first, last in marks:
        doubted = kind != "entity" and rng.random() < _DOUBTED_SHARE
        confidence = rng.uniform(0.35, 0.55) if doubted else rng.uniform(0.7, 0.99)
        said = _evidence(transcript, turn, first, last)
        value: Json = int(said.quote.rstrip("元")) if label == "money" else None
        findings.append(
            Finding(
                kind=FindingKind(kind),
                label=label,
                confidence=1.0 if kind == "entity" else round(confidence, 4),
                source=RULES if kind == "entity" else MODEL,
                evidence=(said,),
                value=value,
                for_review=doubted,
            )
        )
    return tuple(findings)


def _evidence(transcript: Transcript, index: int, first: int, last: int) -> Evidence:
    """Quote a span; the words are the text without punctuation, two characters each."""
    turn = transcript.turns[index]
    before = sum(character not in _PUNCTUATION for character in turn.text[:first])
    until = sum(character not in _PUNCTUATION for character in turn.text[:last])
    return Evidence(
        recording_id=transcript.recording_id,
        turn=index,
        char_start=first,
        char_end=last,
        start_ms=turn.words[before // 2].start_ms,
        end_ms=turn.words[max(before, until - 1) // 2].end_ms,
        quote=turn.text[first:last],
    )
