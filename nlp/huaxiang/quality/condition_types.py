"""The conditions of rules: each a small frozen dataclass that ``judge`` maps to a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from huaxiang.core.types import FindingKind, Role


@dataclass(frozen=True, slots=True)
class Place:
    """The part of a conversation that a condition searches; without a bound it is the whole.

    ``end`` is ``first`` or ``last``, ``unit`` is ``seconds``, ``percent`` or ``turns``.
    """

    end: str = "first"
    amount: float = 100.0
    unit: str = "percent"


WHOLE = Place()
Side: TypeAlias = Literal["before", "after", "around"]
HitChoice: TypeAlias = int | Literal["any", "each", "last"]


@dataclass(frozen=True, slots=True)
class Anchored:
    """The part of a conversation around the hits of another condition.

    ``side`` says on which side of a hit is searched, from ``nearest`` to ``farthest`` turns or seconds
    (``unit``) away; 0 turns is the hit's own turn. ``hit`` is the number of the hit (from 1), ``last``,
    ``any`` (one of the hits has it there) or ``each`` (all have). ``of`` is compared by identity.
    """

    side: Side
    of: Condition = field(compare=False)
    hit: HitChoice = "any"
    nearest: float = 1.0
    farthest: float = 1.0
    unit: str = "turns"
    name: str = ""


Where: TypeAlias = Place | Anchored


@dataclass(frozen=True, slots=True)
class FindingCondition:
    """Holds where findings of a kind (and one of the labels) stand in the place, ``at_least`` times.

    With ``followed_by`` only those count that such a finding follows ``within_turns`` turns.
    """

    kind: FindingKind
    labels: frozenset[str]
    role: Role | None = None
    place: Where = WHOLE
    min_confidence: float = 0.0
    at_least: int = 1
    followed_by: FindingCondition | None = None
    within_turns: int = 2
    any_label: bool = False


@dataclass(frozen=True, slots=True)
class KeywordCondition:
    """Holds where any (``at_least`` 1), several or all of the words are said; with ``none``, where none is.

    Turns of other roles and outside the place are not searched.
    """

    words: tuple[str, ...]
    at_least: int = 1
    role: Role | None = None
    place: Where = WHOLE
    none: bool = False


@dataclass(frozen=True, slots=True)
class PatternCondition:
    """Holds where a regular expression matches ``at_least`` turns that ``unless`` does not match."""

    pattern: str
    unless: str | None = None
    role: Role | None = None
    place: Where = WHOLE
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class SimilarCondition:
    """Holds where ``at_least`` turns mean nearly the same as one of the sentences.

    ``threshold`` is the least cosine of their vectors. Turns of fewer than ``min_chars`` characters
    are left out: a vector of one or two words says little.
    """

    sentences: tuple[str, ...]
    threshold: float = 0.9
    role: Role | None = None
    place: Where = WHOLE
    at_least: int = 1
    min_chars: int = 4


@dataclass(frozen=True, slots=True)
class SilenceCondition:
    """Holds where nobody speaks for long enough (or briefly enough) between two turns, ``at_least`` times.

    ``between`` is ``any``, ``same`` (one speaker pauses) or ``different`` (a reply is waited for).
    ``role`` is who ends the silence: the one that was waited for.
    """

    longer_than_ms: int | None = None
    shorter_than_ms: int | None = None
    between: str = "any"
    role: Role | None = None
    place: Where = WHOLE
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class SpeechRateCondition:
    """Holds where somebody speaks faster or slower than so many characters a minute.

    ``per`` is ``turn`` (``at_least`` turns of at least ``min_chars`` characters do) or ``average``
    (all such turns of the place together).
    """

    above: float | None = None
    below: float | None = None
    per: str = "turn"
    min_chars: int = 10
    role: Role | None = None
    place: Where = WHOLE
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class InterruptionCondition:
    """Holds where ``role`` cuts in on the other, ``at_least`` times (the floor of docs/metrics.md).

    ``delay_ms`` is how long the other had been speaking at least, ``overlap_ms`` how long both speak.
    """

    role: Role | None = None
    delay_ms: int = 1000
    overlap_ms: int = 300
    place: Where = WHOLE
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class RepetitionCondition:
    """Holds where somebody says nearly the same for the ``times``-th time within ``window_turns`` own turns.

    ``similarity`` is the normalised similarity (0–1) of rapidfuzz ``fuzz.ratio``. Turns shorter than
    ``min_chars`` and turns with a phrase of ``except_phrases`` are left out.
    """

    similarity: float = 0.8
    times: int = 2
    window_turns: int = 10
    min_chars: int = 6
    except_phrases: tuple[str, ...] = ()
    role: Role | None = None
    place: Where = WHOLE


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """Holds where a metric (by its dotted name, as ``sentiment.customer.overall``) lies within bounds."""

    name: str
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class MetadataCondition:
    """Holds where what was told about the recording is one of the values, lies within bounds, or is there.

    Of a list (``tags``) one entry has to fit. ``exists`` false asks that it was not told.
    """

    name: str
    values: tuple[str, ...] = ()
    above: float | None = None
    below: float | None = None
    exists: bool | None = None


@dataclass(frozen=True, slots=True)
class AnsweredCondition:
    """Holds where at least ``share`` of the objections got the act ``by`` within so many turns.

    A conversation without an objection has no answer: the condition then does not apply.
    """

    by: frozenset[str]
    within_turns: int = 2
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where some part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where its part does not."""

    part: Condition


@dataclass(frozen=True, slots=True)
class OnlyWhere:
    """What its part comes to where ``applies`` holds; elsewhere it does not apply."""

    applies: Condition
    part: Condition


Condition: TypeAlias = (
    FindingCondition
    | KeywordCondition
    | PatternCondition
    | SimilarCondition
    | SilenceCondition
    | SpeechRateCondition
    | InterruptionCondition
    | RepetitionCondition
    | MetricCondition
    | MetadataCondition
    | AnsweredCondition
    | AllOf
    | AnyOf
    | Not
    | OnlyWhere
)
