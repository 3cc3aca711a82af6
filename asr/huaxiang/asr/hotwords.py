"""Repairs names of a lexicon that were heard as other characters of the same sound.

A repair puts one name where as many syllables were heard, so no word is inserted where nobody spoke.
What was confidently heard as an ordinary word stays. ``Turn.raw_text`` and ``Turn.words`` keep what the
recogniser wrote.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Protocol

from rapidfuzz.distance import Levenshtein

from huaxiang.asr.pronunciation import NEAR, SAME, Syllable, distance, sound_class, syllables_of
from huaxiang.asr.transcriber import Hints
from huaxiang.core.types import CallMetadata, Transcript, Turn, Word

_HAN = re.compile(r"[\u3400-\u9fff]{2,}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_LEAST_LATIN = 5


@dataclass(frozen=True, slots=True)
class RepairOptions:
    """When a stretch of text is taken for a name.

    ``most_by_syllable`` bounds the mean cost of its syllables (``pronunciation``), ``most_of_two`` the
    sum of a name of two, which is an accident more often. An ordinary word of which the recogniser was
    at least ``sure`` is never touched (``ordinary`` is the least frequency of one in jieba's table; from
    ``common_character`` on a single character counts), nor a common one (``common``) unless the recogniser
    was less than ``doubtful`` sure.
    """

    most_by_syllable: float = 0.2
    most_of_two: float = 0.0
    sure: float = 0.7
    doubtful: float = 0.45
    ordinary: int = 20
    common: int = 300
    common_character: int = 20_000
    least_latin_likeness: float = 0.8


@dataclass(frozen=True, slots=True)
class Repair:
    """``text[start:end]`` was probably meant as ``name``; ``cost`` is the mean by syllable."""

    start: int
    end: int
    name: str
    cost: float


class WordTable(Protocol):
    """What is known of ordinary words."""

    def cut(self, text: str) -> Iterable[str]:
        """Return the words of a text, which joined are the text."""

    def frequency(self, word: str) -> int:
        """Return how often a word was counted in a large body of text; 0 for an unknown one."""


class JiebaWords:
    """The real table: jieba's dictionary, loaded with the first repair (about a second)."""

    def cut(self, text: str) -> Iterable[str]:
        """Return the words of a text by jieba without its model of unknown words."""
        found: Iterable[str] = _tokenizer().cut(text, HMM=False)
        return found

    def frequency(self, word: str) -> int:
        """Return jieba's count of a word."""
        return int(_tokenizer().FREQ.get(word) or 0)

    def frequencies(self) -> dict[str, int]:
        """Return the count of every word."""
        return {word: count for word, count in _tokenizer().FREQ.items() if count}


@dataclass
class ScriptedWords:
    """The scripted twin: knows the words it was told, with their frequencies."""

    known: dict[str, int] = field(default_factory=dict)

    def cut(self, text: str) -> Iterable[str]:
        """Return the longest known word at each place, else a character."""
        while text:
            word = max((word for word in self.known if text.startswith(word)), key=len, default=text[0])
            yield word
            text = text[len(word) :]

    def frequency(self, word: str) -> int:
        """Return the frequency it was told."""
        return self.known.get(word, 0)


class Hotwords:
    """The names that a recording may hold: what the recogniser is told of them, and their repair.

    ``forms`` are a tenant's; the seller's name joins them where the recording tells it. With ``bias`` they
    are handed to the recogniser as hints, which Whisper takes as a prompt.
    """

    def __init__(
        self, forms: Iterable[str] = (), *, bias: bool = False, words: WordTable | None = None
    ) -> None:
        self._forms = tuple(forms)
        self._bias = bias
        self._words = words or JiebaWords()
        self._repairer = NameRepairer(self._forms, self._words)

    def hints(self, language: str, metadata: CallMetadata) -> Hints:
        """Return what is known of a recording before it is heard."""
        return Hints(language, (*self._forms, *_told(metadata)) if self._bias else ())

    def repaired(self, transcript: Transcript, metadata: CallMetadata) -> Transcript:
        """Return the transcript with its names repaired, and their number in its quality."""
        told = _told(metadata)
        repairer = NameRepairer((*self._forms, *told), self._words) if told else self._repairer
        result, count = repairer.repaired(transcript)
        return replace(result, quality=replace(result.quality, repaired=count)) if count else result


