"""Character error rate of Mandarin transcripts after one published normaliser.

The normaliser is described rule by rule in ``docs/metrics-asr.md``; both sides pass through it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import cn2an
import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

FILLERS = frozenset("嗯呃啊哦噢喔唔诶欸哎唉")
"""Interjections that annotators write or leave out at will."""

_DIGITS = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")
_NUMERAL_RUN = re.compile(r"[0-9零〇一幺二两三四五六七八九十百千万亿]+")
_UNITS = frozenset("十百千万亿")
_GROUPED = re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)")
_PERCENT = re.compile(r"(\d+(?:[.点]\d+)?)\s*%")
_DECIMAL_BIG = re.compile(r"([0-9零一二两三四五六七八九十百千]+)[.点]([0-9零一二三四五六七八九]+)([万亿])")
_WEEKDAY = re.compile("((?:周|星期|礼拜)[一二三四五六])(?=十)")
_POINT = re.compile(r"(?<=\d)\s*[.:]\s*(?=\d)")
_BIG_UNIT = {"万": 10_000, "亿": 100_000_000}


@lru_cache(maxsize=1)
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def normalise_for_scoring(text: str) -> str:
    """Return the form in which two transcripts are compared.

    NFKC, simplified script, lower case, numbers as Arabic digits, fillers and everything that is
    neither letter nor number removed.
    """
    text = _simplifier().convert(unicodedata.normalize("NFKC", text)).lower()
    text = _GROUPED.sub(lambda match: match.group().replace(",", ""), text)
    text = _DECIMAL_BIG.sub(_scaled, text)
    text = _WEEKDAY.sub(r"\1，", text)
    text = _NUMERAL_RUN.sub(lambda match: _number(match.group()), text)
    text = _PERCENT.sub(r"百分之\1", text)
    text = _POINT.sub("点", text)
    return "".join(char for char in text if char.isalnum() and char not in FILLERS)


def _number(run: str) -> str:
    """Write a run of numerals in digits: by value where it has units, else digit by digit."""
    if not _UNITS.intersection(run):
        return run.translate(_DIGITS)
    if run[0] in _UNITS and run[0] != "十":
        return run.translate(_DIGITS)  # 万一, 千万: no number
    if run.isdecimal() or run[:-1].isdecimal():
        scale = _BIG_UNIT.get(run[-1])
        return str(int(run[:-1]) * scale) if scale else run
    try:
        value = cn2an.cn2an(run.replace("幺", "一").replace("〇", "零"), "smart")
    except (ValueError, KeyError):
        return run.translate(_DIGITS)  # 三四十, 五十六十: no single value
    return str(int(value)) if value == int(value) else str(value)


def _scaled(match: re.Match[str]) -> str:
    whole, fraction, unit = _number(match[1]), match[2].translate(_DIGITS), match[3]
    if not whole.isdecimal():
        return match.group()
    value = Decimal(f"{whole}.{fraction}") * _BIG_UNIT[unit]
    return str(int(value)) if value == int(value) else match.group()


@dataclass(frozen=True, slots=True)
class CharacterErrors:
    """Edit counts between one reference and one hypothesis, in characters."""

    substitutions: int
    deletions: int
    insertions: int
    reference_characters: int

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions


def count_errors(reference: str, hypothesis: str) -> CharacterErrors:
    """Compare two texts after ``normalise_for_scoring`` by their Levenshtein alignment."""
    expected, got = normalise_for_scoring(reference), normalise_for_scoring(hypothesis)
    operations = Levenshtein.editops(expected, got)
    tags = [operation.tag for operation in operations]
    return CharacterErrors(tags.count("replace"), tags.count("delete"), tags.count("insert"), len(expected))


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Character error rate over a set, with its bootstrap 95 % interval over utterances.

    ``rate`` is errors / reference characters, pooled; it can pass 1 where text is invented.
    ``worst`` holds the ids of the ten utterances with the highest rates, worst first.
    """

    rate: float
    low: float
    high: float
    utterances: int
    reference_characters: int
    substitutions: int
    deletions: int
    insertions: int
    worst: tuple[tuple[str, float], ...]


def error_rate(counts: Mapping[str, CharacterErrors], resamples: int = 1000, seed: int = 0) -> ErrorRate:
    """Pool the counts of utterances, keyed by id, into one rate.

    The interval is the percentile bootstrap over utterances (Bisani & Ney 2004). Raises ValueError
    where there is no reference text at all.
    """
    values = list(counts.values())
    lengths = np.array([value.reference_characters for value in values], dtype=np.int64)
    errors = np.array([value.errors for value in values], dtype=np.int64)
    if lengths.sum() == 0:
        raise ValueError("an error rate needs reference text")
    low, high = _bootstrap(errors, lengths, resamples, seed)
    rates = {key: value.errors / max(value.reference_characters, 1) for key, value in counts.items()}
    worst = sorted(rates.items(), key=lambda item: (-item[1], item[0]))[:10]
    return ErrorRate(
        rate=float(errors.sum() / lengths.sum()),
        low=low,
        high=high,
        utterances=len(values),
        reference_characters=int(lengths.sum()),
        substitutions=sum(value.substitutions for value in values),
        deletions=sum(value.deletions for value in values),
        insertions=sum(value.insertions for value in values),
        worst=tuple(worst),
    )


def _bootstrap(
    errors: NDArray[np.int64], lengths: NDArray[np.int64], resamples: int, seed: int
) -> tuple[float, float]:
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(errors), size=(resamples, len(errors)))
    rates = errors[picks].sum(axis=1) / np.maximum(lengths[picks].sum(axis=1), 1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)


def joined(texts: Sequence[str]) -> str:
    """Join the turns of a call, in time order, into the text that is scored as a whole."""
    return "，".join(texts)  # a separator that is scored as nothing, so that numbers do not run together
