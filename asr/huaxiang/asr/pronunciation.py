"""How alike two syllables of Mandarin sound to a recogniser (or from a speaker of a southern accent)."""

from __future__ import annotations

from functools import lru_cache

from pypinyin import Style, lazy_pinyin, pinyin

Syllable = tuple[str, str]
"""Initial and final without tone, as ``("zh", "ang")``."""

SAME, ALIKE, NEAR, OTHER = 0.0, 0.3, 0.6, 1.0
"""Costs: one sound; confused by whole regions; one half in common; nothing in common."""

# Confusions of accents and of telephone bands: 平翘舌, n/l, f/h, r/l, 前后鼻音, voiceless pairs.
_INITIALS = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "r": "l", "h": "f"}
_HEADS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
_FINALS = {"ang": "an", "eng": "en", "ing": "in", "iang": "ian", "uang": "uan", "uo": "o", "ue": "ve"}
_PAIRS = {
    frozenset(pair) for pair in (("b", "p"), ("d", "t"), ("g", "k"), ("j", "q"), ("z", "c"), ("zh", "ch"))
}


@lru_cache(maxsize=8192)
def syllables_of(text: str) -> tuple[Syllable, ...]:
    """Return the syllable of each character of a text of Han characters, as its words are read."""
    found = tuple(_split(syllable) for syllable in lazy_pinyin(text, style=Style.NORMAL, errors="default"))
    return found if len(found) == len(text) else tuple(syllables_of(char)[0] for char in text)


@lru_cache(maxsize=16384)
def readings_of(char: str) -> tuple[Syllable, ...]:
    """Return every syllable that a Han character is read as."""
    return tuple(map(_split, pinyin(char, style=Style.NORMAL, heteronym=True)[0]))


def _split(syllable: str) -> Syllable:
    initial = next((head for head in _HEADS if syllable.startswith(head)), "")
    return initial, syllable[len(initial) :]


def sound_class(syllable: Syllable) -> Syllable:
    """Return what a syllable is reduced to where all that sounds alike is one."""
    initial, final = syllable
    return _INITIALS.get(initial, initial), _FINALS.get(final, final)


@lru_cache(maxsize=65536)
def distance(first: Syllable, second: Syllable) -> float:
    """Return how far two syllables are apart, by the costs above."""
    if first == second:
        return SAME
    if sound_class(first) == sound_class(second):
        return ALIKE
    same_final = _FINALS.get(first[1], first[1]) == _FINALS.get(second[1], second[1])
    if same_final and frozenset((first[0], second[0])) in _PAIRS:
        return ALIKE
    if same_final or (first[0] and _INITIALS.get(first[0], first[0]) == _INITIALS.get(second[0], second[0])):
        return NEAR
    return OTHER
