"""Reads what an OpenAI-compatible speech server answers about one clip. Pure functions.

Servers differ in what they tell: words with times, segments with times, or the text alone. Whatever is
missing is made up for within the transcriber's contract, and never by inventing text.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from huaxiang.asr.transcriber import Clip, ClipTranscript
from huaxiang.core.types import Word

UNTOLD_CONFIDENCE = 0.8
"""Of a word whose server says nothing about its certainty: used as it is, open to repair."""

_CJK = r"\u3400-\u9fff\uf900-\ufaff"
# One Han character, or a run of anything else, each with the marks and the space around it.
_PIECE = re.compile(rf"\s*(?:[^\w\s]\s*)*(?:[{_CJK}]|(?:(?![{_CJK}])[\w'.@%+-])+)(?:\s*[^\w\s])*", re.UNICODE)


def read_answer(answer: Mapping[str, Any], clip: Clip) -> ClipTranscript:
    """Return the transcript of ``clip`` from a server's decoded JSON.

    Raises KeyError, TypeError, ValueError or AttributeError where a field is missing or of another
    shape than OpenAI gives it.
    """
    text: str = answer["text"]
    segments: Sequence[Mapping[str, Any]] = answer.get("segments") or ()
    words = _told_words(text, answer.get("words") or _words_in(segments), segments)
    if words is None:
        words = _spread_segments(text, segments, clip.duration_ms / 1000)
    placed = _placed(words, clip)
    return ClipTranscript(
        words=placed,
        mean_log_probability=min(_mean_log_probability(segments) or 0.0, 0.0),
        no_speech_probability=_clamped(
            min((float(segment.get("no_speech_prob") or 0.0) for segment in segments), default=0.0)
        ),
        compression_ratio=_compression_ratio(text),
        tokens=sum(_tokens(segment) for segment in segments) or len(placed),
    )


_Timed = tuple[float, float, str, float]
"""Start and end in s of the clip, text with its marks and the space before it, confidence."""


def _words_in(segments: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [word for segment in segments for word in segment.get("words") or ()]


def _told_words(
    text: str, words: Sequence[Mapping[str, Any]], segments: Sequence[Mapping[str, Any]]
) -> list[_Timed] | None:
    """Return the words with the marks that stand around them in the text; none where they do not fit it."""
    if not words:
        return None
    found: list[_Timed] = []
    reached = 0
    for word in words:
        form = str(word["word"]).strip()
        if not form:
            continue
        place = text.find(form, reached)
        if place < 0 or any(char.isalnum() for char in text[reached:place]):
            return None
        start, end = _seconds(word["start"]), _seconds(word["end"])
        between = text[reached:place]
        marks = between.rstrip()
        if found and marks:
            last = found[-1]
            found[-1] = (last[0], last[1], last[2] + marks, last[3])
            between = between[len(marks) :]
        found.append((start, end, between + form, _confidence(word, _segment_at(segments, start))))
        reached = place + len(form)
    rest = text[reached:].rstrip()
    if not found or any(char.isalnum() for char in rest):
        return None
    last = found[-1]
    found[-1] = (last[0], last[1], last[2] + rest, last[3])
    return found


def _spread_segments(text: str, segments: Sequence[Mapping[str, Any]], duration_s: float) -> list[_Timed]:
    """Share the time of each segment, or of the clip where there are none, among its characters."""
    joined = "".join(str(segment.get("text") or "") for segment in segments)
    if _letters(joined) != _letters(text):
        return _spread(text, 0.0, duration_s, UNTOLD_CONFIDENCE)
    return [
        word
        for segment in segments
        for word in _spread(
            str(segment.get("text") or ""),
            _seconds(segment.get("start", 0.0)),
            _seconds(segment.get("end", duration_s)),
            _confidence({}, segment),
        )
    ]


def _spread(text: str, start_s: float, end_s: float, confidence: float) -> list[_Timed]:
    pieces = [piece.group() for piece in _PIECE.finditer(text)]
    weights = [max(len(piece.strip()), 1) for piece in pieces]
    step = max(end_s - start_s, 0.0) / max(sum(weights), 1)
    words, reached = [], 0
    for piece, weight in zip(pieces, weights, strict=True):
        words.append((start_s + reached * step, start_s + (reached + weight) * step, piece, confidence))
        reached += weight
    return words


def _placed(words: Sequence[_Timed], clip: Clip) -> tuple[Word, ...]:
    """Move words into the recording: within the clip, never backward."""
    placed: list[Word] = []
    earliest = clip.start_ms
    for start_s, end_s, text, confidence in words:
        start_ms = min(max(clip.start_ms + round(start_s * 1000), earliest), clip.end_ms)
        end_ms = min(max(clip.start_ms + round(end_s * 1000), start_ms), clip.end_ms)
        placed.append(Word(start_ms, end_ms, text, confidence))
        earliest = start_ms
    return tuple(placed)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not math.isfinite(seconds):
        raise ValueError("a time is a finite number")
    return seconds


def _segment_at(segments: Sequence[Mapping[str, Any]], start_s: float) -> Mapping[str, Any]:
    return next((segment for segment in segments if start_s < float(segment.get("end") or 0.0)), {})


def _confidence(word: Mapping[str, Any], segment: Mapping[str, Any]) -> float:
    """Return a word's own probability, else its segment's per token, else a constant."""
    for key in ("probability", "confidence", "score"):
        if isinstance(word.get(key), int | float):
            return _clamped(float(word[key]))
    log_probability = segment.get("avg_logprob")
    if isinstance(log_probability, int | float) and log_probability < 0:
        return _clamped(math.exp(log_probability))
    return UNTOLD_CONFIDENCE


def _tokens(segment: Mapping[str, Any]) -> int:
    return len(segment.get("tokens") or ()) or len(str(segment.get("text") or ""))


def _mean_log_probability(segments: Sequence[Mapping[str, Any]]) -> float | None:
    told = [
        (float(segment["avg_logprob"]), _tokens(segment))
        for segment in segments
        if isinstance(segment.get("avg_logprob"), int | float)
    ]
    total = sum(tokens for _, tokens in told)
    mean = sum(value * tokens for value, tokens in told) / total if total else None
    if mean is not None and not math.isfinite(mean):
        raise ValueError("a mean log-probability is a finite number")
    return mean


def _compression_ratio(text: str) -> float:
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if encoded else 1.0


def _clamped(probability: float) -> float:
    return min(max(probability, 0.0), 1.0) if math.isfinite(probability) else 0.0


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())
