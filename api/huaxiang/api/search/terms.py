"""Text to tokens, and what somebody typed to terms. Pure functions, the same for both databases.

A Chinese text has no spaces, and any two cutters of words cut it differently; so runs of Chinese are
cut into overlapping pairs of characters, and a term is found wherever its characters stand together.
Punctuation is what the recogniser made of a pause, and does not part what stands beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MAX_TERMS = 8
MAX_TERM_CHARS = 60
_WORD = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_TYPED = re.compile(r'["“”]([^"“”]*)["“”]?|(\S+)')


@dataclass(frozen=True, slots=True)
class Term:
    """One thing looked for: its tokens in a row; ``open_end`` where the last may be a token's beginning."""

    text: str
    tokens: tuple[str, ...]
    open_end: bool


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text in order: words and numbers whole, Chinese in pairs and last characters."""
    return [
        token for run in _runs(folded(text)) for token in ((*_pairs(run), run[-1]) if _cut(run) else (run,))
    ]


def read_terms(typed: str) -> tuple[Term, ...]:
    """Return the terms of a search: parted by spaces, kept together by quotation marks.

    Terms without a letter or digit are left out, as are those beyond ``MAX_TERMS``.
    """
    found = (quoted or bare for quoted, bare in _TYPED.findall(typed))
    terms = (term for term in map(_term, found) if term is not None)
    return tuple(dict.fromkeys(terms))[:MAX_TERMS]


def folded(text: str) -> str:
    """Return a text as it is compared: full-width and capital letters like plain ones, no punctuation.

    What parts words of letters and digits becomes one space; Chinese stands together.
    """
    plain = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).lower()).strip()
    return re.sub(r"(?<![a-z0-9]) | (?![a-z0-9])", "", plain)


def places(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Return where a text holds the terms, as sorted spans of characters that do not overlap."""
    shown = [(part, index) for index, character in enumerate(text) for part in folded(character)]
    plain = "".join(part for part, _ in shown)
    spans = []
    for term in terms:
        wanted = term.text.replace(" ", "")
        start = plain.find(wanted)
        while start >= 0:
            spans.append((shown[start][1], shown[start + len(wanted) - 1][1] + 1))
            start = plain.find(wanted, start + len(wanted))
    return _merged(sorted(spans))


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _term(typed: str) -> Term | None:
    text = folded(typed[:MAX_TERM_CHARS])
    runs = _runs(text)
    if not runs:
        return None
    tokens = [token for run in runs[:-1] for token in tokens_of(run)]
    last = runs[-1]
    if _cut(last) and len(last) > 1:
        return Term(text, (*tokens, *_pairs(last)), open_end=False)
    return Term(text, (*tokens, last), open_end=True)


def _runs(text: str) -> list[str]:
    return _WORD.findall(text)


def _cut(run: str) -> bool:
    """Tell whether a run is cut into pairs: all but words of letters and digits."""
    return not run[0].isascii()


def _pairs(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)]
