"""What is said, counted for Mandarin: length in characters as read, and fillers."""

from __future__ import annotations

import re

import cn2an

_PIECE = re.compile(
    r"(?P<cjk>[一-龥])|(?P<number>\d+(?:[.,]\d+)*)|(?P<latin>[A-Za-z]+(?:['-][A-Za-z]+)*)|(?P<percent>[%％])"
)
_LONGEST_COUNTED_NUMBER = 7  # longer runs of digits are read one by one: telephone and card numbers
_PERCENT_AS_READ = 3  # 百分之
_FILLER = re.compile(
    "(?:^|(?<=[，,。！？、…\\s]))(?:那个|就是|然后|呃|嗯|额|这个)(?=[，,。、…\\s]|呃|嗯|那个|就是)|呃+|(?<=[一-龥])[，,]?嗯(?=[，,…])"
)


def characters_read(text: str) -> int:
    """Return the length of ``text`` as read: CJK characters, Latin words, and numbers as spoken.

    ``6400`` counts as 六千四百, four characters; ``12%`` as 百分之十二, five; runs of more than seven
    digits are read digit by digit.
    """
    total = 0
    for match in _PIECE.finditer(text):
        if match["number"]:
            total += _number_as_read(match["number"])
        else:
            total += _PERCENT_AS_READ if match["percent"] else 1
    return total


def count_fillers(text: str) -> int:
    """Return the fillers of a turn: 呃, and 那个 就是 然后 嗯 where they stand alone between pauses."""
    return len(_FILLER.findall(text))


def _number_as_read(digits: str) -> int:
    plain = digits.replace(",", "")
    whole, _, fraction = plain.partition(".")
    if len(whole) > _LONGEST_COUNTED_NUMBER:
        return len(plain.replace(".", ""))
    spoken = len(cn2an.an2cn(str(int(whole)), "low"))
    return spoken + (1 + len(fraction.replace(".", "")) if fraction else 0)