class NameRepairer:
    """Repairs the names of one lexicon in transcripts."""

    def __init__(
        self, forms: Iterable[str], words: WordTable | None = None, options: RepairOptions | None = None
    ) -> None:
        self._words = words or JiebaWords()
        self._options = options or RepairOptions()
        self._forms: tuple[str, ...] = tuple(dict.fromkeys(forms))
        self._index = _index(self._forms)
        self._latin = [form for form in self._forms if _LATIN.fullmatch(form) and len(form) >= _LEAST_LATIN]

    def repaired(self, transcript: Transcript) -> tuple[Transcript, int]:
        """Return the transcript with its names repaired, and how many were."""
        if not self._forms:
            return transcript, 0
        found = [self.repairs(turn) for turn in transcript.turns]
        turns = tuple(
            replace(turn, text=_applied(turn.text, repairs)) if repairs else turn
            for turn, repairs in zip(transcript.turns, found, strict=True)
        )
        return replace(transcript, turns=turns), sum(map(len, found))

    def repairs(self, turn: Turn) -> list[Repair]:
        """Return what would be repaired in a turn, from left to right, none overlapping."""
        confidence = _confidences(turn.text, turn.words)
        candidates = sorted(
            (*self._han(turn.text, confidence), *self._latin_words(turn.text, confidence)),
            key=lambda repair: (repair.cost, repair.start - repair.end, repair.start),
        )
        kept: list[Repair] = []
        for candidate in candidates:
            if all(candidate.end <= other.start or candidate.start >= other.end for other in kept):
                kept.append(candidate)
        return sorted(kept, key=lambda repair: repair.start)

    def _han(self, text: str, confidence: Sequence[float]) -> Iterator[Repair]:
        known = [span for form in self._forms for span in _places(text, form)]
        settled = (*known, *self._ordinary(text, confidence))
        for run in _HAN.finditer(text):
            heard = syllables_of(run.group())
            for offset in range(len(heard) - 1):
                start = run.start() + offset
                for form in self._near(heard[offset : offset + 2]):
                    end = start + len(form)
                    if end > run.end() or any(start < last and end > first for first, last in settled):
                        continue
                    if self._contradicted(text, start, form, confidence):
                        continue
                    cost = self._cost(heard[offset : offset + len(form)], syllables_of(form))
                    if cost is not None:
                        yield Repair(start, end, form, cost)

    def _near(self, heard: Sequence[Syllable]) -> set[str]:
        """Return the names of which one of the first two sounds is heard at its place."""
        return {
            form for place, syllable in enumerate(heard) for form in self._index[place, sound_class(syllable)]
        }

    def _contradicted(self, text: str, start: int, form: str, confidence: Sequence[float]) -> bool:
        """Tell whether a character that would be changed is a common word by itself, and surely heard."""
        return any(
            heard != meant
            and confidence[start + place] >= self._options.sure
            and self._words.frequency(heard) >= self._options.common_character
            for place, (heard, meant) in enumerate(zip(text[start : start + len(form)], form, strict=True))
        )

    def _cost(self, heard: Sequence[Syllable], meant: Sequence[Syllable]) -> float | None:
        """Return the mean cost by syllable; none where that is too much."""
        costs = [distance(first, second) for first, second in zip(heard, meant, strict=True)]
        total, exact = sum(costs), sum(cost == SAME for cost in costs)
        if len(costs) == 2:
            return total / 2 if total <= self._options.most_of_two else None
        if max(costs) > NEAR or 2 * exact < len(costs):
            return None
        return total / len(costs) if total / len(costs) <= self._options.most_by_syllable + 1e-9 else None

    def _ordinary(self, text: str, confidence: Sequence[float]) -> list[tuple[int, int]]:
        """Return the spans of words that stay as they were heard."""
        spans, start = [], 0
        for word in self._words.cut(text):
            end = start + len(word)
            if len(word) > 1 and (frequency := self._words.frequency(word)) >= self._options.ordinary:
                heard = sum(confidence[start:end]) / (end - start)
                needed = self._options.doubtful if frequency >= self._options.common else self._options.sure
                if heard >= needed:
                    spans.append((start, end))
            start = end
        return spans

    def _latin_words(self, text: str, confidence: Sequence[float]) -> Iterator[Repair]:
        for match in _LATIN.finditer(text):
            word, heard = match.group(), confidence[match.start() : match.end()]
            if (
                len(word) < _LEAST_LATIN
                or word in self._latin
                or sum(heard) / len(heard) >= self._options.sure
            ):
                continue
            for form in self._latin:
                likeness = Levenshtein.normalized_similarity(word.casefold(), form.casefold())
                if (
                    likeness >= self._options.least_latin_likeness
                    and word[0].casefold() == form[0].casefold()
                ):
                    yield Repair(*match.span(), form, 1.0 - likeness)


def _told(metadata: CallMetadata) -> tuple[str, ...]:
    """Return the names that a recording comes with: the seller's, where it is one and no number."""
    seller = (metadata.seller or "").strip()
    return (seller,) if re.fullmatch(r"[\u3400-\u9fff]{2,4}", seller) else ()


@cache
def _tokenizer() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return tokenizer


def _index(forms: Iterable[str]) -> defaultdict[tuple[int, Syllable], list[str]]:
    index: defaultdict[tuple[int, Syllable], list[str]] = defaultdict(list)
    for form in forms:
        if _HAN.fullmatch(form):
            for place, syllable in enumerate(syllables_of(form)[:2]):
                index[place, sound_class(syllable)].append(form)
    return index


def _places(text: str, form: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _applied(text: str, repairs: Sequence[Repair]) -> str:
    parts, reached = [], 0
    for repair in repairs:
        parts += [text[reached : repair.start], repair.name]
        reached = repair.end
    return "".join((*parts, text[reached:]))


def _confidences(text: str, words: Sequence[Word]) -> list[float]:
    """Return how sure the recogniser was of each character; 1 for what it did not write."""
    spoken = [(char, word.confidence) for word in words for char in word.text if char.isalnum()]
    chars = "".join(char for char, _ in spoken)
    letters = [place for place, char in enumerate(text) if char.isalnum()]
    confidence = [1.0] * len(text)
    written = "".join(text[place] for place in letters)
    for block in Levenshtein.opcodes(written, chars):
        length = block.src_end - block.src_start
        if block.tag in ("equal", "replace") and length == block.dest_end - block.dest_start:
            for step in range(length):
                confidence[letters[block.src_start + step]] = spoken[block.dest_start + step][1]
    return confidence
