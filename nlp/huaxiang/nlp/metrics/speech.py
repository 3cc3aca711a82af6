"""Who speaks when: the turns of a transcript as the metrics see them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from huaxiang.core.types import Role, Transcript, Turn
from huaxiang.nlp.metrics.intervals import Interval, length, overlap, union

PARTIES = (Role.AGENT, Role.CUSTOMER)
# A pause within a turn up to this is part of speaking; a longer one is silence.
PAUSE_MS = 1000
# A listener's token stands against a turn when it follows it, and the turn's speaker goes on, this close.
AGAINST_MS = 500
BACK_CHANNEL_CHARACTERS = 4
BACK_CHANNEL_MS = 800

_LISTENER = re.compile(
    "(?:嗯哼?|呃|啊|哦|噢|喔|哎|诶|欸|唉|哈|对的?|对对|是的?|是啊|是吧|好的?|好嘞|好吧|行|行吧|可以|没错|有|明白|了解|懂|知道|收到|这样|这样啊|真的"
    "|ok|OK|Ok|mm|hmm|uh|yeah)+"
)
_SPOKEN = re.compile(r"[一-龥A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Speech:
    """One turn as speech: its party, bounds, text, and when sound was made within it."""

    turn: int
    role: Role
    start_ms: int
    end_ms: int
    text: str
    sounding: tuple[Interval, ...]
    back_channel: bool = False

    @property
    def bounds(self) -> Interval:
        """Start and end in ms."""
        return self.start_ms, self.end_ms


def speeches(transcript: Transcript) -> list[Speech]:
    """Return the turns with length, in time order whatever order they came in, listeners' tokens marked."""
    plain = sorted(
        (_speech(turn, sounding) for turn in transcript.turns if (sounding := _sounding(turn))),
        key=lambda speech: (speech.start_ms, speech.end_ms, speech.turn),
    )
    return [
        Speech(
            speech.turn,
            speech.role,
            *speech.bounds,
            speech.text,
            speech.sounding,
            _is_back_channel(speech, plain),
        )
        for speech in plain
    ]


def talk(spoken: Sequence[Speech], role: Role | None = None) -> list[Interval]:
    """Return when a party speaks (any party without ``role``), as disjoint intervals."""
    return union(
        interval for speech in spoken if role is None or speech.role is role for interval in speech.sounding
    )


def known_share(spoken: Sequence[Speech]) -> float:
    """Return the share of all speech whose party is known (0–1); 0 where nobody speaks."""
    everything = sum(length(speech.sounding) for speech in spoken)
    known = sum(length(speech.sounding) for speech in spoken if speech.role in PARTIES)
    return known / everything if everything else 0.0


def _speech(turn: Turn, sounding: tuple[Interval, ...]) -> Speech:
    return Speech(turn.index, turn.role, sounding[0][0], sounding[-1][1], turn.text, sounding)


def _sounding(turn: Turn) -> tuple[Interval, ...]:
    """Return the runs of a turn's words, pauses up to PAUSE_MS included; without words the whole turn.

    Empty where neither words nor turn have any length.
    """
    runs: list[Interval] = []
    for word in sorted(turn.words, key=lambda word: word.start_ms):
        if runs and word.start_ms - runs[-1][1] <= PAUSE_MS:
            runs[-1] = (runs[-1][0], max(runs[-1][1], word.end_ms))
        else:
            runs.append((word.start_ms, word.end_ms))
    return tuple(union(runs) or union([(turn.start_ms, turn.end_ms)]))


def _is_back_channel(speech: Speech, spoken: Sequence[Speech]) -> bool:
    said = "".join(_SPOKEN.findall(speech.text))
    short = len(said) <= BACK_CHANNEL_CHARACTERS or speech.end_ms - speech.start_ms <= BACK_CHANNEL_MS
    if not short or not _LISTENER.fullmatch(said):
        return False
    others = [other for other in spoken if other.role is not speech.role]
    if any(overlap(speech.bounds, other.bounds) > 0 for other in others):
        return True
    before = any(0 <= speech.start_ms - other.end_ms <= AGAINST_MS for other in others)
    after = any(0 <= other.start_ms - speech.end_ms <= AGAINST_MS for other in others)
    return before and after
