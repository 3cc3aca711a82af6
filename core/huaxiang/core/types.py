"""The frozen dataclasses that pass between the stages.

Positions in audio are integer milliseconds from the start of the recording. Positions in text are
Python string offsets into ``Turn.text``. Times of day are aware UTC. Ids are UUIDv7 strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import uuid_utils

from huaxiang.core.kinds import Direction as Direction
from huaxiang.core.kinds import FindingKind as FindingKind
from huaxiang.core.kinds import RecordingStatus as RecordingStatus
from huaxiang.core.kinds import Role as Role
from huaxiang.core.kinds import Sentiment as Sentiment
from huaxiang.core.kinds import Setting as Setting

JsonScalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = JsonScalar | Sequence["Json"] | Mapping[str, "Json"]


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562) as a string; ids sort by the time they were made."""
    return str(uuid_utils.uuid7())


@dataclass(frozen=True, slots=True)
class Skipped:
    """An analysis that was not done, and why.

    ``feature`` names the analysis, ``code`` is a stable reason code, ``message`` is for a person.
    """

    feature: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CallMetadata:
    """What the device or the CRM says about a recording; every field may be unknown.

    ``customer_ref`` is a CRM id or a phone number as given. ``agent_channel`` counts from 0.
    ``started_at`` is aware UTC and ``zone`` the IANA zone or offset it was told in. ``device`` is the
    recorder's own name for itself, whoever uploads for it.
    """

    started_at: datetime | None = None
    zone: str | None = None
    seller: str | None = None
    customer_ref: str | None = None
    direction: Direction | None = None
    setting: Setting | None = None
    agent_channel: int | None = None
    consent: bool | None = None
    title: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What decoding found: source format and what of it could be used.

    ``channels`` counts those of the decoded audio. ``duration_ms`` is decoded audio; ``declared_ms``
    is the header's claim where it has one. ``dual_mono`` is true where two channels carried the same
    signal and were reduced to one.
    """

    codec: str
    sample_rate: int
    channels: int
    duration_ms: int
    declared_ms: int | None = None
    damaged_frames: int = 0
    truncated: bool = False
    dual_mono: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording as received: its bytes' identity, where they lie, and what was told about it."""

    id: str
    sha256: str
    size_bytes: int
    filename: str
    blob_key: str
    source: str
    received_at: datetime
    metadata: CallMetadata = CallMetadata()
    audio: AudioInfo | None = None
    status: RecordingStatus = RecordingStatus.RECEIVED


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word: ``text`` as emitted, ``confidence`` 0–1."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Turn:
    """An uninterrupted stretch of one speaker.

    ``text`` is the readable form that evidence points into; ``raw_text`` is what the recogniser
    wrote. The words, joined, are ``raw_text`` without white space. ``speaker`` is one name for one
    voice within the recording, None where nobody told voices apart. ``overlap`` marks a turn during
    which somebody else speaks too.
    """

    index: int
    role: Role
    start_ms: int
    end_ms: int
    text: str
    raw_text: str = ""
    role_confidence: float = 1.0
    channel: int = 0
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptQuality:
    """How far a transcript may be trusted.

    ``mean_log_probability`` is per token, ``no_speech_share`` the share of audio without speech,
    ``damaged_frames`` counts frames that could not be decoded, ``dropped`` counts invented text
    that a guard removed, by guard. ``repaired`` counts names put in place of others of their sound.
    """

    mean_log_probability: float | None = None
    no_speech_share: float | None = None
    damaged_frames: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    repaired: int = 0


