"""What a recogniser might have heard instead: alternatives for each character of its result.

Whisper writes Mandarin in pieces of UTF-8: a token may be several characters or a third of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token with the most likely ones at its place: ids and natural log-probabilities.

    A token that is not among the ``alternatives`` is taken to lie at ``floor``.
    """

    token: int
    log_probability: float
    alternatives: tuple[tuple[int, float], ...] = ()
    floor: float = -20.0


@dataclass(slots=True)
class Position:
    """One character as decoded, and what else was likely there.

    ``others`` are whole characters and ``begun`` the first bytes of characters, each with its
    log-probability less that of the decoded character; any other character is taken to lie at ``floor``.
    ``words`` are alternatives to the ``length`` characters that begin here and came as one token.
    """

    char: str
    log_probability: float
    floor: float
    others: dict[str, float] = field(default_factory=dict)
    begun: list[tuple[bytes, float]] = field(default_factory=list)
    words: dict[str, float] = field(default_factory=dict)
    length: int = 1


@dataclass(slots=True)
class Stretch:
    """Han characters without a break, and the text (marks, digits, Latin) that follows them."""

    positions: list[Position] = field(default_factory=list)
    text: str = ""


def stretches(
    steps: Sequence[Step], bytes_of: Callable[[int], bytes], is_han: Callable[[str], bool]
) -> list[Stretch]:
    """Return the stretches of a decoded text, which joined are the text.

    ``bytes_of`` gives the UTF-8 bytes of a text token. Tokens that never become whole characters are
    left out, as decoding leaves them out.
    """
    found = [Stretch()]
    first = 0
    while first < len(steps):
        after, text = _whole(steps, first, bytes_of)
        if text is None:
            first += 1
            continue
        if is_han(text):
            if found[-1].text:
                found.append(Stretch())
            found[-1].positions.extend(_positions(steps[first:after], text, bytes_of, is_han))
        else:
            found[-1].text += text
        first = after
    return found


def _whole(steps: Sequence[Step], first: int, bytes_of: Callable[[int], bytes]) -> tuple[int, str | None]:
    """Return the text of the fewest tokens from ``first`` on that are whole characters."""
    spelled = b""
    for place in range(first, min(first + 4, len(steps))):
        spelled += bytes_of(steps[place].token)
        try:
            return place + 1, spelled.decode()
        except UnicodeDecodeError:
            continue
    return first, None


def _positions(
    steps: Sequence[Step], text: str, bytes_of: Callable[[int], bytes], is_han: Callable[[str], bool]
) -> list[Position]:
    heard = sum(step.log_probability for step in steps)
    positions = [Position(char, heard / len(text), steps[0].floor - heard) for char in text]
    head = positions[0]
    head.length = len(text)
    before, spelled = 0.0, b""
    for step in steps:
        for token, log_probability in step.alternatives:
            other = spelled + bytes_of(token)
            score = before + log_probability - heard
            try:
                written = other.decode()
            except UnicodeDecodeError:
                if len(text) == 1:
                    head.begun.append((other, score))
                continue
            if is_han(written) and written != text:
                known = head.others if len(written) == len(text) == 1 else head.words
                known[written] = max(known.get(written, score), score)
        before += step.log_probability
        spelled += bytes_of(step.token)
    return positions