@dataclass(frozen=True, slots=True)
class Transcript:
    """All turns of a recording in time order.

    ``timed`` is false for typed conversations: their turns carry no audio positions.
    """

    recording_id: str
    turns: tuple[Turn, ...]
    duration_ms: int
    channels: int = 1
    recogniser: str = ""
    timed: bool = True
    quality: TranscriptQuality = TranscriptQuality()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words a claim stands on, and where to hear them.

    ``quote == turn.text[char_start:char_end]``. The audio positions are ``None`` only for typed
    conversations, which have no audio.
    """

    recording_id: str
    turn: int
    char_start: int
    char_end: int
    start_ms: int | None
    end_ms: int | None
    quote: str

    def __post_init__(self) -> None:
        """Refuse an empty or backward span."""
        if not 0 <= self.char_start < self.char_end or len(self.quote) != self.char_end - self.char_start:
            raise ValueError("evidence needs a quote of the length of its span")


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim about a conversation, with its evidence.

    ``source`` is ``model-or-rule id @ version``; ``confidence`` is a calibrated probability.
    ``for_review`` marks a finding under its floor: offered to a person, never made a tag.
    """

    kind: FindingKind
    label: str
    confidence: float
    source: str
    evidence: tuple[Evidence, ...]
    value: Json = None
    for_review: bool = False
    id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        """Refuse a claim without evidence or with an impossible confidence."""
        if not self.evidence:
            raise ValueError("a finding needs evidence")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError("confidence is a probability")

    @property
    def turn(self) -> int:
        """The index of the turn that the first evidence quotes."""
        return self.evidence[0].turn


@dataclass(frozen=True, slots=True)
class Insights:
    """What was understood of one conversation: findings, metrics, and what was left undone."""

    findings: tuple[Finding, ...]
    metrics: Mapping[str, Json]
    skipped: tuple[Skipped, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a recording that was searched; ``None`` bounds mean a typed conversation."""

    start_ms: int | None
    end_ms: int | None
    first_turn: int = 0
    last_turn: int = 0


@dataclass(frozen=True, slots=True)
class ScorecardItem:
    """One judged item: ``passed`` is ``None`` where it does not apply.

    A judgement stands on evidence, or on the window that was searched in vain. ``reason`` says in words
    why an item does not apply; ``reason_code`` and ``reason_detail`` say it in any language. An item
    that is ``suggest_only`` counts nothing.
    """

    id: str
    title: str
    passed: bool | None
    points: float
    possible: float
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    window: Window | None = None
    auto_fail: bool = False
    for_review: bool = False
    reason: str = ""
    title_en: str = ""
    section: str = ""
    reason_code: str = ""
    reason_detail: str = ""
    suggest_only: bool = False

    def __post_init__(self) -> None:
        """Refuse a judgement that points nowhere."""
        if self.passed is not None and not self.evidence and self.window is None:
            raise ValueError("a scorecard item needs evidence or the window that was searched")


@dataclass(frozen=True, slots=True)
class ScorecardSection:
    """What one section of a scorecard came to; ``weight`` is its percentage of the whole, if it has one."""

    id: str
    title: str
    title_en: str
    score: float
    possible: float
    auto_failed: bool = False
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A call's score: ``score`` of ``possible`` points, not-applicable items left out.

    ``definition`` is ``scorecard id @ version``. ``grade`` names the threshold that was reached, empty
    where the scorecard has none.
    """

    definition: str
    score: float
    possible: float
    items: tuple[ScorecardItem, ...]
    auto_failed: bool = False
    skipped: tuple[Skipped, ...] = ()
    title: str = ""
    title_en: str = ""
    sections: tuple[ScorecardSection, ...] = ()
    grade: str = ""
    grade_en: str = ""
    grade_id: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A statement about a customer drawn from findings: key, value, and why it is believed."""

    key: str
    value: Json
    confidence: float
    source: str
    observed_at: datetime
    evidence: tuple[Evidence, ...]

    def __post_init__(self) -> None:
        """Refuse a tag without evidence."""
        if not self.evidence:
            raise ValueError("a tag needs evidence")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a field value comes from: ``crm``, ``conversation`` or ``event``, and which one.

    ``rule`` is the ``model-or-rule id @ version`` that heard it; empty for what was told.
    """

    source: str
    source_id: str
    observed_at: datetime
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One profile field with its value and provenance; ``others`` are the values that lost."""

    name: str
    value: Json
    provenance: Provenance
    others: tuple[FieldValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as merged from all that is known."""

    id: str
    external_id: str | None
    phones: tuple[str, ...]
    lifecycle: str
    fields: tuple[FieldValue, ...] = ()
    tags: tuple[Tag, ...] = ()
